"""A clock that is set forward or back by an hour: each source is polled once when due, and nothing stands still."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage import alerts, clock, pages, pruning, sites, sources
from storage.records import Candidate, Lead, Poll, SourceConfig, Via
from storage.settings import Settings
from storage.store import Store
from tasks.app import CRAWL, CRAWL_SITES, PROCESS, PROCESS_PAGES
from tasks.schedule import ANNOUNCE_AGAIN, tick

Fetched = Callable[..., int]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LEASE = timedelta(minutes=2)
EVERY = timedelta(minutes=10)
SITES = 6


class Inbox:
    """A queue in memory; what was sent is taken at once by `take`."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[object]]] = []

    def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
        self.sent.append((task, json.loads(json.dumps(args))))

    def waiting(self, queue: str) -> int:
        names = {CRAWL: CRAWL_SITES, PROCESS: PROCESS_PAGES}
        return sum(task == names.get(queue) for task, _ in self.sent)

    def take(self, task: str) -> list[list[object]]:
        taken = [args for name, args in self.sent if name == task]
        self.sent = [one for one in self.sent if one[0] != task]
        return taken


class Desk:
    """A schedule and a crawler that polls what it is asked to, by whatever time it is told."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings = store, replace(settings, sites_per_crawl=2)
        self.inbox = Inbox()
        self.polls: list[str] = []
        with store.writing() as tx:
            for number in range(SITES):
                site = f"site{number}.example"
                config = SourceConfig(name=site, url=f"https://{site}/feed.xml")
                sources.add(tx, config, site=site, now=now, interval_s=int(EVERY.total_seconds()))

    def tick(self, now: datetime) -> int:
        """One look of a scheduler, and the crawls that it asks for; returns how many those were."""
        tick(self.store, self.inbox, now, self.settings)
        knocks = self.inbox.take(CRAWL_SITES)
        for number, _ in enumerate(knocks):
            self._crawl(f"crawl-{number}", now)
        return len(knocks)

    def _crawl(self, owner: str, now: datetime) -> None:
        with self.store.writing() as tx:
            for site in sites.claim(tx, owner, now, lease=LEASE, limit=2):
                for one in sources.due(tx, site.key, now):
                    self.polls.append(one.config.name)
                    ended = Poll(source_id=one.id, started_at=now, finished_at=now, outcome="ok", status=200)
                    sources.polled(tx, ended, next_at=now + EVERY, interval_s=one.interval_s, failures=0)
                sites.release(tx, owner, [site.key])

    def run(self, since: datetime, until: datetime) -> dict[str, int]:
        """Tick every other minute; returns how often each source was polled."""
        self.polls, now = [], since
        while now < until:
            self.tick(now)
            now += 2 * MINUTE
        return self.polled()

    def polled(self) -> dict[str, int]:
        """How often each of our sources was polled."""
        return {name: self.polls.count(name) for name in self.polls if name.startswith("site")}


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    assert pruning.prune(store, settings, now)
    store.write(lambda tx: alerts.begin_round(tx, now))
    return Desk(store, settings, now)


def everybody(times: int) -> dict[str, int]:
    return {f"site{number}.example": times for number in range(SITES)}


def test_a_clock_set_forward_makes_all_due_once(desk: Desk, now: datetime) -> None:
    assert desk.run(now, now + EVERY) == everybody(1)
    assert desk.tick(now + EVERY + HOUR) == SITES / 2, "one look, no storm"
    assert desk.run(now + EVERY + HOUR, now + 2 * EVERY + HOUR) == {}, "nobody is polled twice"
    assert desk.run(now + 2 * EVERY + HOUR, now + 3 * EVERY + HOUR) == everybody(1)


def test_nobody_is_overtaken_who_is_at_work_while_the_clock_is_set_forward(desk: Desk, now: datetime) -> None:
    """Crawls that knew the old time renew their leases at the next third of them; others ask meanwhile."""
    with desk.store.writing() as tx:
        held = {one.key for one in sites.claim(tx, "at work", now, lease=LEASE, limit=2)}
    jumped = now + HOUR
    for seconds in range(0, 40, 5):
        desk.tick(jumped + timedelta(seconds=seconds))
    assert set(desk.polls) == set(everybody(1)) - held
    with desk.store.writing() as tx:
        assert sites.renew(tx, "at work", jumped + LEASE / 3, LEASE) == 2
        sites.release(tx, "at work", sorted(held))
    desk.tick(jumped + LEASE / 3)
    assert desk.polled() == everybody(1)


def test_a_clock_set_back_stops_nothing_and_polls_nobody_early(desk: Desk, now: datetime) -> None:
    assert desk.run(now + HOUR, now + HOUR + EVERY) == everybody(1)
    assert desk.run(now + EVERY, now + 2 * EVERY) == {}, "polled a moment ago"
    assert desk.run(now + 2 * EVERY, now + 3 * EVERY) == everybody(1)


def test_what_was_found_and_fetched_while_the_clock_ran_ahead_does_not_wait_for_that_hour(
    desk: Desk, fetched: Fetched, now: datetime
) -> None:
    store, url = desk.store, "https://harbour.example/found"
    told = fetched("https://harbour.example/told", "x", age_s=60)
    desk.run(now + HOUR, now + HOUR + MINUTE)
    fresh = fetched("https://harbour.example/fresh", "x", age_s=-3600)
    with store.writing() as tx:
        config = SourceConfig(name="late", url="https://late.example/feed.xml")
        sources.add(tx, config, site="late.example", now=now + HOUR, interval_s=600)
        lead = Lead(key=url, site="harbour.example", candidate=Candidate(url=url, via=Via.FEED))
        pages.discover(tx, 1, [lead], now + HOUR)
        sites.claim(tx, "died", now + HOUR, lease=LEASE, limit=1, only=["harbour.example"])
    desk.inbox.sent.clear()

    desk.tick(now + MINUTE)
    desk.tick(now + MINUTE + timedelta(seconds=10))  # who fetched a page has a moment to tell of it
    assert desk.inbox.take(PROCESS_PAGES) == [[[told]], [[fresh]]]
    assert "late" in desk.polls
    later = now + MINUTE + LEASE + timedelta(seconds=10)
    with store.writing() as tx:
        assert sites.claim(tx, "lives", later, lease=LEASE, limit=1, only=["harbour.example"]) == []
        later += LEASE / 2 + timedelta(seconds=1)
        [freed] = sites.claim(tx, "lives", later, lease=LEASE, limit=1, only=["harbour.example"])
        assert [page.url for page in pages.waiting(tx, freed.key, later, 10)] == [url]


def test_it_is_set_right_once_and_a_clock_that_is_a_little_off_is_left_alone(desk: Desk, now: datetime) -> None:
    desk.run(now, now + EVERY)
    with desk.store.writing() as tx:
        assert not clock.ran_ahead(tx, now - timedelta(minutes=4))
        assert clock.ran_ahead(tx, now - HOUR)
        assert clock.set_right(tx, now - HOUR, lease=LEASE) > SITES
        assert clock.set_right(tx, now - HOUR, lease=LEASE) == 0
        assert not clock.ran_ahead(tx, now - HOUR)


def test_a_scheduler_that_slept_for_ten_minutes_asks_once_for_what_is_due(
    desk: Desk, fetched: Fetched, now: datetime
) -> None:
    desk.run(now, now + MINUTE)
    lost = fetched("https://harbour.example/lost", "x")
    desk.tick(now + MINUTE)
    desk.inbox.sent.clear()
    assert desk.tick(now + MINUTE + timedelta(minutes=10)) == SITES / 2 + 1, "one for the site of the page"
    assert desk.inbox.take(PROCESS_PAGES) == [[[lost]]]
    assert desk.tick(now + MINUTE + timedelta(minutes=10, seconds=5)) == 0
    assert desk.inbox.take(PROCESS_PAGES) == []


def test_two_schedulers_poll_nobody_twice_and_flood_no_queue(desk: Desk, fetched: Fetched, now: datetime) -> None:
    page = fetched("https://harbour.example/one", "x")
    for minute in range(0, 20, 2):
        desk.tick(now + minute * MINUTE)
        desk.tick(now + minute * MINUTE + timedelta(seconds=30))
    assert desk.polled() == everybody(2)
    announced = desk.inbox.take(PROCESS_PAGES)
    assert announced[0] == [[page]]
    assert len(announced) <= 20 * MINUTE / ANNOUNCE_AGAIN
