"""Pages that are being processed: their tries are counted, they are held while they are filed, most end as articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, and_, bindparam, case, exists, null, select, update

from storage.database import Tx
from storage.pages import record
from storage.records import Disposition, Page, PageState, Record
from storage.tables import doubt, page

_PART = page.alias("part")
_HELD = select(
    page,
    exists().where(doubt.c.page_id == page.c.id).label("is_doubted"),
    exists().where(_PART.c.part_of == page.c.id).label("has_parts"),
).with_for_update(of=page)
_AGAIN = and_(page.c.state == PageState.FETCHED, page.c.next_at.is_not(None))
_FILED = (
    update(page)
    .where(page.c.id == bindparam("of"))
    .values(
        state=case((_AGAIN, PageState.DISCOVERED.value), else_=PageState.DONE.value),
        disposition=case((_AGAIN, null()), else_=Disposition.ARTICLE.value),
        next_at=case((_AGAIN, page.c.next_at), else_=null()),
        attempts=0,
        redirect_to=None,
    )
    .values({name: bindparam(name) for name in ("article_id", "reason", "done_at")})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Record):
    """A page that waits to be processed, kept from other writers."""

    page: Page
    is_doubted: bool
    """Whether there are doubts about it (`storage.doubts`)."""
    has_parts: bool
    """Whether others are later parts of its article."""


def begin(tx: Tx, page_id: int) -> Page | None:
    """Count one more try to process a page; None unless it waits to be processed."""
    return begin_all(tx, [page_id]).get(page_id)


def begin_all(tx: Tx, page_ids: Sequence[int]) -> dict[int, Page]:
    """Count one more try for each of some pages; those that do not wait to be processed are left out.

    A try is counted before it is made, so that a page which kills its worker does not look untried for ever.
    """
    _lock(tx, page_ids)
    waits = and_(page.c.id.in_(page_ids), page.c.state == PageState.FETCHED)
    counted = update(page).where(waits).values(attempts=page.c.attempts + 1).returning(page)
    return {one.id: one for one in map(record, tx.execute(counted).mappings())}


def unbegin(tx: Tx, page_ids: Sequence[int]) -> None:
    """Take back tries that failed by no fault of the pages."""
    _lock(tx, page_ids)
    waits = and_(page.c.id.in_(page_ids), page.c.state == PageState.FETCHED, page.c.attempts > 0)
    tx.execute(update(page).where(waits).values(attempts=page.c.attempts - 1))


def hold(tx: Tx, page_id: int) -> Page | None:
    """The page as it is now, kept from other writers to the end of this transaction; None unless it is FETCHED."""
    found = hold_all(tx, [page_id]).get(page_id)
    return found.page if found else None


def hold_all(tx: Tx, page_ids: Sequence[int]) -> dict[int, Held]:
    """The same for some pages, in an order in which no two wait for each other; those that are not FETCHED left out."""
    waits = (page.c.id.in_(page_ids), page.c.state == PageState.FETCHED)
    return {row["id"]: _held(row) for row in tx.execute(_HELD.where(*waits).order_by(page.c.id)).mappings()}


def filed(tx: Tx, rows: Sequence[tuple[int, int, str, datetime]]) -> None:
    """Close pages as articles, as `pages.finish` does: for each its id, its article's, the reason and the time.

    For pages that are no parts of others.
    """
    names = ("of", "article_id", "reason", "done_at")
    tx.execute(_FILED, [dict(zip(names, row, strict=True)) for row in rows])


def _lock(tx: Tx, page_ids: Sequence[int]) -> None:
    """Else two that change the same pages could wait for each other."""
    if len(page_ids) > 1 and tx.dialect.name == "postgresql":
        tx.execute(select(page.c.id).where(page.c.id.in_(page_ids)).order_by(page.c.id).with_for_update()).all()


def _held(row: RowMapping) -> Held:
    return Held(page=record(row), is_doubted=row["is_doubted"], has_parts=row["has_parts"])
