"""Readers of the change feed that the store keeps a place for: each goes on where it stopped, wherever it runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from storage import changes
from storage.database import Tx, insert
from storage.errors import NotFound, StoreBusy, UsageError
from storage.reader_tables import consumer
from storage.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer(Record):
    """A reader and how far it has come."""

    name: str
    seq: int
    """The number of the last row that it is done with."""
    lag: int
    """How many numbers the feed is ahead of it."""
    at: datetime
    """When it last went on."""


def add(tx: Tx, name: str, now: datetime, *, since: int = 0) -> None:
    """Keep a place for a new reader. Raises UsageError where the name is taken."""
    made = insert(tx, consumer).values(name=name, seq=since, at=now).on_conflict_do_nothing()
    if tx.execute(made.returning(consumer.c.name)).first() is None:
        raise UsageError(f"there is a consumer called {name!r} already")


def place(tx: Tx, name: str) -> int:
    """How far a reader has come. Raises NotFound."""
    found = tx.execute(select(consumer.c.seq).where(consumer.c.name == name)).scalar()
    if found is None:
        raise NotFound(f"there is no consumer {name!r}; 'copydesk consumers list' shows them")
    return int(found)


def advance(tx: Tx, name: str, old: int, new: int, now: datetime) -> None:
    """Move a reader from `old` to `new`. Raises StoreBusy if another process has moved it meanwhile."""
    moved = update(consumer).where(consumer.c.name == name, consumer.c.seq == old).values(seq=new, at=now)
    if not tx.execute(moved).rowcount:
        raise StoreBusy(f"consumer {name!r} is no more at {old}: another process reads for it too")


def reset(tx: Tx, name: str, seq: int, now: datetime) -> None:
    """Put a reader anywhere, to read again or to skip. Raises NotFound, and UsageError beyond the feed's end."""
    if not 0 <= seq <= changes.last(tx):
        raise UsageError(f"{seq} is not within the change feed; its last row is {changes.last(tx)}")
    if not tx.execute(update(consumer).where(consumer.c.name == name).values(seq=seq, at=now)).rowcount:
        place(tx, name)


def remove(tx: Tx, name: str) -> None:
    """Forget a reader. Raises NotFound."""
    if not tx.execute(delete(consumer).where(consumer.c.name == name)).rowcount:
        place(tx, name)


def listed(tx: Tx) -> list[Consumer]:
    """All readers by name."""
    end = changes.last(tx)
    rows = tx.execute(select(consumer).order_by(consumer.c.name)).mappings()
    return [Consumer(name=row["name"], seq=row["seq"], lag=max(0, end - row["seq"]), at=row["at"]) for row in rows]
