"""WebSub subscriptions as rows: which hub pushes for which source, until when, and whether it does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, update

from storage.database import Tx, insert
from storage.records import Record
from storage.tables import subscription

ASKED, ACTIVE, DENIED = "asked", "active", "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Record):
    """One source's subscription."""

    source_id: int
    token: str
    """The last part of the callback's address: known to the hub only."""
    secret: str
    """What deliveries are signed with."""
    hub: str
    topic: str
    state: str
    """`asked`, `active` or `denied`."""
    asked_at: datetime
    verified_at: datetime | None
    lease_until: datetime | None
    pushed_at: datetime | None
    """When the last delivery came."""
    refused: int
    """Deliveries whose signature was wrong."""
    failures: int
    """Requests to the hub in a row that failed."""


def of_source(tx: Tx, source_id: int) -> Subscription | None:
    """The subscription of a source."""
    row = tx.execute(select(subscription).where(subscription.c.source_id == source_id)).mappings().first()
    return _record(row) if row else None


def of_token(tx: Tx, token: str) -> Subscription | None:
    """The subscription whose callback ends in that token."""
    row = tx.execute(select(subscription).where(subscription.c.token == token)).mappings().first()
    return _record(row) if row else None


def ask(tx: Tx, source_id: int, *, hub: str, topic: str, token: str, secret: str, now: datetime) -> Subscription:
    """Note that a hub is about to be asked. A renewal keeps its token, secret, state and lease until it is verified."""
    values: dict[str, Any] = {"hub": hub, "topic": topic, "asked_at": now}
    old = of_source(tx, source_id)
    if old is not None and (old.hub, old.topic) == (hub, topic):
        tx.execute(update(subscription).where(subscription.c.source_id == source_id).values(**values))
    else:
        values |= {"token": token, "secret": secret, "state": ASKED, "verified_at": None, "lease_until": None}
        values |= {"pushed_at": None, "refused": 0, "failures": 0}
        statement = insert(tx, subscription).values(source_id=source_id, **values)
        tx.execute(statement.on_conflict_do_update(index_elements=["source_id"], set_=values))
    found = of_source(tx, source_id)
    assert found is not None
    return found


def change(tx: Tx, source_id: int, **values: Any) -> None:
    """Set columns of a subscription."""
    tx.execute(update(subscription).where(subscription.c.source_id == source_id).values(**values))


def _record(row: RowMapping) -> Subscription:
    return Subscription(**{name: row[name] for name in Subscription.__slots__})
