"""A backup holds what the store held at one moment, appears whole or not at all, and comes back into empty places."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, inspect, select, text

from storage import search, snapshots
from storage.audit import audit
from storage.backup import back_up
from storage.bundle import MANIFEST, read_manifest
from storage.errors import ArchiveDamaged, InputError, SchemaError, StoreBusy, UsageError
from storage.locks import store_lock
from storage.records import Source
from storage.restore import restore
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.tables import metadata, site

HOUR = timedelta(hours=1)


@pytest.fixture
def filled(store: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime) -> Store:
    """A store with three packed articles, a hot one with hard characters, and a site that somebody holds."""
    with store.writing() as tx:
        source = add_source(tx)
        for path in "abc":
            publish(tx, source, path, text=path)
    snapshots.pack(store, now + 2 * HOUR, most_bytes=1_000_000, after=HOUR)
    with store.writing() as tx:
        publish(tx, source, "d", text="tab\there \\N \\. line\nend “quote” \U0001f6a2")
        tx.execute(site.update().values(lease_owner="dead", lease_until=now - 2 * HOUR))
    return store


@pytest.fixture
def empty(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of the same kind of store, in places where nothing is yet."""
    url = ""
    if store.engine.dialect.name == "postgresql":
        maintenance = request.getfixturevalue("postgres_url")
        name = f"test_{uuid4().hex}"
        with psycopg.connect(maintenance, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        url = maintenance.replace("/postgres?", f"/{name}?")
    data = tmp_path / "elsewhere"
    yield load_settings({"data": data, "database": url}, environ={}, file=tmp_path / "none.toml")
    if url:
        with psycopg.connect(maintenance, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables, but for who holds a site."""
    with store.reading() as tx:
        return {
            table.name: [
                tuple(row) for row in tx.execute(select(*_lasting(table)).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def _lasting(table: Any) -> list[Any]:
    return [column for column in table.c if not column.name.startswith("lease_")]


def test_what_comes_back_is_what_was_there(filled: Store, empty: Settings, tmp_path: Path, now: datetime) -> None:
    made = back_up(filled, tmp_path / "copy", now)
    assert restore(empty, tmp_path / "copy") == made == read_manifest(tmp_path / "copy")
    back = open_store(empty, create=False)
    assert rows(back) == rows(filled)
    report = audit(back, now)
    assert (report.faults, report.balance.articles, report.bodies_checked) == ((), 4, 3)
    back.close()


def test_what_was_found_before_is_found_after(filled: Store, empty: Settings, tmp_path: Path, now: datetime) -> None:
    with filled.writing() as tx:
        search.catch_up(tx, now)
    made = back_up(filled, tmp_path / "copy", now)
    if made.tables:
        names = set(inspect(filled.engine).get_table_names()) - {"alembic_version"}
        assert {table.name for table in made.tables} == names, "a table is not backed up"
    restore(empty, tmp_path / "copy")
    back = open_store(empty, create=False)
    with filled.reading() as here, back.reading() as there:
        count = text("SELECT count(*) FROM article_search")
        assert here.execute(count).scalar() == there.execute(count).scalar() == 4
    back.close()


def test_numbers_go_on_where_they_were(
    filled: Store, empty: Settings, publish: Callable[..., int], add_source: Callable[..., Source], tmp_path: Path,
    now: datetime,
) -> None:  # fmt: skip
    with filled.writing() as tx:
        tx.execute(text("DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)"))
    back_up(filled, tmp_path / "copy", now)
    restore(empty, tmp_path / "copy")
    back = open_store(empty, create=False)
    with back.writing() as tx:
        publish(tx, add_source(tx, name="valley", site="valley.example"), "new")
        assert tx.execute(select(func.max(metadata.tables["change"].c.seq))).scalar() == 5, "a number was given twice"
    back.close()


def test_archive_files_are_links_where_they_can_be_and_only_those_the_database_knows(
    filled: Store, tmp_path: Path, now: datetime
) -> None:
    root = Path(filled.archive.root)
    (root / "2026" / "stray.warc.gz").write_bytes(b"of a crash")
    (root / "2026" / "half.part").write_bytes(b"of a crash")
    back_up(filled, tmp_path / "copy", now)
    [taken] = [path for path in (tmp_path / "copy" / "archive").rglob("*") if path.is_file()]
    assert taken.samefile(root / taken.relative_to(tmp_path / "copy" / "archive"))


def test_without_links_it_copies(
    filled: Store, empty: Settings, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def refuse(source: Path, to: Path) -> None:
        if "archive" in str(to):
            raise OSError(18, "Invalid cross-device link")
        real(source, to)

    monkeypatch.setattr(os, "link", refuse)
    back_up(filled, tmp_path / "copy", now)
    restore(empty, tmp_path / "copy")
    back = open_store(empty, create=False)
    assert audit(back, now).faults == ()
    back.close()


def test_a_backup_that_fails_leaves_nothing(filled: Store, tmp_path: Path, now: datetime) -> None:
    [file] = Path(filled.archive.root).rglob("*.warc.gz")
    file.unlink()
    folder = tmp_path / "backups"
    with pytest.raises(ArchiveDamaged, match=file.name):
        back_up(filled, folder / "copy", now)
    assert list(folder.iterdir()) == []


def test_nothing_is_written_over(filled: Store, empty: Settings, tmp_path: Path, now: datetime) -> None:
    back_up(filled, tmp_path / "copy", now)
    with pytest.raises(UsageError, match="exists already"):
        back_up(filled, tmp_path / "copy", now)
    restore(empty, tmp_path / "copy")
    with pytest.raises(UsageError, match=r"exists already|is not empty"):
        restore(empty, tmp_path / "copy")


def test_an_archive_that_holds_something_is_left_alone(
    filled: Store, empty: Settings, tmp_path: Path, now: datetime
) -> None:
    back_up(filled, tmp_path / "copy", now)
    theirs = Path(empty.archive_root) / "theirs.warc.gz"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"x")
    with pytest.raises(UsageError, match=r"archive .* is not empty"):
        restore(empty, tmp_path / "copy")
    assert theirs.read_bytes() == b"x"


def test_a_flipped_bit_is_found_before_anything_is_written(
    filled: Store, empty: Settings, tmp_path: Path, now: datetime
) -> None:
    made = back_up(filled, tmp_path / "copy", now)
    for part in made.parts:
        harmed = tmp_path / "copy" / part.path
        sound = harmed.read_bytes()
        harmed.unlink()  # it may be a link to the archive's own file
        harmed.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        with pytest.raises(ArchiveDamaged, match=Path(part.path).name):
            restore(empty, tmp_path / "copy")
        harmed.write_bytes(sound)
    assert not empty.data.exists()
    restore(empty, tmp_path / "copy")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 2}, InputError),
        ({"schema": "9999"}, SchemaError),
        ({"archive": [{"path": "archive/../../x", "size": 1, "sha256": ""}]}, InputError),
        ({"archive": [{"path": "/etc/hostname", "size": 1, "sha256": ""}]}, InputError),
        ({"database": "oracle"}, UsageError),
    ],
)
def test_what_cannot_be_restored_is_refused_with_a_reason(
    filled: Store, empty: Settings, tmp_path: Path, now: datetime, change: dict[str, Any], error: type[Exception]
) -> None:
    back_up(filled, tmp_path / "copy", now)
    file = tmp_path / "copy" / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(error, match="copy"):
        restore(empty, tmp_path / "copy")
    with pytest.raises(InputError, match="no backup"):
        restore(empty, tmp_path)


def test_it_waits_for_a_packer_to_finish(
    filled: Store, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.erasure._WAIT_S", 0.01)
    with store_lock(filled, "pack"), pytest.raises(StoreBusy, match="in use"):
        back_up(filled, tmp_path / "copy", now)
    waiting = threading.Thread(target=back_up, args=(filled, tmp_path / "copy", now))
    with store_lock(filled, "pack"):
        waiting.start()
    waiting.join(20)
    assert (tmp_path / "copy" / MANIFEST).exists()
