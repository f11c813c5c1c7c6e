"""A disk that fills up, by a limit on the size of files and by a small file system: told in a line, nothing halved."""

import io
import os
import random
import re
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage import changes, reading, snapshots
from storage.audit import audit
from storage.backup import back_up
from storage.database import open_engine, transaction
from storage.datasets import follow, whole
from storage.datasets.place import Place
from storage.durable import wanting_room
from storage.errors import ArchiveError, ExportError, StoreBusy, StoreFull
from storage.records import Exchange, Source
from storage.restore import restore
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

Publish = Callable[..., int]
ROOM = 400_000
"""Bytes that are left where there is nearly no room."""
HOUR = timedelta(hours=1)


class Disk:
    """A folder that can be left with hardly any room for a while."""

    def __init__(self, folder: Path, *, small: bool) -> None:
        self.folder = folder
        self._small = small

    @contextmanager
    def nearly_full(self, room: int = ROOM) -> Iterator[None]:
        with self._stuffed(room) if self._small else _limited(room):
            yield

    @contextmanager
    def _stuffed(self, room: int) -> Iterator[None]:
        filler = self.folder / "filler"
        found = os.statvfs(self.folder)
        with filler.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, max(1, found.f_bavail * found.f_frsize - room))
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """No file may grow beyond that (setrlimit(2); Python ignores SIGXFSZ, so that the write fails)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=["limit", "disk"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield Disk(folder, small=False)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield Disk(folder, small=True)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _settings(data: Path) -> Settings:
    return load_settings({"data": data}, environ={}, file=data / "none.toml")


@pytest.fixture
def shelf(disk: Disk, publish: Publish, add_source: Callable[..., Source]) -> Iterator[Store]:
    """A store on that disk with articles that no coding makes smaller."""
    store = open_store(_settings(disk.folder / "data"))
    with store.writing() as tx:
        source = add_source(tx)
        for number in range(14):
            publish(tx, source, f"a{number}", text=_noise(40_000, number))
    yield store
    store.close()


def _noise(size: int, seed: int = 0) -> str:
    return random.Random(seed).randbytes(size).hex()


def _refused(kind: type[Exception], work: Callable[[], object]) -> str:
    """The one line that the work ends with."""
    with pytest.raises(kind) as told:
        work()
    assert "\n" not in str(told.value)
    return str(told.value)


def _count(store: Store) -> tuple[int, int]:
    with store.reading() as tx:
        return reading.counts(tx)["articles"], changes.last(tx)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_database_keeps_what_was_committed_and_goes_on_when_there_is_room(
    disk: Disk, publish: Publish, add_source: Callable[..., Source], now: datetime
) -> None:
    store = open_store(_settings(disk.folder / "data"))
    source = store.write(add_source)
    with disk.nearly_full(1_500_000):
        filed = 0

        def file_all() -> None:
            nonlocal filed
            while True:
                store.write(file_one)
                filed += 1

        def file_one(tx: object) -> None:
            publish(tx, source, f"n{filed}", text=_noise(15_000, filed))

        told = _refused(StoreFull, file_all)
        assert re.match(r"database sqlite:///.*copydesk\.db: .*; make room on its disk", told)
        assert filed > 2
        assert _count(store) == (filed, filed)
        assert _count(open_store(_settings(disk.folder / "data"))) == (filed, filed), "newcomers can read too"
    store.write(lambda tx: publish(tx, source, "last", text=_noise(15_000)))
    assert _count(store) == (filed + 1, filed + 1)
    assert audit(store, now).faults == ()
    store.close()
    with sqlite3.connect(disk.folder / "data" / "copydesk.db") as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_that_may_not_grow_is_full(
    store: Store, publish: Publish, add_source: Callable[..., Source]
) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such limit")
    source = store.write(add_source)
    with store.engine.connect() as connection:  # the pool's only one
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 5}"))
    tries = []

    def work(tx: object) -> None:
        tries.append(tx)
        publish(tx, source, "a", text=_noise(40_000))

    with pytest.raises(StoreFull, match="database or disk is full"):
        store.write(work)
    assert len(tries) == 1, "room does not come by trying again"
    with store.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    store.write(work)
    assert _count(store) == (1, 1)


def test_a_postgresql_without_room_is_full(postgres_database: str, tmp_path: Path, postgres_url: str) -> None:
    folder = Path(postgres_url.partition("host=")[2]) / "small"
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,uid=65534,gid=65534,mode=700", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root only")
    engine = open_engine(postgres_database)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            admin.execute(text(f"CREATE TABLESPACE small LOCATION '{folder}'"))
            admin.execute(text("CREATE TABLE t (n integer, body text) TABLESPACE small"))
            admin.execute(text("ALTER TABLE t ALTER body SET STORAGE EXTERNAL"))
        fill = text("INSERT INTO t SELECT n, repeat('x', 8000) FROM generate_series(1, :many) n")
        with transaction(engine, writes=True) as tx:
            tx.execute(fill, {"many": 10})
        with (
            pytest.raises(StoreFull, match="No space left on device; make room"),
            transaction(engine, writes=True) as tx,
        ):
            tx.execute(fill, {"many": 1000})
        with transaction(engine, writes=True) as tx:
            assert tx.execute(text("SELECT count(*) FROM t")).scalar() == 10
            tx.execute(text("DELETE FROM t"))
    finally:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            admin.execute(text("DROP TABLE IF EXISTS t"))
            admin.execute(text("DROP TABLESPACE IF EXISTS small"))
        engine.dispose()
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_an_archive_without_room_leaves_the_bodies_where_they_are(disk: Disk, shelf: Store, now: datetime) -> None:
    for number in range(1, 15):
        body = random.Random(number).randbytes(60_000)
        with shelf.writing() as tx:
            found = snapshots.get(tx, number)
            snapshots.keep(tx, found.page_id, _exchange(body, found.url, now))
    root = disk.folder / "data" / "archive"
    with disk.nearly_full():
        told = _refused(ArchiveError, lambda: snapshots.pack(shelf, now + 2 * HOUR, most_bytes=10_000_000, after=HOUR))
    assert told.startswith(f"archive {root}: ")
    assert told.endswith("; make room there, then do it again")
    assert _files(root) == []
    assert audit(shelf, now).faults == ()
    assert snapshots.pack(shelf, now + 2 * HOUR, most_bytes=10_000_000, after=HOUR) == 28
    assert audit(shelf, now).faults == ()


def test_a_dataset_without_room_is_the_old_one_until_it_is_the_new_one(disk: Disk, shelf: Store) -> None:
    place = Place(str(disk.folder / "lake"))
    for form in ("jsonl", "parquet"):
        with place.publish(f"articles.{form}") as out:
            out.write(b"old")

        def write(form: str = form) -> None:
            with shelf.reading() as tx, place.publish(f"articles.{form}") as out:
                whole.write_file(tx, form, out, None, lambda _: None)

        with disk.nearly_full():
            told = _refused(ExportError, write)
        path = disk.folder / "lake" / f"articles.{form}"
        assert told.startswith(f"{path}: cannot be written: ")
        assert told.endswith("; make room there, then do it again")
        assert (path.read_bytes(), len(_files(disk.folder / "lake"))) == (b"old", 1)
        write()
        assert path.stat().st_size > ROOM
        path.unlink()


def test_a_growing_dataset_goes_on_where_it_was(disk: Disk, shelf: Store) -> None:
    place = Place(str(disk.folder / "lake"))
    with disk.nearly_full(), pytest.raises(ExportError, match="make room there"):
        follow.advance(shelf, place, "jsonl")
    assert _files(disk.folder / "lake") == []
    assert follow.advance(shelf, place, "jsonl") == 14
    assert follow.advance(shelf, place, "jsonl") == 0


def test_a_backup_and_a_restore_without_room_leave_nothing(disk: Disk, shelf: Store, now: datetime) -> None:
    dest = disk.folder / "backup"
    with disk.nearly_full(), pytest.raises(ExportError, match=r"^backup .*make room there, then do it again$"):
        back_up(shelf, dest, now)
    assert [path.name for path in disk.folder.iterdir()] == ["data"]
    snapshots.pack(shelf, now + 2 * HOUR, most_bytes=10_000_000, after=HOUR)
    back_up(shelf, dest, now)
    other = _settings(disk.folder / "other")
    with disk.nearly_full(), pytest.raises(ExportError, match=r"^restore to .*make room there, then do it again$"):
        restore(other, dest)
    assert _files(disk.folder / "other") == []
    restore(other, dest)
    with open_store(other).reading() as tx:
        assert reading.counts(tx)["articles"] == 14


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that takes only a part of what it was given is no error (write(2)); the rest must follow."""

    class Stingy(io.FileIO):
        def write(self, data: Any) -> int | None:  # type: ignore[override]
            return super().write(memoryview(data)[:700])

    def stingy(path: Path, _mode: str) -> io.BufferedWriter:
        return io.BufferedWriter(Stingy(path, "xb"))

    monkeypatch.setattr(Path, "open", stingy)
    with Place(str(tmp_path)).publish("whole") as out:
        out.write(b"x" * 100_000)
    assert (tmp_path / "whole").stat().st_size == 100_000


def test_only_a_lack_of_room_is_the_machines_fault() -> None:
    with pytest.raises(StoreFull, match="page 7: /full: No space left on device; make room"), wanting_room("page 7"):
        raise OSError(28, "No space left on device", "/full")
    with pytest.raises(PermissionError), wanting_room("page 7"):
        raise PermissionError(13, "Permission denied")
    assert issubclass(StoreFull, StoreBusy), "whoever waits for a busy store waits for room as well"


def _exchange(body: bytes, url: str, now: datetime) -> Exchange:
    return Exchange(url=url, status=200, headers=(), body=body, fetched_at=now)
