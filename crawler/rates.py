"""How many new items a source brings at each hour of the week, learned poll by poll, and how long it may be left alone.

Arithmetic only. Hours of the week are counted in UTC from Monday 00:00: a clock change shifts a source's habits by one
bucket, and old weeks fade, so it is learned anew within days.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from storage.records import Record

WEEK_H = 168
FADE = 0.75
"""What an hour of the week keeps of its earlier weeks each time it comes round: five weeks ago weighs a quarter."""
FRESHNESS = 0.5
"""Polls an hour of a source with one item an hour. One with four gets twice as many: for a given number of polls,
the mean delay of all articles is least where each source gets a share by the square root of its rate."""
SURE = 4.0
"""Standard deviations by which the items of one wait may pass what is expected without any being lost."""
LOW, HIGH = 1 / 3, 2 / 3
"""Share of a feed's entries that may be new at the next poll: HIGH of a large and steady feed, LOW of a small one."""
DAY_SEEN_H = 24.0
"""Hours that must have been watched before a forecast is trusted: each hour of the day once."""

_SHRINK_H = 2.0
"""Hours of evidence from the same hour of other days that a bucket starts with."""
_PULSE_HALF_H = 2.0
"""After how many hours half of a burst is over."""
_PULSE_PRIOR = 3.0
_CENSORED = 1.5
"""Where no entry was known before, more had come than can be counted: taken for this many times as many."""
_CAUTION = 2.0
"""While less than a week is known, so much more than foretold may come: a Monday after a Sunday."""
_LONGEST = timedelta(weeks=4)
_SPREADS = 1.0, 12.0
_SURELY_QUIET = 9.2
"""A source is silent against its habits when so many items were to be expected: one chance in ten thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates(Record):
    """What is known of a source's habits. `items` and `hours` have 168 numbers each: items seen, and time watched."""

    items: tuple[float, ...] = (0.0,) * WEEK_H
    hours: tuple[float, ...] = (0.0,) * WEEK_H
    window: float = 0.0
    """Entries in a full listing: more than that between two polls, and some are lost."""
    spread: float = 2.0
    """Variance of the items between two polls over their mean: 1 where they come singly, more where in bursts."""
    pulse: float = 1.0
    """How many times as many items as usual came of late, at `learned_at`."""
    learned_at: datetime | None = None
    """Up to when the counts are complete."""
    fresh_at: datetime | None = None
    """When a poll last brought something new."""
    missing: float = 0.0
    """Items that were to be expected from then to `learned_at`, by what was known at each poll that brought none."""

    @property
    def ready(self) -> bool:
        """Whether enough was seen to forecast."""
        return self.learned_at is not None and sum(self.hours) >= DAY_SEEN_H


def learn(rates: Rates, *, until: datetime, entries: int, new: int, dates: Sequence[datetime] = ()) -> Rates:
    """What is known after a poll that read the whole listing.

    `entries` are in it, `new` of them for the first time; `dates` are publication times of entries, where they have
    any. New items count at their dates, others evenly over the time since the last full reading. The first reading
    counts if most of its entries are dated.
    """
    since = rates.learned_at
    started = since or _first_date(dates, entries, until)
    window = float(entries) if entries else rates.window
    if started is None or started >= until:
        return replace(rates, window=window, learned_at=until, fresh_at=rates.fresh_at or until)
    started = max(started, until - _LONGEST)
    dated = sorted(date for date in dates if started < date <= until)
    count = float(len(dated) if since is None else new)
    if since is not None and 0 < entries <= new:
        count *= _CENSORED
    items, hours = _counted(rates, started, until, count, dated)
    known = replace(rates, items=items, hours=hours, window=window, learned_at=until)
    fresh = until if new or rates.fresh_at is None else rates.fresh_at
    if since is None:
        return replace(known, fresh_at=fresh)
    mean = expected(rates, since, until)
    pulse, spread = _surprise(rates, count, mean)
    missing = 0.0 if new else rates.missing + mean
    return replace(known, fresh_at=fresh, pulse=pulse, spread=spread, missing=missing)


def forecast(rates: Rates) -> tuple[float, ...]:
    """Items per hour to be expected in each hour of the week.

    An hour that was hardly seen borrows from the same hour of other days, and that from the whole week.
    """
    overall = (sum(rates.items) + 0.1) / (sum(rates.hours) + 1.0)
    daily = []
    for hour in range(24):
        seen, watched = sum(rates.items[hour::24]), sum(rates.hours[hour::24])
        daily.append((seen + overall) / (watched + 1.0))
    return tuple((rates.items[at] + _SHRINK_H * daily[at % 24]) / (rates.hours[at] + _SHRINK_H) for at in range(WEEK_H))


def expected(rates: Rates, since: datetime, until: datetime) -> float:
    """Items to be expected between two times, bursts aside."""
    weeks, rest = divmod(max(timedelta(0), until - since), timedelta(weeks=1))
    hourly = forecast(rates)
    whole = weeks * sum(hourly) if weeks else 0.0
    return whole + sum(hourly[at] * share for at, share, _ in _hours(until - rest, until))


