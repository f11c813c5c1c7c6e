"""The contract of snapshots: bodies are hot until packed, and are the same bytes ever after."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from storage import pages, snapshots
from storage.archive import Archive
from storage.errors import ArchiveDamaged, ArchiveError
from storage.records import Lead, Page, Pointer, Source
from storage.store import Store
from storage.tables import snapshot

AddSource = Callable[..., Source]
MakeLead = Callable[..., Lead]
Fetch = Callable[..., Page]
HOUR = timedelta(hours=1)


@pytest.fixture
def filled(store: Store, add_source: AddSource, lead: MakeLead, fetch: Fetch, now: datetime) -> Store:
    """A store with five fetched pages."""
    with store.writing() as tx:
        source = add_source(tx)
        for page_id in pages.discover(tx, source.id, [lead(str(n)) for n in range(5)], now).new:
            fetch(tx, page_id, body=f"<html>page {page_id} \u2013 ferry</html>".encode() * 100)
    return store


def _bodies(store: Store) -> dict[int, bytes]:
    with store.reading() as tx:
        return {n: snapshots.body(tx, store.archive, snapshots.get(tx, n)) for n in range(1, 6)}


def test_packing_changes_no_byte(filled: Store, now: datetime) -> None:
    before = _bodies(filled)
    assert snapshots.pack(filled, now + HOUR, most_bytes=1_000_000, after=HOUR) == 5
    with filled.reading() as tx:
        assert snapshots.hot(tx) == (0, 0)
        assert all(snapshots.get(tx, n).pointer for n in range(1, 6))
    assert _bodies(filled) == before


def test_few_and_young_bodies_stay_hot(filled: Store, now: datetime) -> None:
    assert snapshots.pack(filled, now, most_bytes=1_000_000, after=HOUR) == 0
    with filled.reading() as tx:
        assert snapshots.hot(tx)[0] == 5


def test_files_are_rotated_by_size(filled: Store, now: datetime) -> None:
    snapshots.pack(filled, now + HOUR, most_bytes=5_000, after=HOUR)
    with filled.reading() as tx:
        files = {one.pointer.file for one in snapshots.packed(tx, 0, 10) if one.pointer}
    assert len(files) == 3


def test_a_failed_write_leaves_everything_as_it_was(filled: Store, now: datetime, tmp_path: Path) -> None:
    before = _bodies(filled)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    broken = Store(filled.engine, Archive(str(tmp_path / "blocked")))
    with pytest.raises(ArchiveError, match="cannot be written"):
        snapshots.pack(broken, now + HOUR, most_bytes=1, after=HOUR)
    assert _bodies(filled) == before


def test_a_second_packer_changes_no_pointer(filled: Store, now: datetime) -> None:
    snapshots.pack(filled, now + HOUR, most_bytes=1_000_000, after=HOUR)
    late = Pointer(file="late.warc.gz", offset=0, length=1, digest="sha256:0")
    with filled.writing() as tx:
        snapshots._point(tx, [(1, late)])
        assert snapshots.get(tx, 1).pointer != late


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_damage_is_found_and_named(filled: Store, now: datetime, tmp_path: Path, harm: str) -> None:
    snapshots.pack(filled, now + HOUR, most_bytes=1_000_000, after=HOUR)
    with filled.reading() as tx:
        last = snapshots.get(tx, 5)
    assert last.pointer
    file = tmp_path / "archive" / last.pointer.file
    raw = bytearray(file.read_bytes())
    if harm == "flip":
        raw[last.pointer.offset + last.pointer.length // 2] ^= 0x40
    file.write_bytes(raw if harm == "flip" else raw[: last.pointer.offset + 40])
    if harm == "remove":
        file.unlink()
    with filled.reading() as tx, pytest.raises(ArchiveDamaged, match=last.pointer.file.rsplit("/", 1)[1]):
        snapshots.body(tx, filled.archive, last)


def test_a_body_whose_file_was_written_anew_is_found_by_whoever_knew_the_old_one(filled: Store, now: datetime) -> None:
    before = _bodies(filled)
    snapshots.pack(filled, now + HOUR, most_bytes=1_000_000, after=HOUR)
    with filled.reading() as tx:
        known = snapshots.get(tx, 3)
    assert known.pointer is not None
    name, moved = filled.archive.without(known.pointer.file, [], now)
    offset, length = moved[known.pointer.offset]
    values = {"archive_file": name, "archive_offset": offset, "archive_length": length}
    filled.write(lambda tx: tx.execute(update(snapshot).where(snapshot.c.id == 3).values(**values)))
    filled.archive.delete(known.pointer.file)
    with filled.reading() as tx:
        assert snapshots.body(tx, filled.archive, known) == before[3]
