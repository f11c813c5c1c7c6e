"""Erasing an article on request: its text goes from every version, body and archive record; a tombstone stays.

The tombstone is the article's row with the reason, its versions without content, and a row in the change feed. Archive
files are written anew without the records in question; the pointers of all others follow in the same transaction that
takes the text out, and the old files are deleted after it. A crash in between leaves a note of the file, which the next
erasure deletes and the audit reports.
"""

import threading
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update

from storage import doubts, pages, search, similar, withdrawals
from storage.archive import digest
from storage.codec import to_plain
from storage.database import Tx, chunks, insert
from storage.errors import ArchiveDamaged, NotFound, StoreBusy
from storage.locks import store_lock
from storage.records import Disposition, Hints, Record
from storage.store import Store
from storage.tables import HOT, article, article_version, doomed_file, page, quarantine, sighting, snapshot

TITLE = "[withdrawn]"
"""What stands in the place of a headline."""
_TRIES, _WAIT_S = 60, 0.5
_EMPTY: dict[str, Any] = {
    "body": zlib.compress(b""),
    "size": 0,
    "digest": digest(b""),
    "headers": [],
    "request_headers": [],
    "archive_file": None,
    "archive_offset": None,
    "archive_length": None,
}
_Moves = dict[str, tuple[str, dict[int, tuple[int, int]]]]
"""By old file: the new one, and the new offset and length of each record by its old offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Record):
    """What an erasure took out."""

    article_id: int | None
    versions: int
    snapshots: int
    files: int
    """Archive files that were written anew."""


def erase(store: Store, page_id: int, reason: str, now: datetime) -> Erased:
    """Erase what was read at a page, with its article if the page is an article's own. `reason` is kept.

    Raises NotFound, ArchiveDamaged where a file cannot be read to its end (nothing is erased then), and StoreBusy when
    the archive stays in use by others.
    """
    with archive_to_oneself(store):
        finish(store)
        with store.reading() as tx:
            article_id, mine = _extent(tx, page_id)
            packed = _packed(tx, mine)
        moves = {file: store.archive.without(file, offsets, now) for file, offsets in packed.items()}
        try:
            erased = store.write(lambda tx: _erase(tx, article_id, mine, reason, now, moves))
        except BaseException:
            for fresh, _ in moves.values():
                store.archive.delete(fresh)
            raise
        finish(store)
        _scrub(store)
    return erased


def finish(store: Store) -> int:
    """Delete the archive files that nothing needs any more; returns how many. Raises ArchiveError."""
    with store.reading() as tx:
        left = list(tx.execute(select(doomed_file.c.file)).scalars())
    for file in left:
        store.archive.delete(file)
        store.write(lambda tx, file=file: tx.execute(delete(doomed_file).where(doomed_file.c.file == file)))  # type: ignore[misc]
    return len(left)


def blank(tx: Tx, snapshot_id: int) -> None:
    """Take the body out of a snapshot that came in after its article was erased. It must not be packed yet."""
    tx.execute(update(snapshot).where(snapshot.c.id == snapshot_id, HOT).values(**_EMPTY))


def is_erased(tx: Tx, url: str) -> bool:
    """Whether the article under a canonical key was erased: nothing may be kept of what comes in there."""
    home = select(page.c.reason).join(article, article.c.page_id == page.c.id).where(article.c.url == url)
    return tx.execute(home).scalar() == pages.ERASED


@contextmanager
def archive_to_oneself(store: Store) -> Iterator[None]:
    """Nobody packs meanwhile: a body must not slip into the archive while its record is taken out. Raises StoreBusy."""
    for _ in range(_TRIES):
        with store_lock(store, "pack") as mine:
            if mine:
                yield
                return
        threading.Event().wait(_WAIT_S)
    raise StoreBusy("the archive is in use by another process; try again in a while")


def _extent(tx: Tx, page_id: int) -> tuple[int | None, list[int]]:
    """The article of a page, and all pages of its site that it was read from; just the page if it is another's copy."""
    found = pages.get(tx, page_id)
    home = tx.execute(select(article.c.page_id).where(article.c.id == found.article_id)).scalar()
    twin = home is not None and tx.execute(select(page.c.site).where(page.c.id == home)).scalar() == found.site
    if home != page_id and not twin:
        return None, [page_id]
    same = and_(page.c.article_id == found.article_id, page.c.site == found.site)
    query = select(page.c.id).where(or_(same, page.c.id == page_id, page.c.part_of == home))
    return found.article_id, list(tx.execute(query).scalars())