def allowance(window: float, spread: float) -> float:
    """How many items may be expected before the next poll of a feed with that many entries.

    The most, from a third to two thirds of the feed, that leaves room for chance: m + SURE * sqrt(spread * m) = window.
    """
    noise = SURE * math.sqrt(spread)
    safe = ((math.sqrt(noise * noise + 4 * window) - noise) / 2) ** 2
    return min(max(safe, LOW * window), HIGH * window)


def wait_s(rates: Rates, now: datetime, *, min_s: float, max_s: float) -> float:
    """Seconds until the next poll: until `allowance` is used up, or until it is worth a look.

    The latter counts looks, by the root of the rate.
    """
    room, worth = _bounds(rates, now, max_s)
    return min(max(min(room, worth), min_s), max_s)


def room_s(rates: Rates, now: datetime, *, max_s: float) -> float:
    """Seconds for which a feed can be left alone without losing an article, even if thrice as many come."""
    return _bounds(rates, now, max_s, haste=3.0)[0]


def _bounds(rates: Rates, now: datetime, max_s: float, haste: float = 1.0) -> tuple[float, float]:
    """When the feed has used up its `allowance`, and when it is worth a look, both in seconds from now."""
    caution = 1 + _CAUTION * max(0.0, 1 - sum(rates.hours) / WEEK_H)
    hourly, room = forecast(rates), allowance(rates.window, rates.spread) / (haste * caution)
    items = looks = elapsed = 0.0
    full = worth = max_s
    for at, hours, _ in _hours(now, now + timedelta(seconds=max_s)):
        rate = hourly[at] * (1 + (rates.pulse - 1) * 0.5 ** (elapsed / _PULSE_HALF_H))
        density = FRESHNESS * math.sqrt(rate)
        if looks < 1 <= looks + density * hours:
            worth = (elapsed + (1 - looks) / density) * 3600
        if items + rate * hours >= room:
            full = (elapsed + max(0.0, room - items) / rate) * 3600 if rate > 0 else elapsed * 3600
            break
        items, looks, elapsed = items + rate * hours, looks + density * hours, elapsed + hours
    return full, worth


def silence(rates: Rates, now: datetime) -> float | None:
    """Items that should have come since the last one, if so many are missing that it cannot be chance; else None."""
    if not rates.ready or rates.fresh_at is None:
        return None
    missing = rates.missing + expected(rates, rates.learned_at or now, now)
    return missing if missing / rates.spread >= _SURELY_QUIET else None


def _first_date(dates: Sequence[datetime], entries: int, until: datetime) -> datetime | None:
    """From when on a first listing is complete: not from its very oldest entries, which may be pinned."""
    past = sorted(date for date in dates if date <= until)
    if len(past) < max(3, 0.6 * entries):
        return None
    return past[len(past) // 10]


def _counted(
    rates: Rates, since: datetime, until: datetime, count: float, dated: Sequence[datetime]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    items, hours, hourly = list(rates.items), list(rates.hours), forecast(rates)
    shares: list[tuple[int, float]] = []
    for at, share, entered in _hours(since, until):
        if entered:
            items[at] *= FADE
            hours[at] *= FADE
        hours[at] += share
        shares.append((at, share * hourly[at]))
    sure = list(dated[-math.ceil(count) :]) if count else []
    for date in sure:
        items[_bucket(date)] += 1.0
    loose, weight = count - len(sure), sum(share for _, share in shares)
    if loose > 0 and weight > 0:
        for at, share in shares:
            items[at] += loose * share / weight
    return tuple(items), tuple(hours)


def _surprise(rates: Rates, count: float, mean: float) -> tuple[float, float]:
    """Whether the source is in a burst now, and how bursty it is."""
    pulse = min(max((count + _PULSE_PRIOR) / (mean + _PULSE_PRIOR), 1.0), 20.0)
    if mean < 0.5:
        return pulse, rates.spread
    seen = min((count - mean) ** 2 / mean, 4 * _SPREADS[1] if count else _SPREADS[0])  # silence is no burst
    return pulse, min(max(0.95 * rates.spread + 0.05 * seen, _SPREADS[0]), _SPREADS[1])


def _hours(since: datetime, until: datetime) -> Iterator[tuple[int, float, bool]]:
    """The hours of the week that a time touches: which, how much of it, and whether its beginning is in it."""
    begin = since.replace(minute=0, second=0, microsecond=0)
    at, offset = _bucket(since), (since - begin).total_seconds() / 3600
    left = (until - since).total_seconds() / 3600
    while left > 0:
        share = min(1.0 - offset, left)
        yield at, share, offset == 0.0
        left, offset, at = left - share, 0.0, (at + 1) % WEEK_H


def _bucket(moment: datetime) -> int:
    return moment.weekday() * 24 + moment.hour
