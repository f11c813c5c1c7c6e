"""What operators should know of, as rows with a beginning and an end: gaps, silent sources, our own outages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, select, update

from storage.database import Tx, insert
from storage.records import Event, EventKind
from storage.tables import event, source


def begin(tx: Tx, kind: EventKind, detail: str, now: datetime, source_id: int | None = None) -> bool:
    """Open an event unless one of the kind is open for the source; returns whether it is new."""
    if source_id is None and current(tx, kind):
        return False
    values = {"kind": kind, "source_id": source_id, "detail": detail, "opened_at": now}
    statement = insert(tx, event).values(**values).on_conflict_do_nothing().returning(event.c.id)
    return tx.execute(statement).scalar() is not None


def end(tx: Tx, kind: EventKind, now: datetime, source_id: int | None = None, *, detail: str | None = None) -> bool:
    """Close what is open of that kind for the source; returns whether there was anything."""
    values: dict[str, Any] = {"closed_at": now} | ({"detail": detail} if detail else {})
    return tx.execute(update(event).where(*_open(kind, source_id)).values(**values)).rowcount > 0


def tried(tx: Tx, kind: EventKind, now: datetime, source_id: int, detail: str) -> None:
    """Remember that something was done about an open event, and what came of it."""
    tx.execute(update(event).where(*_open(kind, source_id)).values(tried_at=now, detail=detail))


def of_source(tx: Tx, kind: EventKind, source_id: int) -> Event | None:
    """The open event of that kind of a source."""
    row = tx.execute(_events().where(*_open(kind, source_id))).mappings().first()
    return _record(row) if row else None


def current(tx: Tx, kind: EventKind | None = None, limit: int = 100) -> list[Event]:
    """What is open, the latest first."""
    query = _events().where(event.c.closed_at.is_(None))
    query = query if kind is None else query.where(event.c.kind == kind)
    return [_record(row) for row in tx.execute(query.order_by(event.c.id.desc()).limit(limit)).mappings()]


def history(tx: Tx, limit: int = 100) -> list[Event]:
    """All events, open or not, the latest first."""
    return [_record(row) for row in tx.execute(_events().order_by(event.c.id.desc()).limit(limit)).mappings()]


def closed(tx: Tx, since: datetime, limit: int = 100) -> list[Event]:
    """What was closed at or after that time, the latest first."""
    query = _events().where(event.c.closed_at >= since).order_by(event.c.closed_at.desc(), event.c.id.desc())
    return [_record(row) for row in tx.execute(query.limit(limit)).mappings()]


def counts(tx: Tx) -> dict[str, int]:
    """How many of each kind are open."""
    query = select(event.c.kind, func.count()).where(event.c.closed_at.is_(None)).group_by(event.c.kind)
    return {row[0]: row[1] for row in tx.execute(query)}


def _open(kind: EventKind, source_id: int | None) -> Sequence[Any]:
    return (event.c.kind == kind, event.c.source_id.is_not_distinct_from(source_id), event.c.closed_at.is_(None))


def _events() -> Select[Any]:
    return select(event, source.c.name).join(source, source.c.id == event.c.source_id, isouter=True)


def _record(row: RowMapping) -> Event:
    plain = {name: row[name] for name in Event.__slots__ if name not in ("kind", "source")}
    return Event(kind=EventKind(row["kind"]), source=row["name"], **plain)
