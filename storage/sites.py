"""Sites as rows: who may work on which, how politely, and when each next has work."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, and_, case, func, literal, or_, select, update

from storage.columns import Utc
from storage.database import Tx, chunks, insert, skip_locked
from storage.records import PageState, Robots, Site
from storage.tables import page, robots, site, source

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


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
    """Work out anew when these sites next have work: the earliest of their due polls, waiting pages and rechecks."""
    polls = select(func.min(source.c.next_at)).where(
        source.c.site == site.c.key, source.c.paused.is_(False), source.c.removed_at.is_(None)
    )
    waits = select(func.min(page.c.next_at)).where(page.c.site == site.c.key, page.c.state == "discovered")
    looks = select(func.min(page.c.recheck_at)).where(
        page.c.site == site.c.key, page.c.state == "done", page.c.recheck_at.is_not(None)
    )
    never = literal(_NEVER, Utc)
    times = [func.coalesce(query.scalar_subquery(), never) for query in (polls, waits, looks)]
    earliest = func.nullif(_least(tx, *times), never)
    values: dict[str, Any] = {"due_at": earliest} | ({"urgent": True} if urgent else {})
    for some in chunks(sorted(keys)):
        tx.execute(update(site).where(site.c.key.in_(some)).values(**values))


def claim(tx: Tx, owner: str, now: datetime, *, lease: timedelta, limit: int, only: Collection[str] = ()) -> list[Site]:
    """Reserve up to `limit` sites that have work for `owner`: urgent ones first, then the most overdue.

    No two owners hold one site at one time. A lease that ran out is taken over half a lease after it was first found
    so: perhaps only our clock was set forward, or is ahead of its holder's, who lives and renews it meanwhile.
    """
    claimed: list[Site] = []
    for urgent in (True, False):  # two ranges of one index: sorted by both columns, all that is due would be read
        wanted = select(site.c.key).where(site.c.urgent.is_(urgent), _free(now)).order_by(site.c.due_at)
        wanted = wanted.where(site.c.key.in_(only)) if only else wanted
        found = True
        while found and len(claimed) < limit:  # again where some were put in doubt only
            # a CTE runs once; a subquery with LIMIT may run per row on PostgreSQL
            chosen = skip_locked(wanted.limit(limit - len(claimed))).cte("chosen")
            taken = _take(owner, now, lease, urgent=False).where(site.c.key.in_(select(chosen.c.key)))
            rows = tx.execute(taken).mappings().all()
            claimed += [_record(row) for row in rows if not row["lease_doubted"]]
            found = any(row["lease_doubted"] for row in rows)
    return claimed


def borrow(tx: Tx, owner: str, key: str, now: datetime, *, lease: timedelta) -> Site | None:
    """Reserve one site for a request or two, whether it has work or not; None while another works on it or it rests."""
    ensure(tx, [key])
    row = tx.execute(_take(owner, now, lease).where(site.c.key == key, *_at_liberty(now)))
    found = row.mappings().first()
    return _record(found) if found and not found["lease_doubted"] else None


def claimable(tx: Tx, now: datetime, most: int = 100_000) -> int:
    """How many sites have work that nobody has claimed; counted up to `most`."""
    some = select(site.c.key).where(site.c.urgent.in_((True, False)), _free(now)).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def held(tx: Tx, owner: str) -> list[Site]:
    """The sites that `owner` has reserved, by key."""
    query = select(site).where(site.c.lease_owner == owner).order_by(site.c.key)
    return [_record(row) for row in tx.execute(query).mappings()]


def leased(tx: Tx, keys: Collection[str], now: datetime) -> set[str]:
    """Those of the sites that somebody works on."""
    found: set[str] = set()
    for some in chunks(sorted(keys)):
        query = select(site.c.key).where(site.c.key.in_(some), or_(site.c.lease_until >= now, _undoubted()))
        found.update(tx.execute(query).scalars())
    return found


def renew(tx: Tx, owner: str, now: datetime, lease: timedelta) -> int:
    """Prolong all leases of a living owner; returns how many it still holds."""
    values = {"lease_until": now + lease, "lease_doubted": False}
    return tx.execute(update(site).where(site.c.lease_owner == owner).values(**values)).rowcount


def release(tx: Tx, owner: str, keys: Collection[str]) -> None:
    """Give sites back and work out when they are due next."""
    for some in chunks(sorted(keys)):
        held = and_(site.c.key.in_(some), site.c.lease_owner == owner)
        tx.execute(update(site).where(held).values(lease_owner=None, lease_until=None, lease_doubted=False))
    refresh(tx, keys)


def set_delay(tx: Tx, key: str, delay_s: float) -> None:
    """Remember the least time between two requests."""
    tx.execute(update(site).where(site.c.key == key).values(delay_s=delay_s))


def block(tx: Tx, key: str, until: datetime | None, failures: int, why: str | None = None) -> None:
    """Let nobody ask this site for anything before that time (Retry-After, back-off, host down), and say why."""
    values = {"blocked_until": until, "blocked_for": why if until else None, "failures": failures}
    tx.execute(update(site).where(site.c.key == key).values(**values))


def rest(tx: Tx, key: str, until: datetime, why: str) -> None:
    """Let a site rest at least until then, and say why; a longer block stays."""
    shorter = or_(site.c.blocked_until.is_(None), site.c.blocked_until < until)
    tx.execute(update(site).where(site.c.key == key, shorter).values(blocked_until=until, blocked_for=why))


def slow_down(tx: Tx, key: str, *, least_s: float, most_s: float) -> None:
    """Ask this site half as often from now on: it showed a block page to somebody who took it for an article."""
    doubled = case((site.c.delay_s > least_s, site.c.delay_s * 2), else_=2 * least_s)
    capped = case((doubled > most_s, most_s), else_=doubled)
    tx.execute(update(site).where(site.c.key == key).values(delay_s=capped))


def next_due(tx: Tx) -> datetime | None:
    """When the next site has work, if any ever has."""
    return tx.execute(select(func.min(site.c.due_at))).scalar()


def backlog(tx: Tx, key: str, most: int) -> int:
    """How many pages of a site wait to be fetched; counting ends at `most`."""
    found = select(page.c.id).where(page.c.site == key, page.c.state == PageState.DISCOVERED.value).limit(most)
    return int(tx.execute(select(func.count()).select_from(found.subquery())).scalar_one())


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


def _take(owner: str, now: datetime, lease: timedelta, **more: bool) -> Any:
    """Give sites at liberty to `owner`; a lease that ran out unnoticed so far stays its holder's for a moment more.

    A holder renews three times in a lease, by a clock that is never set (time.monotonic), so half a lease is enough.
    """
    gained = {"lease_owner": owner, "lease_until": now + lease, **more}
    kept = {name: site.c[name] for name in gained} | {"lease_until": literal(now + lease / 2, Utc)}
    doubt = _undoubted()
    values = {name: case((doubt, kept[name]), else_=literal(gained[name], site.c[name].type)) for name in gained}
    return update(site).values(**values, lease_doubted=doubt).returning(site)


def _undoubted() -> Any:
    return and_(site.c.lease_owner.is_not(None), site.c.lease_doubted.is_not(True))


def _free(now: datetime) -> Any:
    return and_(site.c.due_at <= now, *_at_liberty(now))


def _at_liberty(now: datetime) -> tuple[Any, Any]:
    return (
        or_(site.c.lease_until.is_(None), site.c.lease_until < now),
        or_(site.c.blocked_until.is_(None), site.c.blocked_until <= now),
    )


def _least(tx: Tx, *times: Any) -> Any:
    return func.least(*times) if tx.dialect.name == "postgresql" else func.min(*times)


def _record(row: RowMapping) -> Site:
    return Site(**{name: row[name] for name in Site.__slots__})
