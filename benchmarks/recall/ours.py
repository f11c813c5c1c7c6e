"""Our own schedule for one simulated source: the very functions that a poll calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.recall.peers import Seen
from crawler import rates, trust
from crawler.interval import Visit, next_visit
from storage.records import Source, SourceConfig

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MIN_S, MAX_S = 300, 86_400
"""The defaults of the settings."""


def moment(at: float) -> datetime:
    """A simulated time as a date."""
    return MONDAY + timedelta(seconds=at)


class Ours:
    """What the store keeps of a source, and what `crawler.polling` does with it."""

    def __init__(self, name: str) -> None:
        config = SourceConfig(name=name, url=f"https://{name}.example/feed")
        facts = {"etag": None, "last_modified": None, "body_digest": None, "last_poll_at": None}
        self.source = Source(
            id=1,
            config=config,
            site=f"{name}.example",
            paused=False,
            added_at=MONDAY,
            next_at=MONDAY,
            interval_s=MIN_S,
            failures=0.0,
            last_success_at=None,
            **facts,
        )
        self.habits = rates.Rates()
        self.trust = trust.Trust()

    def conditional(self, at: float) -> bool:
        """Whether the next request carries validators."""
        since = self.habits.learned_at
        missing = rates.expected(self.habits, since, moment(at)) if since else 0.0
        return trust.conditional(self.trust, missing, moment(at))

    def caught(self, at: float) -> None:
        """The server was found to have said 304 to a listing that had changed."""
        self.trust = trust.caught(self.trust, moment(at))

    def next_at(self, seen: Seen) -> float:
        """When to poll next."""
        now = moment(seen.at)
        outcome = seen.failure or ("not_modified" if seen.not_modified else "ok")
        if outcome == "not_modified":
            self.trust = trust.after_304(self.trust)
        elif outcome == "ok":
            self.trust = trust.after_read(self.trust)
            dates = [moment(date) for date in seen.dates]
            self.habits = rates.learn(self.habits, until=now, entries=seen.entries, new=seen.new, dates=dates)
        visit = Visit(at=now, outcome=outcome, entries=seen.entries, new=seen.new, ttl_s=seen.hint_s or None)
        plan = next_visit(self.source, visit, min_s=MIN_S, max_s=MAX_S, now=now, habits=self.habits)
        learned = {"next_at": plan.next_at, "interval_s": plan.interval_s, "failures": plan.failures}
        success = {"last_success_at": now} if visit.succeeded else {}
        self.source = replace(self.source, last_poll_at=now, **learned, **success)  # type: ignore[arg-type]
        return (plan.next_at - MONDAY).total_seconds()
