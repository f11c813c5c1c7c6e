"""When a source is polled next: the arithmetic of learned intervals, back-off and slots.

The interval is steered so that two polls in a row share between a third and two thirds of their entries. Sharing some
proves that nothing was missed in between; sharing most is waste.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler import cron, rates
from crawler.rates import Rates
from crawler.retry import DAY_S, Fault, believed, fault
from storage.records import Record, Source

LOW, TARGET, HIGH = 1 / 3, 1 / 2, 2 / 3
"""Overlap between consecutive polls: below LOW poll faster, above HIGH slower, aiming at TARGET."""

FASTEST, SLOWEST = 1 / 4, 3 / 2
"""Most that one poll may shorten or lengthen the interval. Quick to speed up, since a missed article costs more."""

TOO_SOON = 0.8
"""A poll that found nothing new teaches nothing when it came earlier than this share of the interval."""

WEIGHTS = {Fault.OURS: 0.0, Fault.BRIEF: 0.25, Fault.SOFT: 0.5, Fault.LASTING: 1.0}
"""What one failed poll adds to the failure score."""

PROBE_ABOVE = 30.0
"""The failure score above which a source is only probed once a week. It is never given up: feeds come back."""

OUTAGE_RETRY_S = 60.0
"""How soon a source is tried again after an outage of our own."""

UNKNOWN_S = 1_800.0
"""Longest interval of a source whose day is not known yet: after its silent night comes a morning."""

WEEK_S = 7 * DAY_S
SPREAD_S = 60.0
"""Sources told to wait for the same moment come back over this many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Record):
    """What one poll of a source showed."""

    at: datetime
    outcome: str
    """`ok`, `not_modified`, or the code of the failure."""
    entries: int = 0
    """In the document."""
    new: int = 0
    """Of these, how many the source had not shown before."""
    ttl_s: float | None = None
    """How long the feed or its headers say that it stays as it is."""
    retry_after_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the source answered as it should."""
        return self.outcome in ("ok", "not_modified")

    @property
    def overlap(self) -> float:
        """Share of the entries that had been seen before; 1 when there is nothing new or nothing at all."""
        return 1 - min(self.new / self.entries, 1.0) if self.entries else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """What follows from a visit."""

    interval_s: int
    """The interval as learned or fixed, without the back-off and hints that apply to this once."""
    next_at: datetime
    failures: float
    gap: bool = False
    """No entry was known from the poll before: articles may have come and gone unseen."""


def next_visit(
    source: Source, visit: Visit, *, min_s: int, max_s: int, now: datetime, habits: Rates | None = None
) -> Plan:
    """When to poll a source next, given what it was before this visit and its habits as learned with it.

    A fixed interval or cron line wins over bounds and hints, but not over back-off and Retry-After. `min_s` and
    `max_s` bound a learned interval, in seconds. Until the habits of a whole day are known, the interval is steered by
    the overlap of two polls alone. Raises SourceError for a wrong cron line.
    """
    interval = source.config.interval_s or _interval(source, visit, min_s, max_s, now, habits)
    failures = 0.0 if visit.succeeded else source.failures + WEIGHTS[fault(visit.outcome)]
    wait = max(1.0, _wait(visit, interval, failures))
    if visit.succeeded and visit.ttl_s and not source.config.interval_s:
        wait = max(wait, min(visit.ttl_s, _safe(source, visit, max_s, now, habits), max_s))
    earliest = now + timedelta(seconds=_held_off(source.config.name, visit.retry_after_s))
    if source.config.cron:
        next_at = cron.next_run(source.config.cron, source.config.timezone, earliest)
    else:
        next_at = max(_slot(source, wait, now), earliest)
    return Plan(interval_s=round(interval), next_at=next_at, failures=failures, gap=_is_gap(source, visit))


def _interval(source: Source, visit: Visit, min_s: float, max_s: float, now: datetime, habits: Rates | None) -> float:
    if habits is None or not habits.ready:
        longest = max_s if habits is None else max(min_s, min(max_s, UNKNOWN_S))
        return _learned(source, visit, min_s, longest)
    if not visit.succeeded:
        return min(max(source.interval_s, min_s), max_s)
    return rates.wait_s(habits, now, min_s=min_s, max_s=max_s)


def _learned(source: Source, visit: Visit, min_s: float, max_s: float) -> float:
    interval = min(max(source.interval_s, min_s), max_s)
    if not visit.succeeded or source.last_success_at is None:
        return interval  # there is nothing to compare with
    ideal = _ideal(source, visit)
    if visit.overlap < LOW:
        interval = max(min(interval, ideal), interval * FASTEST)
    elif visit.overlap > HIGH and not (visit.new == 0 and _elapsed(source, visit) < TOO_SOON * interval):
        interval = min(max(interval, ideal), interval * SLOWEST)
    return min(max(interval, min_s), max_s)


def _ideal(source: Source, visit: Visit) -> float:
    """Seconds after which TARGET of the entries would still be known, at the rate seen since the last success."""
    fresh = 1 - visit.overlap
    return _elapsed(source, visit) * (1 - TARGET) / fresh if fresh else math.inf


def _elapsed(source: Source, visit: Visit) -> float:
    return (visit.at - source.last_success_at).total_seconds() if source.last_success_at else 0.0


def _safe(source: Source, visit: Visit, max_s: float, now: datetime, habits: Rates | None) -> float:
    """How far a hint that nothing changes before long is believed: only as far as it cannot cost an article."""
    if habits is None:
        return _ideal(source, visit)
    if not habits.ready:
        return min(_ideal(source, visit), UNKNOWN_S)
    return rates.room_s(habits, now, max_s=max_s)


def _wait(visit: Visit, interval: float, failures: float) -> float:
    """Seconds until the next poll, before hints, Retry-After and the grid of slots."""
    if not visit.succeeded and fault(visit.outcome) is Fault.OURS:
        return min(interval, OUTAGE_RETRY_S)  # what is due stays due; the schedule as a whole is paused meanwhile
    if failures > PROBE_ABOVE:
        return max(interval, WEEK_S)
    if not visit.succeeded:
        return max(interval, min(interval * failures, DAY_S))
    return interval


def _slot(source: Source, wait: float, now: datetime) -> datetime:
    """The next slot of the source: whole waits from the last one, so that a late poll shifts nothing.

    It is between half a wait and one and a half away, and exactly one if the poll was on time. Sources added together
    start on slots of their own, by a hash of the name: the same at each run, on each host.
    """
    last = source.next_at
    if last is None or source.last_poll_at is None:
        last = (now - timedelta(seconds=wait * _share(source.config.name))).replace(microsecond=0)
    behind = (now - last).total_seconds() + wait / 2
    return last + timedelta(seconds=wait * math.ceil(behind / wait))


def _held_off(name: str, retry_after_s: float | None) -> float:
    asked = believed(retry_after_s)
    return asked + SPREAD_S * _share(name) if asked else 0.0


def _is_gap(source: Source, visit: Visit) -> bool:
    return visit.outcome == "ok" and visit.entries > 0 and visit.overlap == 0 and source.last_success_at is not None


def _share(name: str) -> float:
    """A number from 0 up to 1 that is the name's own."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48
