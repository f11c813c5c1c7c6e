"""Sites as rows: who may work on which, how politely, and when each next has work."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, and_, desc, func, or_, select, update

from storage.database import Tx, chunks, insert, skip_locked
from storage.records import Robots, Site
from storage.tables import page, robots, site, source


def ensure(tx: Tx, keys: Iterable[str], delay_s: float = 0.0) -> None:
    """See that these sites have rows."""
    rows = [{"key": key, "delay_s": delay_s, "failures": 0, "urgent": False} for key in sorted(set(keys))]
    for some in chunks(rows):
        tx.execute(insert(tx, site).on_conflict_do_nothing(), some)


def get(tx: Tx, key: str) -> Site | None:
    """The site of that key, if there is one."""
    row = tx.execute(select(site).where(site.c.key == key)).mappings().first()
    return _record(row) if row else None


def refresh(tx: Tx, keys: Collection[str], *, urgent: bool = False) -> None:
    """Work out anew when these sites next have work: the earliest of their due polls and waiting pages."""
    polls = select(func.min(source.c.next_at)).where(
        source.c.site == site.c.key, source.c.paused.is_(False), source.c.removed_at.is_(None)
    )
    pages = select(func.min(page.c.next_at)).where(page.c.site == site.c.key, page.c.state == "discovered")
    first, second = polls.scalar_subquery(), pages.scalar_subquery()
    earliest = func.coalesce(_least(tx, first, second), first, second)
    values: dict[str, Any] = {"due_at": earliest} | ({"urgent": True} if urgent else {})
    for some in chunks(sorted(keys)):
        tx.execute(update(site).where(site.c.key.in_(some)).values(**values))


def claim(tx: Tx, owner: str, now: datetime, *, lease: timedelta, limit: int, only: Collection[str] = ()) -> list[Site]:
    """Reserve up to `limit` sites that have work for `owner`: urgent ones first, then the most overdue.

    No two owners hold one site at one time; a lease that ran out may be taken over.
    """
    wanted = select(site.c.key).where(_free(now)).order_by(desc(site.c.urgent), site.c.due_at).limit(limit)
    if only:
        wanted = wanted.where(site.c.key.in_(only))
    chosen = skip_locked(wanted).cte("chosen")  # a CTE runs once; a subquery with LIMIT may run per row on PostgreSQL
    claimed = update(site).where(site.c.key.in_(select(chosen.c.key)))
    rows = tx.execute(claimed.values(lease_owner=owner, lease_until=now + lease, urgent=False).returning(site))
    return [_record(row) for row in rows.mappings()]


def claimable(tx: Tx, now: datetime) -> int:
    """How many sites have work that nobody has claimed."""
    return int(tx.execute(select(func.count()).select_from(site).where(_free(now))).scalar_one())


def held(tx: Tx, owner: str) -> list[Site]:
    """The sites that `owner` has reserved, by key."""
    query = select(site).where(site.c.lease_owner == owner).order_by(site.c.key)
    return [_record(row) for row in tx.execute(query).mappings()]


def renew(tx: Tx, owner: str, now: datetime, lease: timedelta) -> int:
    """Prolong all leases of a living owner; returns how many it still holds."""
    return tx.execute(update(site).where(site.c.lease_owner == owner).values(lease_until=now + lease)).rowcount


def release(tx: Tx, owner: str, keys: Collection[str]) -> None:
    """Give sites back and work out when they are due next."""
    for some in chunks(sorted(keys)):
        held = and_(site.c.key.in_(some), site.c.lease_owner == owner)
        tx.execute(update(site).where(held).values(lease_owner=None, lease_until=None))
    refresh(tx, keys)


def set_delay(tx: Tx, key: str, delay_s: float) -> None:
    """Remember the least time between two requests."""
    tx.execute(update(site).where(site.c.key == key).values(delay_s=delay_s))


def block(tx: Tx, key: str, until: datetime | None, failures: int) -> None:
    """Let nobody ask this site for anything before that time (Retry-After, back-off, host down)."""
    tx.execute(update(site).where(site.c.key == key).values(blocked_until=until, failures=failures))


def next_due(tx: Tx) -> datetime | None:
    """When the next site has work, if any ever has."""
    return tx.execute(select(func.min(site.c.due_at))).scalar()


def stale_leases(tx: Tx, before: datetime) -> list[Site]:
    """Sites whose lease ran out before that time and was never given back."""
    query = select(site).where(site.c.lease_until < before).order_by(site.c.key)
    return [_record(row) for row in tx.execute(query).mappings()]


def robots_of(tx: Tx, origins: Collection[str]) -> dict[str, Robots]:
    """The robots.txt files that are known of these origins."""
    query = select(robots).where(robots.c.origin.in_(origins))
    return {row["origin"]: Robots(**row) for row in tx.execute(query).mappings()}


def keep_robots(tx: Tx, found: Robots) -> None:
    """Remember a robots.txt in place of an older one."""
    values = {name: getattr(found, name) for name in Robots.__slots__}
    statement = insert(tx, robots).values(**values)
    tx.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))


def _free(now: datetime) -> Any:
    return and_(
        site.c.due_at <= now,
        or_(site.c.lease_until.is_(None), site.c.lease_until < now),
        or_(site.c.blocked_until.is_(None), site.c.blocked_until <= now),
    )


def _least(tx: Tx, first: Any, second: Any) -> Any:
    # SQLite's min() of two is null when one is; PostgreSQL's LEAST skips nulls. coalesce() above makes them agree
    return func.least(first, second) if tx.dialect.name == "postgresql" else func.min(first, second)


def _record(row: RowMapping) -> Site:
    return Site(**{name: row[name] for name in Site.__slots__})
