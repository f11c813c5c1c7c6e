"""The later parts of an article that its site spreads over several pages, as pages that belong to the first."""

from datetime import datetime
from typing import Any

from sqlalchemy import null, or_, select, update

from storage import pages, sites
from storage.database import Tx
from storage.records import Disposition, Lead, Page, PageState
from storage.tables import article, page


def want(tx: Tx, first: Page, lead: Lead, now: datetime, *, older_than: datetime) -> None:
    """See that the address is a part of the first page's article and that its bytes are there or will be fetched.

    One that was done before `older_than` is fetched anew: the first page was, and may continue another text.
    """
    pages.discover(tx, first.source_id, [lead], now, priority=first.priority)
    found = pages.find(tx, lead.key)
    assert found is not None
    adopt(tx, first.id, found.id)
    if found.state is PageState.DONE and found.done_at is not None and found.done_at < older_than:
        pages.refetch(tx, [found.id], now)
        sites.refresh(tx, [found.site])


def adopt(tx: Tx, first_id: int, page_id: int) -> bool:
    """Let a page be a part of the first page's article; False where it has an article of its own, or another first."""
    free = or_(page.c.part_of.is_(None), page.c.part_of == first_id)
    at_home = select(article.c.id).where(article.c.page_id == page_id).exists()
    where = (page.c.id == page_id, page.c.id != first_id, free, ~at_home)
    return tx.execute(update(page).where(*where).values(part_of=first_id)).rowcount == 1


def of(tx: Tx, first_id: int) -> list[Page]:
    """The pages that are known as later parts of a first one, by id."""
    ids = tx.execute(select(page.c.id).where(page.c.part_of == first_id)).scalars()
    return pages.some(tx, list(ids))


def expected(tx: Tx, first_id: int) -> bool:
    """Whether a part is still to be fetched or to be processed."""
    query = select(page.c.id).where(page.c.part_of == first_id, page.c.state != PageState.DONE)
    return tx.execute(query.limit(1)).first() is not None


def filed(tx: Tx, first_id: int, article_id: int) -> None:
    """The first page is filed: its parts are parts of that article."""
    done = (page.c.part_of == first_id, page.c.disposition == Disposition.DUPLICATE)
    tx.execute(update(page).where(*done).values(article_id=article_id))


def reopen(tx: Tx, first_id: int) -> None:
    """A part came after its article was filed: let the first page be processed once more, from the bytes it has."""
    values: dict[str, Any] = {"state": PageState.FETCHED, "disposition": null(), "announced_at": null(), "attempts": 0}
    given = page.c.disposition.in_((Disposition.ARTICLE, Disposition.DUPLICATE))
    done = (page.c.id == first_id, page.c.state == PageState.DONE, given, page.c.snapshot_id.is_not(None))
    tx.execute(update(page).where(*done).values(**values))
