from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage import changes, erasure, pages, reading, snapshots
from storage.archive import Archive, iterate
from storage.audit import audit
from storage.database import Tx
from storage.errors import ArchiveDamaged, ArchiveError
from storage.records import ChangeKind, Disposition, Hints, Lead, Page, Source
from storage.store import Store
from storage.withdrawals import mark, restore

HOUR = timedelta(hours=1)
SECRET = "Anna Beispiel was wrongly named as the captain"
WHY = "court order 4 U 12/26"

Publish = Callable[..., int]


@pytest.fixture
def filled(
    store: Store,
    add_source: Callable[..., Source],
    publish: Publish,
    fetch: Callable[..., Page],
    lead: Callable[..., Lead],
    now: datetime,
) -> Store:
    """Three articles in the archive; the second names somebody, in its text, its bytes and its feed's title."""

    def fill(tx: Tx) -> None:
        source = add_source(tx)
        for number, text in enumerate(("Ferries ran.", SECRET, "A berth opened.")):
            publish(tx, source, f"{number}", text=text)
        page_id = pages.find(tx, "https://harbour.example/1").id  # type: ignore[union-attr]
        pages.discover(tx, source.id, [lead("1", title=SECRET)], now)
        fetch(tx, page_id, SECRET.encode())
        fetch(tx, page_id, SECRET.encode() + b" again")
        pages.finish(tx, page_id, Disposition.ARTICLE, "same", now)

    store.write(fill)
    snapshots.pack(store, now + 2 * HOUR, most_bytes=1_000_000, after=HOUR)
    with store.writing() as tx:
        fetch(tx, 2, SECRET.encode() + b" and hot")
        pages.finish(tx, 2, Disposition.ARTICLE, "same", now)
    return store


def everything(store: Store, tmp_path: Path) -> bytes:
    """All bytes that the store keeps: rows, database file, and archived bodies."""
    parts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.name.endswith(".warc.gz")]
    for path in tmp_path.rglob("*.warc.gz"):
        with path.open("rb") as file:
            parts += [body for *_, body, _ in iterate(file)]
    with store.reading() as tx:
        parts.append(repr(reading.versions(tx, 2)).encode())
        parts.append(repr([pages.sightings(tx, 2), pages.get(tx, 2)]).encode())
        parts += [snapshots.body(tx, store.archive, one) for one in snapshots.of_page(tx, 2)]
    return b"".join(parts)


def test_the_text_is_nowhere_any_more_and_a_tombstone_stays(filled: Store, tmp_path: Path, now: datetime) -> None:
    assert SECRET.encode() in everything(filled, tmp_path)

    erased = erasure.erase(filled, 2, WHY, now + 3 * HOUR)

    assert (erased.article_id, erased.versions, erased.snapshots, erased.files) == (2, 1, 4, 1)
    assert SECRET.encode() not in everything(filled, tmp_path)
    with filled.reading() as tx:
        stone = reading.get(tx, 2)
        assert [change.kind for change in changes.of_article(tx, 2)] == [ChangeKind.CREATED, ChangeKind.WITHDRAWN]
        assert [one.id for one in reading.listed(tx)] == [1, 3]
    assert (stone.content.title, stone.content.text) == (erasure.TITLE, "")
    assert (stone.withdrawn_at, stone.withdrawn_reason) == (now + 3 * HOUR, WHY)


def test_all_others_are_still_there(filled: Store, now: datetime) -> None:
    erasure.erase(filled, 2, WHY, now)
    report = audit(filled, now)
    assert (report.faults, report.bodies_checked) == ((), 2)


def test_a_second_time_changes_nothing(filled: Store, now: datetime) -> None:
    erasure.erase(filled, 2, WHY, now)
    again = erasure.erase(filled, 2, WHY, now)
    assert again.files == 0
    with filled.reading() as tx:
        assert len(changes.of_article(tx, 2)) == 2


def test_an_erased_page_is_never_fetched_again_and_no_listing_brings_its_title_back(
    filled: Store, lead: Callable[..., Lead], now: datetime
) -> None:
    erasure.erase(filled, 2, WHY, now)
    with filled.writing() as tx:
        assert pages.refetch(tx, [2], now) == []
        seen = pages.discover(tx, 1, [lead("1", title=f"{SECRET}, corrected", modified_at=now + HOUR)], now + HOUR)
        assert (seen.new, seen.again) == ((), ())
        assert all(one.hints == Hints() for one in pages.sightings(tx, 2))


def test_a_crash_before_the_old_file_is_deleted_is_told_and_made_good(
    filled: Store, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_archive: Archive, _name: str) -> None:
        raise ArchiveError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(Archive, "delete", fail)
        with pytest.raises(ArchiveError):
            erasure.erase(filled, 2, WHY, now)
    assert [fault.check for fault in audit(filled, now).faults] == ["archive"]
    assert len(list(tmp_path.rglob("*.warc.gz"))) == 2
    erasure.erase(filled, 2, WHY, now)
    assert audit(filled, now).faults == ()
    assert len(list(tmp_path.rglob("*.warc.gz"))) == 1


def test_a_damaged_file_is_named_and_nothing_is_erased(filled: Store, now: datetime, tmp_path: Path) -> None:
    (file,) = tmp_path.rglob("*.warc.gz")
    whole = file.read_bytes()
    file.write_bytes(whole[:600] + bytes(80) + whole[680:])
    with pytest.raises(ArchiveDamaged, match=r"archive 2026.*(cannot be rewritten|no record at)"):
        erasure.erase(filled, 2, WHY, now)
    with filled.reading() as tx:
        assert reading.get(tx, 2).content.text == SECRET


def test_what_is_gone_may_return_and_what_was_withdrawn_may_not(filled: Store, now: datetime) -> None:
    with filled.writing() as tx:
        assert mark(tx, 1, "gone_http_404", now)
        assert not mark(tx, 1, "gone_http_410", now)
        assert restore(tx, 1, now)
        assert not restore(tx, 1, now)
        assert mark(tx, 3, "our mistake", now)
        assert not restore(tx, 3, now)
        told = [change.kind for change in changes.of_article(tx, 1)]
    assert told == [ChangeKind.CREATED, ChangeKind.WITHDRAWN, ChangeKind.UPDATED]
