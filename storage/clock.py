"""Setting right what was written while a clock ran ahead: or all of it would wait until that time has really come."""

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update

from storage import sites
from storage.database import Tx
from storage.records import PageState
from storage.tables import horizon, page, poll, site, source

MARGIN = timedelta(minutes=5)
"""The clocks of two hosts may differ by that much."""


def ran_ahead(tx: Tx, now: datetime) -> bool:
    """Whether something was done later than it is now: the clock was set back since then."""
    newest = (select(func.max(poll.c.finished_at)), select(func.max(horizon.c.at)))
    return any((tx.execute(query).scalar() or now) > now + MARGIN for query in newest)


def set_right(tx: Tx, now: datetime, *, lease: timedelta) -> int:
    """Take the times of what cannot have been yet as now; returns how many rows were changed.

    A source's next poll keeps its distance from the last one, so that they do not all come at once. A lease is cut to
    `lease`: its holder, where it lives, renews it before. Twice at the same instant changes nothing the second time.
    """
    after = now + MARGIN
    changed, touched = _sources(tx, now, after)
    waiting = and_(page.c.state == PageState.DISCOVERED, page.c.next_at > after, page.c.discovered_at > after)
    touched |= set(tx.execute(select(page.c.site).where(waiting).distinct()).scalars())
    fetched = page.c.state == PageState.FETCHED
    told = and_(fetched, page.c.announced_at > after, page.c.attempts == 0)  # of a failed page it is the end of a rest
    clamps = (
        update(page).where(waiting).values(next_at=now, discovered_at=now),
        update(page).where(fetched, page.c.fetched_at > after).values(fetched_at=now),
        update(page).where(told).values(announced_at=None),
        update(site).where(site.c.lease_until > now + lease + MARGIN).values(lease_until=now + lease),
        update(poll).where(poll.c.finished_at > after).values(started_at=now, finished_at=now),
        update(horizon).where(horizon.c.at > after).values(at=now),
    )
    changed += sum(tx.execute(clamp).rowcount for clamp in clamps)
    sites.refresh(tx, touched)
    return changed


def _sources(tx: Tx, now: datetime, after: datetime) -> tuple[int, set[str]]:
    """Move the sources that were polled, or added, in a time that has not come; returns how many, and their sites."""
    rows = tx.execute(select(source).where(or_(source.c.last_poll_at > after, source.c.added_at > after))).all()
    for row in rows:
        last = row.last_poll_at or row.added_at
        values = {name: _past(getattr(row, name), now) for name in ("added_at", "last_poll_at", "last_success_at")}
        values["next_at"] = now + max(row.next_at - last, timedelta()) if row.next_at else None
        tx.execute(update(source).where(source.c.id == row.id).values(**values))
    return len(rows), {row.site for row in rows}


def _past(at: datetime | None, now: datetime) -> datetime | None:
    return min(at, now) if at else None
