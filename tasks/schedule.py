"""The scheduler: one tick, again and again, that sends messages for whatever is due. Any number of them may run."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from storage import alerts, clock, outages, pages, pruning, sites, snapshots
from storage.database import chunks
from storage.errors import CopydeskError, StoreBusy
from storage.logs import telling
from storage.records import Record
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks import follow
from tasks.app import CRAWL, CRAWL_SITES, FOLLOW, MAINTAIN, PACK, PROCESS, PRUNE, WATCH, CopydeskApp
from tasks.broker import located
from tasks.heartbeat import beat
from tasks.lifeline import StopSignal
from tasks.logs import set_up
from tasks.queue import BrokerDown, CeleryQueue, Forgetful, MessageQueue, announce

ANNOUNCE_AGAIN = timedelta(seconds=30)
"""A fetched page whose message is older than this counts as lost, unless a worker says that it has it (tasks.held).
Telling of it twice does no harm."""
_PATIENCE = timedelta(seconds=5)
"""Who fetches a page announces it, in a batch: only then is it the sweep's turn."""
_MOST_CRAWLS = 32
"""Crawl messages that may wait; each is only a knock on the door, the work is claimed from the database."""
_MOST_BATCHES = 20
"""Batches of pages that may wait; the rest waits as well in the database."""
_EXPIRES_S = 60.0
"""A knock that nobody heard in this time is dropped: what was due then is due still, and the next tick knocks again."""
_END_S = 5.0
"""What it may take to end when told to."""

_log = logging.getLogger("tasks.schedule")  # also where this module is the program


class Stop(Protocol):
    """What tells the scheduler to end: a threading.Event, or tasks.lifeline.StopSignal."""

    def is_set(self) -> bool:
        """Whether it is to end."""

    def wait(self, timeout: float) -> bool:
        """Wait that long, or until it is to end; returns whether it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport(Record):
    """What one tick found and sent."""

    claimable: int
    crawls: int
    announced: int
    packs: int
    prunes: int
    follows: int
    watches: int

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (
            self.crawls or self.announced or self.packs or self.prunes or self.follows
        )  # a round of the watchman is none


def tick(store: Store, queue: MessageQueue, now: datetime, settings: Settings) -> TickReport:
    """Send messages for what is due and not yet told. Twice at the same instant sends nothing the second time.

    During an outage of our own the schedule is paused: one crawl at a time looks whether a few sites answer again.

    Raises StoreBusy and BrokerDown; whatever was not sent then is found by a later tick.
    """
    _set_right(store, now, settings)
    with store.reading() as tx:
        claimable = sites.claimable(tx, now, _MOST_CRAWLS * settings.sites_per_crawl)
        paused = outages.ongoing(tx)
        pack = snapshots.pack_due(
            tx, now, most_bytes=settings.pack_bytes, after=timedelta(seconds=settings.pack_after_s)
        )
        prune = pruning.due(tx, now)
        behind = follow.due(tx, now)
        unwatched = alerts.round_due(tx, now)
    return TickReport(
        claimable=claimable,
        crawls=_knock(queue, min(claimable, 1) if paused else claimable, settings),
        announced=sweep(store, queue, now, settings),
        packs=_maintain(queue, PACK) if pack else 0,
        prunes=_maintain(queue, PRUNE) if prune else 0,
        follows=_maintain(queue, FOLLOW) if behind else 0,
        watches=_maintain(queue, WATCH) if unwatched else 0,
    )


def _set_right(store: Store, now: datetime, settings: Settings) -> None:
    with store.reading() as tx:
        if not clock.ran_ahead(tx, now):
            return
    changed = store.write(lambda tx: clock.set_right(tx, now, lease=timedelta(seconds=settings.lease_s)))
    more = telling("clock_set_back", rows=changed)
    _log.warning("the clock was set back: %s rows with times to come are of now", changed, extra=more)


def sweep(store: Store, queue: MessageQueue, now: datetime, settings: Settings) -> int:
    """Announce fetched pages that no message tells of, or whose message was lost; returns how many.

    The pages are marked before they are sent, so that two schedulers send each of them once; a batch that is lost in
    between is found again. Raises StoreBusy and BrokerDown.
    """
    room = _MOST_BATCHES - queue.waiting(PROCESS)
    before, fetched_before = now - ANNOUNCE_AGAIN, now - _PATIENCE
    with store.reading() as tx:
        if room <= 0 or not pages.unannounced(tx, before, 1, fetched_before=fetched_before):
            return 0
    with store.writing() as tx:
        lost = pages.take_unannounced(tx, before, room * settings.batch, now, fetched_before=fetched_before)
    for batch in chunks(lost, settings.batch):
        announce(queue, batch)
    return len(lost)


def recover(store: Store, broker: Forgetful, now: datetime) -> bool:
    """Let all pages be announced anew where the broker came back empty; returns whether it did.

    A scheduler that dies in between finds the mark still missing, and does it again. Raises StoreBusy and BrokerDown.
    """
    if not broker.forgot():
        return False
    store.write(lambda tx: pages.unannounce(tx, now))
    broker.mark()
    return True


def run_scheduler(settings: Settings, stop: Stop, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Tick until asked to stop. A store or broker that is away for a while costs a line in the log, no more.

    Raises UsageError when there is no broker, and SchemaError when the database is not the one that this code needs.
    """
    queue = CeleryQueue(CopydeskApp(located(settings)))
    store: Store | None = None
    while not stop.is_set():
        try:
            store = store or open_store(settings, create=False)
            recover(store, queue, clock())
            report = tick(store, queue, clock(), settings)
            beat(settings, clock())
            level = logging.DEBUG if report.idle else logging.INFO
            _log.log(level, "%s sites wait", report.claimable, extra=telling("tick", **asdict(report)))
        except (StoreBusy, BrokerDown, OSError) as error:  # the last: no room for the sign of life
            _log.warning("tick missed: %s", error, extra=telling("tick_missed"))
        stop.wait(settings.tick_s)
    if store is not None:
        store.close()


def _knock(queue: MessageQueue, claimable: int, settings: Settings) -> int:
    wanted = min(_MOST_CRAWLS, -(-claimable // settings.sites_per_crawl))
    missing = max(0, wanted - queue.waiting(CRAWL)) if wanted else 0
    for _ in range(missing):
        queue.send(CRAWL_SITES, expires_s=_EXPIRES_S)
    return missing


def _maintain(queue: MessageQueue, task: str) -> int:
    if queue.waiting(MAINTAIN):
        return 0
    queue.send(task, expires_s=_EXPIRES_S)
    return 1


def serve(settings: Settings) -> None:
    """Run a scheduler as a program: with a log on standard error, until SIGTERM or SIGINT."""
    set_up(settings, run=f"scheduler-{os.uname().nodename}-{os.getpid()}")
    # a broker that is there and does not answer would hold it; what it has not told of, the next one will
    with StopSignal(within_s=_END_S) as stop:
        run_scheduler(settings, stop)


def main() -> int:
    """Run a scheduler by the settings of the environment; returns the exit code."""
    try:
        settings = load_settings()
        set_up(settings)
        serve(settings)
    except CopydeskError as error:
        _log.critical("%s", error, extra=telling("not_started"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
