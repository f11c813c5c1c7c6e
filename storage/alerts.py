"""Conditions that operators are told of: once when they begin, once when they are over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, delete, select, update

from storage.database import Tx, insert
from storage.reader_tables import alert
from storage.records import Record
from storage.tables import horizon

EVERY = timedelta(minutes=1)
_ROUND = "watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Record):
    """A condition that holds."""

    condition: str
    """What it is and of whom: `quiet:harbour`."""
    message: str
    since: datetime
    told_at: datetime | None
    """When somebody was told; None while nobody was."""


def sync(tx: Tx, conditions: Mapping[str, str], now: datetime) -> list[Alert]:
    """Keep what holds now, with its message; returns those that were told and hold no more, which are forgotten."""
    known = {one.condition: one for one in listed(tx)}
    over = [one for name, one in known.items() if name not in conditions]
    for one in over:
        tx.execute(delete(alert).where(alert.c.condition == one.condition))
    for name, message in conditions.items():
        made = insert(tx, alert).values(condition=name, message=message, since=now)
        tx.execute(made.on_conflict_do_update(index_elements=[alert.c.condition], set_={"message": message}))
    return [one for one in over if one.told_at is not None]


def untold(tx: Tx) -> list[Alert]:
    """Those that nobody was told of, oldest first."""
    query = select(alert).where(alert.c.told_at.is_(None)).order_by(alert.c.since, alert.c.condition)
    return [_alert(row) for row in tx.execute(query).mappings()]


def told(tx: Tx, conditions: Iterable[str], now: datetime) -> None:
    """Somebody was told of these."""
    tx.execute(update(alert).where(alert.c.condition.in_(list(conditions))).values(told_at=now))


def listed(tx: Tx) -> list[Alert]:
    """All conditions that hold, oldest first."""
    query = select(alert).order_by(alert.c.since, alert.c.condition)
    return [_alert(row) for row in tx.execute(query).mappings()]


def round_due(tx: Tx, now: datetime) -> bool:
    """Whether the last look at everything was a minute ago."""
    last = tx.execute(select(horizon.c.at).where(horizon.c.name == _ROUND)).scalar()
    return last is None or now - last >= EVERY


def begin_round(tx: Tx, now: datetime) -> None:
    """A look at everything begins."""
    made = insert(tx, horizon).values(name=_ROUND, at=now)
    tx.execute(made.on_conflict_do_update(index_elements=[horizon.c.name], set_={"at": now}))


def _alert(row: RowMapping) -> Alert:
    return Alert(condition=row["condition"], message=row["message"], since=row["since"], told_at=row["told_at"])
