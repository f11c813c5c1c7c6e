import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import select

from storage import alerts, events, pages, pruning, sites, snapshots, sources
from storage.records import EventKind, SourceConfig
from storage.settings import Settings
from storage.store import Store
from storage.tables import page
from tasks import schedule
from tasks.app import (
    CRAWL,
    CRAWL_SITES,
    FOLLOW,
    MAINTAIN,
    PACK,
    PROCESS,
    PROCESS_PAGES,
    PRUNE,
    WATCH,
    CopydeskApp,
)
from tasks.follow import follow
from tasks.heartbeat import last_beat
from tasks.held import held
from tasks.process import process_pages
from tasks.queue import BrokerDown, CeleryQueue
from tasks.schedule import ANNOUNCE_AGAIN, recover, run_scheduler, tick

QUEUE_OF = {
    CRAWL_SITES: CRAWL,
    PROCESS_PAGES: PROCESS,
    PACK: MAINTAIN,
    PRUNE: MAINTAIN,
    FOLLOW: MAINTAIN,
    WATCH: MAINTAIN,
}
Fetch = Callable[..., int]


class ListQueue:
    """A queue in memory: what is sent waits until the test takes it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[object, ...]]] = []
        self.marked = False

    def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
        json.dumps(args)
        assert task == PROCESS_PAGES or expires_s
        self.sent.append((task, args))

    def waiting(self, queue: str) -> int:
        return sum(QUEUE_OF[task] == queue for task, _ in self.sent)

    def forgot(self) -> bool:
        return not self.marked

    def mark(self) -> None:
        self.marked = True

    def take(self) -> list[tuple[str, tuple[object, ...]]]:
        taken, self.sent = self.sent, []
        return taken


@pytest.fixture
def queue() -> ListQueue:
    return ListQueue()


@pytest.fixture(autouse=True)
def pruned(store: Store, settings: Settings, now: datetime) -> None:
    """Neither pruning nor the watchman's round is due."""
    assert pruning.prune(store, settings, now)
    store.write(lambda tx: alerts.begin_round(tx, now + timedelta(days=1)))


def add_sites(store: Store, now: datetime, count: int) -> None:
    with store.writing() as tx:
        for number in range(count):
            site = f"site{number}.example"
            config = SourceConfig(name=site, url=f"https://{site}/feed.xml")
            sources.add(tx, config, site=site, now=now, interval_s=300)


def test_a_tick_without_work_sends_nothing(store: Store, queue: ListQueue, settings: Settings, now: datetime) -> None:
    report = tick(store, queue, now, settings)

    assert report.idle
    assert queue.take() == []


def test_due_sites_are_knocked_for_once_however_often_it_ticks(
    store: Store, queue: ListQueue, settings: Settings, now: datetime
) -> None:
    add_sites(store, now, 5)
    few = replace(settings, sites_per_crawl=2)

    reports = [tick(store, queue, now, few) for _ in range(3)]

    assert [report.crawls for report in reports] == [3, 0, 0]
    assert reports[0].claimable == 5
    assert queue.take() == [(CRAWL_SITES, ())] * 3


def test_a_claimed_site_is_nobody_elses_work(store: Store, queue: ListQueue, settings: Settings, now: datetime) -> None:
    add_sites(store, now, 2)
    with store.writing() as tx:
        sites.claim(tx, "somebody", now, lease=timedelta(minutes=2), limit=10)

    assert tick(store, queue, now, settings).claimable == 0
    assert tick(store, queue, now + timedelta(minutes=3), settings).claimable == 2


