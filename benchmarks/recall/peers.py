"""The schedules of others, by their formulas as published; in minutes, as they count."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one poll showed, in the terms of the formulas."""

    at: float
    """Seconds since the beginning."""
    failure: str | None
    not_modified: bool
    entries: int
    new: int
    hint_s: float
    dates: tuple[float, ...] = ()
    """Publication times of the entries, where the feed gives them."""
    new_items: tuple[float, ...] = ()
    """Publication times of the new entries, for counting only."""


class Schedule(Protocol):
    """One source's schedule."""

    def conditional(self, at: float) -> bool:
        """Whether the next request carries validators."""

    def next_at(self, seen: Seen) -> float | None:
        """When to poll next, in seconds; None for never."""

    def caught(self, at: float) -> None:
        """The server was found to have said 304 to a listing that had changed."""


@dataclass(slots=True)
class Miniflux:
    """Due times are rounded up to the next look at what is due; a feed with `error_limit` failures is given up."""

    frequency: bool
    tick_m: float = 60.0
    error_limit: float = 3
    errors: int = 0
    counted: list[float] = field(default_factory=list)

    def conditional(self, at: float) -> bool:  # noqa: ARG002
        """It always trusts a 304."""
        return True

    def caught(self, at: float) -> None:
        """It does not look."""

    def next_at(self, seen: Seen) -> float | None:
        """base = 60 or 10080 / W within 5 and 1440; hints on a modified 200; never again after three errors."""
        self.errors = self.errors + 1 if seen.failure else 0
        if self.errors >= self.error_limit:
            return None
        self.counted += seen.new_items
        most = 1440.0
        base = 60.0
        if self.frequency:
            week = len(self.counted) - bisect_left(self.counted, seen.at - 604_800)
            base = min(max(10080 / week, 5.0), most) if week else most
        hint = seen.hint_s / 60 if not seen.failure and not seen.not_modified else 0.0
        due = seen.at + 60 * min(max(base, hint), most)
        return math.ceil(due / (60 * self.tick_m)) * 60 * self.tick_m


@dataclass(slots=True)
class MediaCloud:
    """Steers the overlap into 33 to 67 percent by steps."""

    poll: float | None = None
    prev_success: float | None = None
    prev_ok: bool = False
    last_new: float | None = None
    score: float = 0.0

    def conditional(self, at: float) -> bool:  # noqa: ARG002
        """Whole listings, compared by their digest: in its favour, since it meets no lies then."""
        return False

    def caught(self, at: float) -> None:
        """It does not look."""

    def next_at(self, seen: Seen) -> float | None:
        """The formula, with a failure score by class and a linear back-off."""
        period = self.poll or 360.0
        if seen.failure:
            self.score += 0.25 if seen.failure == "offline" else 1.0 if seen.failure == "http_410" else 0.5
            self.prev_ok = False
            back = period * self.score if self.score >= 1 else period
            return seen.at + 60 * min(back, 1440.0 if self.score <= 30 else 43_200.0)
        self.score = 0.0
        if seen.new:
            self.last_new = seen.at
        same = 101.0 if not seen.new else 100 * (seen.entries - seen.new) / seen.entries
        if self.prev_success is not None and self.prev_ok:
            period = self._adjusted(period, same, (seen.at - self.prev_success) / 60 - period, seen.at)
        self.poll, self.prev_success, self.prev_ok = period, seen.at, True
        return seen.at + 60 * min(period, 1440.0)

    def _adjusted(self, period: float, same: float, delta: float, at: float) -> float:
        if same >= 67 and delta >= -20:
            days = (at - self.last_new) / 86_400 if self.last_new is not None else math.inf
            return min(period + (10 if days <= 31 or same < 100 else 60), 1440.0)
        if same < 33 and delta <= 20:
            return max(360.0 if period > 360 else period - 60, 10.0)
        return period


@dataclass(slots=True)
class StormCrawler:
    """Half as long again where nothing changed, half-way to the least where something did."""

    least: float = 60.0
    most: float = 20_160.0
    longer: float = 0.5
    shorter: float = 0.5
    default: float = 1440.0
    after_error: float = 120.0
    interval: float = 0.0
    started: bool = False

    def conditional(self, at: float) -> bool:  # noqa: ARG002
        """Whole listings, compared by their signature: in its favour, since it meets no lies then."""
        return False

    def caught(self, at: float) -> None:
        """It does not look."""

    def next_at(self, seen: Seen) -> float | None:
        """The formula; the first reading has no signature to compare with."""
        if seen.failure:
            return seen.at + 60 * self.after_error
        if not self.started:
            self.started, self.interval = True, self.default
        elif seen.new:
            self.interval = (1 - self.shorter) * self.interval + self.shorter * self.least
        else:
            self.interval = min(self.interval * (1 + self.longer), self.most)
        return seen.at + 60 * self.interval


def peers() -> dict[str, Callable[[], Schedule]]:
    """All of them, by name. The last has no error limit and looks each minute: miniflux as good as it can be set."""
    return {
        "miniflux_round_robin": lambda: Miniflux(frequency=False),
        "miniflux_entry_frequency": lambda: Miniflux(frequency=True),
        "mediacloud": MediaCloud,
        "stormcrawler": StormCrawler,
        "stormcrawler_news": lambda: StormCrawler(90.0, 129_600.0, 0.5, 0.2, 720.0, 4320.0),
        "miniflux_entry_frequency_best": lambda: Miniflux(frequency=True, tick_m=1.0, error_limit=math.inf),
    }
