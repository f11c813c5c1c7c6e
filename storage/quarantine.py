"""Quarantine: pages whose processing failed for good, kept with their error until somebody decides."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, delete, select, update

from storage import pages
from storage.database import Tx, insert
from storage.errors import NotFound
from storage.records import Disposition, PageState, Quarantined
from storage.tables import page, quarantine


def put(tx: Tx, page_id: int, *, stage: str, error: str, attempts: int, now: datetime) -> None:
    """Close a page as quarantined, with its error."""
    values = {"stage": stage, "error": error, "attempts": attempts, "at": now}
    statement = insert(tx, quarantine).values(page_id=page_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["page_id"], set_=values))
    pages.finish(tx, page_id, Disposition.QUARANTINED, stage, now)


def listed(tx: Tx, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
    """Quarantined pages with an id above `after`, by id."""
    rows = tx.execute(
        _query().where(quarantine.c.page_id > after).order_by(quarantine.c.page_id).limit(limit)
    ).mappings()
    return [_record(row) for row in rows]


def get(tx: Tx, page_id: int) -> Quarantined:
    """One quarantined page. Raises NotFound."""
    row = tx.execute(_query().where(quarantine.c.page_id == page_id)).mappings().first()
    if row is None:
        raise NotFound(f"page {page_id} is not in quarantine; 'copydesk quarantine list' shows what is")
    return _record(row)


def retry(tx: Tx, page_id: int, now: datetime) -> None:
    """Give a page another chance: processing where its bytes are there, else fetching. Raises NotFound."""
    found = get(tx, page_id)
    tx.execute(delete(quarantine).where(quarantine.c.page_id == page_id))
    if found.snapshot_id is None:
        pages.refetch(tx, [page_id], now)
        return
    values = {"state": PageState.FETCHED, "disposition": None, "attempts": 0, "announced_at": None}
    tx.execute(update(page).where(page.c.id == page_id).values(**values))


def drop(tx: Tx, page_id: int, now: datetime) -> None:
    """Give a page up: it counts as rejected, `dropped_by_hand`. Raises NotFound."""
    get(tx, page_id)
    tx.execute(delete(quarantine).where(quarantine.c.page_id == page_id))
    pages.finish(tx, page_id, Disposition.REJECTED, "dropped_by_hand", now)


def _query() -> Select[Any]:
    return select(quarantine, page.c.url, page.c.snapshot_id).join(page, page.c.id == quarantine.c.page_id)


def _record(row: RowMapping) -> Quarantined:
    return Quarantined(**{name: row[name] for name in Quarantined.__slots__})