def test_fetched_pages_are_announced_once_in_batches(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    ids = [fetched(f"https://harbour.example/{number}", "x") for number in range(5)]
    small = replace(settings, batch=2)

    assert tick(store, queue, now, small).announced == 5
    assert tick(store, queue, now, small).announced == 0

    batches = [args[0] for task, args in queue.take() if task == PROCESS_PAGES]
    assert batches == [ids[0:2], ids[2:4], ids[4:5]]


def test_who_fetched_a_page_gets_the_time_to_announce_it(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    fetched("https://harbour.example/one", "x", age_s=1)

    assert tick(store, queue, now, settings).announced == 0
    assert tick(store, queue, now + timedelta(seconds=5), settings).announced == 1


def test_a_lost_message_is_found_and_sent_again(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched("https://harbour.example/lost", "x")
    tick(store, queue, now, settings)
    queue.take()

    assert tick(store, queue, now + ANNOUNCE_AGAIN, settings).announced == 0
    assert tick(store, queue, now + ANNOUNCE_AGAIN + timedelta(seconds=1), settings).announced == 1
    assert (PROCESS_PAGES, ([page_id],)) in queue.take()


def test_a_long_queue_is_not_made_longer(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    fetched("https://harbour.example/one", "x")
    for _ in range(20):
        queue.send(PROCESS_PAGES, [1])

    assert tick(store, queue, now, settings).announced == 0
    queue.take()
    assert tick(store, queue, now, settings).announced == 1


def test_old_hot_bodies_are_packed_by_one_message(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    fetched("https://harbour.example/one", "x")
    later = now + timedelta(seconds=settings.pack_after_s)

    assert tick(store, queue, now, settings).packs == 0
    assert [tick(store, queue, later, settings).packs for _ in range(2)] == [1, 0]
    limits = {"most_bytes": settings.pack_bytes, "after": timedelta(seconds=settings.pack_after_s)}
    assert snapshots.pack(store, later, **limits) == 1  # type: ignore[arg-type]
    queue.take()
    assert tick(store, queue, later, settings).packs == 0


def test_pruning_is_due_once_a_day_and_until_it_came_to_its_end(
    store: Store, queue: ListQueue, settings: Settings, now: datetime
) -> None:
    morrow = now + timedelta(days=1)

    assert tick(store, queue, morrow - timedelta(seconds=1), settings).prunes == 0
    assert [tick(store, queue, morrow, settings).prunes for _ in range(2)] == [1, 0]
    assert queue.take() == [(PRUNE, ())]
    assert not pruning.prune(store, settings, morrow, stop=lambda: True)
    assert tick(store, queue, morrow, settings).prunes == 1
    assert pruning.prune(store, settings, morrow)
    queue.take()
    assert tick(store, queue, morrow, settings).prunes == 0


def test_two_schedulers_at_once_announce_each_page_once(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    ids = {fetched(f"https://harbour.example/{number}", "x") for number in range(6)}
    gate = threading.Barrier(2)

    def go() -> None:
        gate.wait(timeout=20)
        tick(store, queue, now, settings)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    told = [page_id for task, args in queue.take() if task == PROCESS_PAGES for page_id in args[0]]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(ids)


class FlakyQueue(ListQueue):
    """A broker that is down at first."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self.calls = 0
        self.stop = stop

    def waiting(self, queue: str) -> int:
        self.calls += 1
        if self.calls == 1:
            raise BrokerDown("broker redis://nowhere.example: refused")
        self.stop.set()
        return super().waiting(queue)


def test_the_loop_outlives_a_broker_that_is_away_and_leaves_a_sign_of_life(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(lambda tx: alerts.begin_round(tx, now))  # a time ahead of the clock would be a warning of its own
    stop = threading.Event()
    flaky = FlakyQueue(stop)
    monkeypatch.setattr(schedule, "CeleryQueue", lambda app: flaky)
    quick = replace(settings, tick_s=0.01, broker="redis://nowhere.example/0")
    assert last_beat(quick) is None

    run_scheduler(quick, stop, clock=lambda: now)

    assert flaky.calls >= 2
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "tick missed: broker redis://nowhere.example: refused"
    ]
    assert last_beat(quick) == now


def test_unannounced_pages_survive_a_broker_that_fails_in_the_middle(
    store: Store, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched("https://harbour.example/one", "x")

    class Refusing(ListQueue):
        def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
            raise BrokerDown("broker: refused")

    with pytest.raises(BrokerDown):
        schedule.sweep(store, Refusing(), now, settings)

    with store.reading() as tx:
        assert pages.unannounced(tx, now + timedelta(seconds=1), 10) == [page_id]


def test_messages_lost_with_the_broker_are_sent_anew_but_a_failed_page_keeps_its_rest(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    told, resting = (fetched(f"https://harbour.example/{name}", "x") for name in ("told", "resting"))
    tick(store, queue, now, settings)
    queue.take()
    with store.writing() as tx:
        pages.postpone(tx, resting, now + timedelta(minutes=4), 2)
        assert pages.unannounce(tx, now) == 1

    assert tick(store, queue, now, settings).announced == 1
    assert (PROCESS_PAGES, ([told],)) in queue.take()


def test_a_broker_that_came_back_empty_is_noticed_once(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched("https://harbour.example/one", "x")
    assert recover(store, queue, now)
    tick(store, queue, now, settings)
    queue.take()  # and nobody ever hears of it
    assert not recover(store, queue, now)
    assert tick(store, queue, now, settings).announced == 0

    queue.marked = False

    assert recover(store, queue, now)
    assert tick(store, queue, now, settings).announced == 1
    assert (PROCESS_PAGES, ([page_id],)) in queue.take()


def test_a_real_broker_loses_the_mark_with_its_messages(settings: Settings, valkey_url: str) -> None:
    queue = CeleryQueue(CopydeskApp(replace(settings, broker=valkey_url)))
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
        assert queue.forgot()
        queue.mark()
        assert not queue.forgot()
        client.flushdb()
        assert queue.forgot()


def test_pages_in_a_workers_hands_are_not_announced_again(
    store: Store, queue: ListQueue, settings: Settings, fetched: Fetch
) -> None:
    now = datetime.now(UTC)
    slow, resting = (fetched(f"https://harbour.example/{name}", "x") for name in ("slow", "resting"))
    rest = now + timedelta(hours=1)
    with store.writing() as tx:
        pages.announced(tx, [slow], now - ANNOUNCE_AGAIN)
        pages.postpone(tx, resting, rest, 2)

    def told() -> dict[int, datetime]:
        with store.reading() as tx:
            query = select(page.c.id, page.c.announced_at).where(page.c.announced_at.is_not(None))
            return {row.id: row.announced_at for row in tx.execute(query)}

    pause, deadline = threading.Event(), time.monotonic() + 30
    with held(store, [slow, resting], every_s=0.01):
        first = told()[slow]
        assert first >= now
        while told()[slow] == first:
            assert time.monotonic() < deadline, "it is said once only"
            pause.wait(0.01)

    assert tick(store, queue, now + ANNOUNCE_AGAIN, settings).announced == 0
    assert told()[resting] == rest


def test_during_an_outage_of_our_own_the_schedule_is_paused(
    store: Store, queue: ListQueue, settings: Settings, now: datetime
) -> None:
    add_sites(store, now, 40)
    few = replace(settings, sites_per_crawl=2)
    with store.writing() as tx:
        events.begin(tx, EventKind.OUTAGE, "nothing gets through", now)

    assert [tick(store, queue, now, few).crawls for _ in range(2)] == [1, 0]

    with store.writing() as tx:
        events.end(tx, EventKind.OUTAGE, now)
    assert tick(store, queue, now, few).crawls == 19


def test_readers_of_the_feed_are_served_until_they_have_seen_all(
    store: Store, queue: ListQueue, settings: Settings, now: datetime, fetched: Fetch
) -> None:
    body = "<article><h1>Ferry returns</h1><p>" + " ".join(f"word{place}" for place in range(60)) + "</p></article>"
    process_pages(store, [fetched("https://harbour.example/a", body)], clock=lambda: now, recipes={}, settings=settings)

    assert tick(store, queue, now, settings).follows == 1
    assert (FOLLOW, ()) in queue.take()
    assert follow(store, settings, now) == (1, 0)
    assert tick(store, queue, now, settings).follows == 0


def test_the_watchman_makes_a_round_each_minute(
    store: Store, queue: ListQueue, settings: Settings, now: datetime
) -> None:
    for minutes in (0, 1, 2):
        store.write(lambda tx: alerts.begin_round(tx, now))
        assert tick(store, queue, now + timedelta(minutes=minutes), settings).watches == (minutes > 0)
        assert queue.take() == [(WATCH, ())] * (minutes > 0)
