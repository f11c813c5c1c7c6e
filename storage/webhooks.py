"""Webhooks as rows: who is told, how far, and what stands in the way. Their place in the feed is a consumer's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, delete, or_, select, update

from storage import changes, consumers
from storage.database import Tx, insert
from storage.errors import NotFound, UsageError
from storage.reader_tables import consumer, webhook
from storage.records import Record

PARK_AFTER = timedelta(days=3)
"""A receiver that has taken nothing for so long is parked until somebody resumes it."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
_PREFIX = "webhook:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Record):
    """An address that is told of every change, in order."""

    name: str
    url: str
    secret_variable: str
    """The environment variable that holds what deliveries are signed with; the secret itself is not stored."""
    with_articles: bool
    """Whether each change carries the article's record."""
    seq: int
    """The last row of the change feed that was taken."""
    lag: int
    failures: int
    """Deliveries in a row that failed."""
    failing_since: datetime | None
    next_at: datetime | None
    """When it is tried again."""
    parked_at: datetime | None
    problem: str | None
    """Why the last delivery failed."""


def reader(name: str) -> str:
    """The name of a webhook's place among the consumers."""
    return f"{_PREFIX}{name}"


def add(
    tx: Tx, name: str, url: str, *, secret_variable: str, with_articles: bool, since: int | None, now: datetime
) -> None:
    """Tell an address of all that comes (`since`: and of what came after that row). Raises UsageError: name taken."""
    values = {"url": url, "secret_variable": secret_variable, "with_articles": with_articles, "added_at": now}
    made = insert(tx, webhook).values(name=name, failures=0, **values).on_conflict_do_nothing()
    if tx.execute(made.returning(webhook.c.name)).first() is None:
        raise UsageError(f"there is a webhook called {name!r} already")
    consumers.add(tx, reader(name), now, since=changes.last(tx) if since is None else since)


def remove(tx: Tx, name: str) -> None:
    """Tell an address no more. Raises NotFound."""
    if not tx.execute(delete(webhook).where(webhook.c.name == name)).rowcount:
        raise NotFound(f"there is no webhook {name!r}; 'copydesk webhooks list' shows them")
    consumers.remove(tx, reader(name))


def resume(tx: Tx, name: str) -> None:
    """Try again at once, also where it was parked. Raises NotFound."""
    fresh: dict[str, Any] = {"failures": 0, "failing_since": None, "next_at": None, "parked_at": None}
    if not tx.execute(update(webhook).where(webhook.c.name == name).values(**fresh)).rowcount:
        raise NotFound(f"there is no webhook {name!r}; 'copydesk webhooks list' shows them")


def listed(tx: Tx) -> list[Webhook]:
    """All webhooks by name."""
    end = changes.last(tx)
    return [_record(row, end) for row in tx.execute(_webhooks().order_by(webhook.c.name)).mappings()]


def due(tx: Tx, now: datetime) -> list[Webhook]:
    """Those that have something to be told now, those that were tried longest ago first."""
    end = changes.last(tx)
    ready = or_(webhook.c.next_at.is_(None), webhook.c.next_at <= now)
    query = _webhooks().where(webhook.c.parked_at.is_(None), ready, consumer.c.seq < end)
    return [_record(row, end) for row in tx.execute(query.order_by(consumer.c.at)).mappings()]


def taken(tx: Tx, one: Webhook, seq: int, now: datetime) -> None:
    """The receiver has taken all rows up to `seq`. Raises StoreBusy where another process delivers to it too."""
    consumers.advance(tx, reader(one.name), one.seq, seq, now)
    well: dict[str, Any] = {"failures": 0, "failing_since": None, "next_at": None, "problem": None}
    tx.execute(update(webhook).where(webhook.c.name == one.name).values(**well))


def failed(tx: Tx, one: Webhook, problem: str, now: datetime) -> None:
    """The receiver took nothing: it is tried again later and later, and parked when that goes on for too long."""
    since = one.failing_since or now
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(one.failures, 20))
    values = {"failures": one.failures + 1, "failing_since": since, "next_at": now + wait, "problem": problem}
    parked = now if now - since >= PARK_AFTER else None
    tx.execute(update(webhook).where(webhook.c.name == one.name).values(parked_at=parked, **values))


def _webhooks() -> Select[Any]:
    return select(webhook, consumer.c.seq).join(consumer, consumer.c.name == _PREFIX + webhook.c.name)


def _record(row: RowMapping, end: int) -> Webhook:
    known = {name: row[name] for name in Webhook.__slots__ if name != "lag"}
    return Webhook(lag=max(0, end - row["seq"]), **known)
