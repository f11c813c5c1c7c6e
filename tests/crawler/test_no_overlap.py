"""Schedulers, triggers and crawl processes at the same moment: one poll of a source at a time, told by the sites."""

import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from storage import alerts, pruning, sites, sources
from storage.records import Poll, SourceConfig, SourceKind
from tasks.app import CRAWL_SITES
from tasks.schedule import tick

World = Any  # of conftest.py, which nobody can import
Site = Any

WORK_S = 0.1


class Counter:
    """How many requests a site answers at the same time, at most."""

    def __init__(self, site: Site, then: Callable[[], None] = lambda: None) -> None:
        self.most = self._inside = 0
        self._lock = threading.Lock()
        self._then = then
        site.watch = self._work

    def _work(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._then()
        threading.Event().wait(WORK_S)  # as long as an answer takes; it comes only after this
        with self._lock:
            self._inside -= 1


class Broker:
    """Gives each message to crawl to a worker of its own at once."""

    def __init__(self, world: World) -> None:
        self.workers: list[threading.Thread] = []
        self._world = world

    def send(self, task: str, *_args: object, expires_s: float | None = None) -> None:
        if task == CRAWL_SITES:
            self.start()

    def waiting(self, queue: str) -> int:
        return 0

    def start(self) -> threading.Thread:
        worker = threading.Thread(target=self._world.crawl, kwargs={"timeout_s": 30})
        self.workers.append(worker)
        worker.start()
        return worker


def apart(polls: Sequence[Poll]) -> bool:
    """Whether each poll began when the one before it had ended."""
    times = sorted((poll.started_at, poll.finished_at) for poll in polls)
    return all(before[1] <= after[0] for before, after in itertools.pairwise(times))


def polls_of(world: World, name: str) -> list[Poll]:
    with world.store.reading() as tx:
        return sources.history(tx, sources.get(tx, name).id)


def test_only_one_at_a_time_polls_a_source_wherever_its_feed_and_its_pages_are(world: World) -> None:
    own, moved, feeds, stories = (world.site() for _ in range(4))
    stories.add_pages("/s1", "/s2")
    own.add_feed("/feed", [stories.url("/s1")])
    moved.redirect("/feed", feeds.url("/feed"))
    moved.redirect("/other", feeds.url("/feed"))
    feeds.add_feed("/feed", [stories.url("/s1"), stories.url("/s2")])
    for name, url in (("own", own.url("/feed")), ("moved", moved.url("/feed")), ("other", moved.url("/other"))):
        world.watch(name, url)

    triggered = threading.Event()

    def trigger() -> None:
        """By hand, while the poll runs, and with one more to do it: it has to come after it, and not beside it."""
        if own.log[-1].path == "/feed" and not triggered.is_set():
            triggered.set()
            world.store.write(lambda tx: sources.trigger(tx, ["own", "moved"], datetime.now(UTC)))
            tick(world.store, broker, datetime.now(UTC), settings)
            worker = broker.start()
            worker.join(timeout=20)  # it finds nothing that it may do, or else the poll is not over when it does

    counters = [Counter(own, trigger), *(Counter(site) for site in (moved, feeds, stories))]
    now, settings, broker = datetime.now(UTC), world.settings(), Broker(world)
    pruning.prune(world.store, settings, now)
    world.store.write(lambda tx: alerts.begin_round(tx, now + timedelta(days=1)))
    schedulers = [threading.Thread(target=tick, args=(world.store, broker, now, settings)) for _ in range(2)]
    for scheduler in schedulers:
        scheduler.start()
    broker.start()
    broker.start()
    for thread in schedulers:
        thread.join(timeout=30)
    assert triggered.wait(timeout=30)
    for worker in broker.workers:
        worker.join(timeout=60)
    world.crawl()  # what the trigger left, if nobody came by
    assert [counter.most for counter in counters] == [1, 1, 1, 1]
    found = {name: polls_of(world, name) for name in ("own", "moved", "other")}
    assert len(found["own"]) == 2  # the due one, and the one that came by hand meanwhile
    assert all(apart(polls) and polls[0].outcome == "ok" for polls in found.values())


def test_a_source_that_moves_while_it_is_polled_is_not_polled_at_its_new_site_meanwhile(world: World) -> None:
    old, new = world.site(), world.site()
    old.add_feed("/feed", [], etag='"old"')
    new.add_feed("/feed", [], etag='"new"')
    world.watch("paper", old.url("/feed"))
    moved = SourceConfig(name="paper", url=new.url("/feed"), kind=SourceKind.FEED)
    facts: dict[str, Any] = {"site": new.address, "interval_s": 600, "replace": True}
    other = threading.Thread(target=world.crawl)

    def move() -> None:
        if old.log[-1].path == "/feed":
            world.store.write(lambda tx: sources.add(tx, moved, now=datetime.now(UTC), **facts))
            other.start()
            other.join(timeout=30)

    old.watch = move
    world.crawl(timeout_s=30)
    assert (old.paths(), new.paths()) == (["/robots.txt", "/feed"], [])
    with world.store.reading() as tx:
        found, waits = sources.get(tx, "paper"), sites.get(tx, new.address)
    assert (found.etag, found.last_modified, found.body_digest) == (None, None, None)
    assert found.next_at is not None
    assert found.next_at < datetime.now(UTC) + timedelta(minutes=10)
    assert waits is not None
    assert waits.due_at == found.next_at
