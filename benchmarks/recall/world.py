"""The simulated publishers: when each article appears, what the feed holds, and when the server fails or lies."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
BEFORE, AFTER = 2 * WEEK, 3 * DAY
"""Articles are published that long before and after the simulated time, so that no feed begins or ends empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """One source. Times are seconds since Monday 00:00 UTC of the first week."""

    name: str
    items: tuple[float, ...]
    """Publication times, ascending."""
    window: int
    """Entries that the feed holds."""
    dated: bool
    """Whether its entries have dates."""
    hint_s: float
    """What ttl or Cache-Control say; 0 for nothing."""
    validators: bool
    """Whether it answers conditional requests with 304."""
    lies_s: float
    """For how long it says 304 to a known validator although there is news; infinite for ever, 0 for an honest one."""
    down: tuple[tuple[float, float, str], ...]
    """From when to when its server fails, and how."""

    def shown(self, at: float) -> int:
        """How many items were published up to then; the feed holds the last `window` of them."""
        return bisect_right(self.items, at)

    def failure(self, at: float) -> str | None:
        """How the server fails at that time, if it does."""
        return next((code for begin, end, code in self.down if begin <= at < end), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All publishers, and the outage of our own network."""

    publishers: tuple[Publisher, ...]
    offline: tuple[float, float]
    weeks: int


def make_world(seed: int, *, sources: int, weeks: int) -> World:
    """A world by a seed: the same at each run and on each machine."""
    rng = random.Random(seed)
    begin = (weeks - 1) * WEEK + rng.uniform(0, 6.9 * DAY)
    made = tuple(_publisher(random.Random(f"{seed}-{n}"), f"source-{seed}-{n}", weeks) for n in range(sources))
    return World(publishers=made, offline=(begin, begin + 40 * 60), weeks=weeks)


def _publisher(rng: random.Random, name: str, weeks: int) -> Publisher:
    daily = min(max(rng.lognormvariate(math.log(14), 1.2), 0.5), 500.0)
    hourly = _habits(rng, daily)
    bursts = _bursts(rng, weeks)
    down = _outages(rng, weeks)
    silent = [span[:2] for span in down if rng.random() < 0.5]  # the newsroom's own system is down as well
    items = [at for at in _items(rng, hourly, bursts, weeks) if not any(a <= at < b for a, b in silent)]
    held = round(math.exp(rng.uniform(math.log(10), math.log(100))))
    least = min(100, math.ceil(0.7 * max(hourly)))  # a publisher whose feed turns over in minutes lengthens it
    validators = rng.random() < 0.7
    lies = rng.choice([math.inf, 12 * HOUR]) if validators and rng.random() < 0.03 else 0.0
    return Publisher(
        name=name,
        items=tuple(items),
        window=max(held, least),
        dated=rng.random() < 0.85,
        hint_s=rng.choice([0.0, 0.0, 0.0, 300.0, 900.0, 3600.0, 3600.0, 6 * HOUR]),
        validators=validators,
        lies_s=lies,
        down=down,
    )


def _habits(rng: random.Random, daily: float) -> list[float]:
    """Articles per hour, for each hour of the week: round the clock, with a silent night, or in batches."""
    kind = rng.choices(["wire", "newsroom", "office", "batch"], [0.15, 0.55, 0.2, 0.1])[0]
    zone, weekend = rng.randrange(24), rng.uniform(0.25, 1.0)
    batches = {rng.randrange(24) for _ in range(3)}
    shape = []
    for hour in range(168):
        local = (hour + zone) % 24
        free = weekend if ((hour + zone) // 24) % 7 >= 5 else 1.0
        if kind == "wire":
            weight = 0.6 + 0.4 * math.sin(math.pi * local / 24)
        elif kind == "batch":
            weight = 1.0 if local in batches else 0.02
        else:
            opens, closes, night = (6, 23, 0.04) if kind == "newsroom" else (8, 18, 0.0)
            morning = 1.6 if local in (7, 8, 9, 17, 18) else 1.0
            weight = morning if opens <= local < closes else night
        shape.append(weight * free)
    return [daily * 7 * weight / sum(shape) for weight in shape]


def _bursts(rng: random.Random, weeks: int) -> list[tuple[float, float, float]]:
    """Breaking news: from when to when, and how many times as many articles."""
    found, at = [], -BEFORE
    while (at := at + rng.expovariate(1 / (5 * DAY))) < weeks * WEEK + AFTER:
        found.append((at, at + rng.uniform(1, 3) * HOUR, rng.uniform(2, 4)))
    return found


def _outages(rng: random.Random, weeks: int) -> tuple[tuple[float, float, str], ...]:
    """Each source fails once in four weeks for a time, and one in fifty for a day or two."""
    found = []
    for week in range(weeks):
        if rng.random() < 0.25:
            begin = (week + rng.random()) * WEEK
            length = min(rng.lognormvariate(math.log(30 * 60), 1.0), 3 * HOUR)
            found.append((begin, begin + length, rng.choice(["timeout", "http_503", "http_500", "http_404"])))
    return tuple(found)


def _items(
    rng: random.Random, hourly: list[float], bursts: list[tuple[float, float, float]], weeks: int
) -> list[float]:
    """An inhomogeneous Poisson process by thinning (Lewis and Shedler 1979)."""
    top = max(hourly) * 4 / HOUR
    found, at = [], -BEFORE
    while (at := at + rng.expovariate(top)) < weeks * WEEK + AFTER:
        rate = hourly[int(at // HOUR) % 168] / HOUR
        rate *= next((factor for begin, end, factor in bursts if begin <= at < end), 1.0)
        if rng.random() < rate / top:
            found.append(at)
    return found
