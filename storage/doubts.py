"""Doubts about pages: articles that seem to be gone, block pages in their place, until that is settled."""

from datetime import datetime

from sqlalchemy import delete, select

from storage.database import Tx, insert
from storage.tables import doubt


def missed(tx: Tx, page_id: int, now: datetime) -> datetime:
    """A page's article is not there; returns since when that is so."""
    statement = insert(tx, doubt).values(page_id=page_id, gone_since=now, walls=0)
    kept = statement.on_conflict_do_update(index_elements=["page_id"], set_={"gone_since": doubt.c.gone_since})
    since = tx.execute(kept.returning(doubt.c.gone_since)).scalar()
    if since is None:  # there was a doubt of the other kind
        tx.execute(doubt.update().where(doubt.c.page_id == page_id).values(gone_since=now))
    return since or now


def walled(tx: Tx, page_id: int) -> int:
    """A block page came in a page's place; returns how many in a row did."""
    statement = insert(tx, doubt).values(page_id=page_id, walls=1)
    counted = statement.on_conflict_do_update(index_elements=["page_id"], set_={"walls": doubt.c.walls + 1})
    return int(tx.execute(counted.returning(doubt.c.walls)).scalar_one())


def gone_since(tx: Tx, page_id: int) -> datetime | None:
    """Since when a page's article has seemed to be gone; None where it has not."""
    return tx.execute(select(doubt.c.gone_since).where(doubt.c.page_id == page_id)).scalar()


def clear(tx: Tx, page_id: int) -> None:
    """The page is as it should be, or its fate is settled."""
    tx.execute(delete(doubt).where(doubt.c.page_id == page_id))
