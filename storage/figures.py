"""Figures for operators: what happened by the hour, what waits, and whether the work makes progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, literal, select

from storage.database import Tx, insert
from storage.reader_tables import hourly
from storage.records import PageState, Record
from storage.tables import page, poll, quarantine, source

HOUR = timedelta(hours=1)
_KEPT = timedelta(days=400)
_FIRST_LOOK = timedelta(days=2)
"""How far back the first count goes."""
_CAP = 100_000
"""Where counting what waits ends: more is simply many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour(Record):
    """How often an outcome came in an hour."""

    hour: datetime
    what: str
    """`page`: its disposition. `poll`: how it ended."""
    outcome: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Record):
    """When work was last done, and since when some waits; None where there is none."""

    page_done_at: datetime | None
    """When a page last got its disposition."""
    page_waits_since: datetime | None
    """When the page was fetched that has waited longest to be processed."""
    poll_done_at: datetime | None
    source_due_since: datetime | None
    """Since when the source is due that has waited longest for its poll."""

    def stalls(self, now: datetime, patience: timedelta) -> list[str]:
        """What does not go on although it could: a worker that lives and does nothing is told by this."""
        found = []
        if _stuck(self.page_waits_since, self.page_done_at, now, patience):
            found.append(f"pages wait to be processed since {self.page_waits_since:%H:%M}, and none has been done")
        if _stuck(self.source_due_since, self.poll_done_at, now, patience):
            found.append(f"sources are due since {self.source_due_since:%H:%M}, and none has been polled")
        return found


def roll(tx: Tx, now: datetime) -> int:
    """Count the whole hours that are not counted yet; returns how many hours. Old counts go."""
    last = tx.execute(select(func.max(hourly.c.hour))).scalar()
    begin = last + HOUR if last else _hour(now - _FIRST_LOOK)
    hours = list(_hours(begin, _hour(now)))
    for start in hours:
        rows = [vars_of(one) for one in _counted(tx, start, start + HOUR)]
        # an hour without anything is marked as counted, too
        rows = rows or [{"hour": start, "what": "none", "outcome": "", "count": 0}]
        tx.execute(insert(tx, hourly).values(rows).on_conflict_do_nothing())
    tx.execute(delete(hourly).where(hourly.c.hour < now - _KEPT))
    return len(hours)


def roll_due(tx: Tx, now: datetime) -> bool:
    """Whether a whole hour is not counted yet."""
    last = tx.execute(select(func.max(hourly.c.hour))).scalar()
    return last is None or last + HOUR < _hour(now)


def by_hour(tx: Tx, now: datetime, hours: int = 48) -> list[Hour]:
    """What happened in the last hours, with the present one so far; hours not counted yet are counted as they are."""
    since = _hour(now) - hours * HOUR
    query = select(hourly).where(hourly.c.hour > since, hourly.c.what != "none").order_by(hourly.c.hour)
    kept = [Hour(**row) for row in tx.execute(query).mappings()]
    last = tx.execute(select(func.max(hourly.c.hour))).scalar()
    begin = max(last + HOUR if last else since + HOUR, since + HOUR)
    fresh = [one for start in _hours(begin, _hour(now) + HOUR) for one in _counted(tx, start, start + HOUR)]
    return kept + fresh


def waiting(tx: Tx) -> dict[str, int]:
    """How many pages wait to be fetched, to be processed, and in quarantine; counting ends at 100,000."""
    queries = {
        "to_fetch": select(literal(1)).where(page.c.state == PageState.DISCOVERED.value),
        "to_process": select(literal(1)).where(page.c.state == PageState.FETCHED.value),
        "quarantined": select(literal(1)).select_from(quarantine),
    }
    return {name: _capped(tx, query) for name, query in queries.items()}


def progress(tx: Tx) -> Progress:
    """Where the work stands."""
    alive = (source.c.paused.is_(False), source.c.removed_at.is_(None))
    queries: dict[str, Select[Any]] = {
        "page_done_at": select(func.max(page.c.done_at)),
        "page_waits_since": select(func.min(page.c.fetched_at)).where(page.c.state == PageState.FETCHED.value),
        "poll_done_at": select(func.max(poll.c.finished_at)),
        "source_due_since": select(func.min(source.c.next_at)).where(*alive),
    }
    return Progress(**{name: tx.execute(query).scalar() for name, query in queries.items()})


def vars_of(one: Hour) -> dict[str, Any]:
    """An hour as the values of its row."""
    return {"hour": one.hour, "what": one.what, "outcome": one.outcome, "count": one.count}


def _counted(tx: Tx, start: datetime, end: datetime) -> Sequence[Hour]:
    pages = select(page.c.disposition, func.count()).where(page.c.done_at >= start, page.c.done_at < end)
    polls = select(poll.c.outcome, func.count()).where(poll.c.finished_at >= start, poll.c.finished_at < end)
    found = []
    for what, query in (("page", pages.group_by(page.c.disposition)), ("poll", polls.group_by(poll.c.outcome))):
        rows = tx.execute(query).all()
        found += [Hour(hour=start, what=what, outcome=row[0] or "unknown", count=int(row[1])) for row in rows]
    return found


def _capped(tx: Tx, query: Select[Any]) -> int:
    return int(tx.execute(select(func.count()).select_from(query.limit(_CAP).subquery())).scalar_one())


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _hours(begin: datetime, end: datetime) -> Sequence[datetime]:
    count = max(0, int((end - begin) / HOUR))
    return [begin + step * HOUR for step in range(count)]


def _stuck(since: datetime | None, done: datetime | None, now: datetime, patience: timedelta) -> bool:
    return since is not None and now - since > patience and (done is None or now - done > patience)
