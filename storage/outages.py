"""Outages of our own: what the last polls looked like, and taking back what failed polls cost their sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, select, update

from storage import events, sites
from storage.database import Tx
from storage.records import EventKind, Record
from storage.tables import poll, site, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Record):
    """One poll, as far as it tells of the network."""

    poll_id: int
    source_id: int
    site: str
    outcome: str
    at: datetime


def recent(tx: Tx, since: datetime, limit: int = 200) -> list[Try]:
    """The polls that ended since then, newest first."""
    newest = select(poll).order_by(poll.c.id.desc()).limit(limit).subquery()
    query = select(newest, source.c.site).join(source, source.c.id == newest.c.source_id)
    rows = tx.execute(query.where(newest.c.finished_at >= since).order_by(newest.c.id.desc()))
    return [
        Try(poll_id=row.id, source_id=row.source_id, site=row.site, outcome=row.outcome, at=row.finished_at)
        for row in rows
    ]


def ongoing(tx: Tx) -> bool:
    """Whether our own network is down, as far as is known."""
    return bool(events.current(tx, EventKind.OUTAGE, 1))


def forgive(tx: Tx, costs: Mapping[int, float], tries: list[Try], now: datetime, rest: timedelta) -> None:
    """Take failed polls back: their outcome becomes `offline`, and each source gets back what it cost by `costs`.

    The sources are tried again after `rest`, and so are their sites, which keep no block for it.
    """
    for one in tries:
        tx.execute(update(poll).where(poll.c.id == one.poll_id).values(outcome="offline"))
    for source_id, cost in costs.items():
        score = case((source.c.failures > cost, source.c.failures - cost), else_=0.0)
        tx.execute(
            update(source)
            .where(source.c.id == source_id, source.c.next_at.is_not(None))
            .values(failures=score, next_at=now + rest)
        )
    keys = {one.site for one in tries}
    fewer = case((site.c.failures > 0, site.c.failures - 1), else_=0)
    for key in sorted(keys):
        tx.execute(
            update(site).where(site.c.key == key, site.c.failures > 0).values(failures=fewer, blocked_until=now + rest)
        )
    sites.refresh(tx, keys)