def _packed(tx: Tx, page_ids: Collection[int]) -> dict[str, set[int]]:
    """The offsets of the pages' archived bodies, by file."""
    found: dict[str, set[int]] = {}
    for some in chunks(sorted(page_ids)):
        packed = select(snapshot).where(snapshot.c.page_id.in_(some), snapshot.c.archive_file.is_not(None))
        for row in tx.execute(packed):
            found.setdefault(row.archive_file, set()).add(row.archive_offset)
    return found


def _erase(tx: Tx, article_id: int | None, mine: Collection[int], reason: str, now: datetime, moves: _Moves) -> Erased:
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA secure_delete=ON")  # else the text stays readable in pages that are free
    versions = _erase_article(tx, article_id, reason, now) if article_id is not None else 0
    bodies = _erase_pages(tx, sorted(mine), article_id, now)
    for old, (fresh, places) in moves.items():
        _move(tx, old, fresh, places, now)
    return Erased(article_id=article_id, versions=versions, snapshots=bodies, files=len(moves))


def _erase_article(tx: Tx, article_id: int, reason: str, now: datetime) -> int:
    empty = {"title": TITLE, "text": "", "blocks": [], "authors": [], "keywords": [], "provenance": {}, "word_count": 0}
    empty |= dict.fromkeys(
        ("subtitle", "description", "publisher", "section", "image", "license", "credit", "dateline")
    )
    empty |= {"evidence": {}, "content_hash": "erased"}
    known = {name: value for name, value in empty.items() if name in article_version.c}
    count = tx.execute(update(article_version).where(article_version.c.article_id == article_id).values(**known))
    similar.drop(tx, article_id)
    search.remove(tx, [article_id])
    if not withdrawals.mark(tx, article_id, reason, now):  # it was gone before it was erased
        tx.execute(update(article).where(article.c.id == article_id).values(withdrawn_reason=reason, updated_at=now))
    return count.rowcount


def _erase_pages(tx: Tx, page_ids: list[int], article_id: int | None, now: datetime) -> int:
    home = tx.execute(select(article.c.page_id).where(article.c.id == article_id)).scalar()
    bodies = 0
    for some in chunks(page_ids):
        bodies += tx.execute(update(snapshot).where(snapshot.c.page_id.in_(some)).values(**_EMPTY)).rowcount
        tx.execute(update(sighting).where(sighting.c.page_id.in_(some)).values(hints=to_plain(Hints())))
        tx.execute(delete(quarantine).where(quarantine.c.page_id.in_(some)))
        tx.execute(update(page).where(page.c.id.in_(some)).values(next_at=None))
    for page_id in page_ids:
        kind = Disposition.ARTICLE if page_id == home else Disposition.REJECTED
        pages.finish(tx, page_id, kind, pages.ERASED, now)
        doubts.clear(tx, page_id)
    return bodies


def _move(tx: Tx, old: str, fresh: str, places: dict[int, tuple[int, int]], now: datetime) -> None:
    """Let all other pointers into a file follow its records into the new one."""
    rows = tx.execute(select(snapshot.c.id, snapshot.c.archive_offset).where(snapshot.c.archive_file == old)).all()
    for row in rows:
        if row.archive_offset not in places:
            raise ArchiveDamaged(f"archive {old}: there is no record at {row.archive_offset}")
        offset, length = places[row.archive_offset]
        values = {"archive_file": fresh, "archive_offset": offset, "archive_length": length}
        tx.execute(update(snapshot).where(snapshot.c.id == row.id).values(**values))
    for file in (old,) if rows else (old, fresh):  # nothing points to the new one where all its records were erased
        tx.execute(insert(tx, doomed_file).values(file=file, at=now).on_conflict_do_nothing())


def _scrub(store: Store) -> None:
    """On SQLite, the write-ahead log holds the text until it is emptied; PostgreSQL's vacuum comes by itself."""
    store.write(search.scrub)
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def doomed(tx: Tx) -> int:
    """How many archive files wait to be deleted."""
    return int(tx.execute(select(func.count()).select_from(doomed_file)).scalar_one())


def page_at(tx: Tx, key: str) -> int:
    """The page under a canonical key, or the page of the article that is filed there. Raises NotFound."""
    found = pages.find(tx, key)
    if found is not None:
        return found.id
    home = tx.execute(select(article.c.page_id).where(article.c.url == key)).scalar()
    if home is None:
        raise NotFound(f"nothing was ever read at {key}")
    return int(home)
