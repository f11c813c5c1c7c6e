"""One crawl with no broker: fetch what is due, and process it in this process until all is done."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from console import questions
from console.desk import now
from console.questions import FailedPoll, Tally
from storage import clock, pages, snapshots
from storage.errors import NotFound, StoreBusy
from storage.records import Candidate, Disposition, Exchange, Via
from storage.settings import Settings
from storage.store import Store, open_store

if TYPE_CHECKING:
    from tasks.extract.recipes import Recipe
    from tasks.outcome import Outcome

_IDLE_S = 0.2
"""Rest after a round that could do nothing, so that a site held by another process is not asked for in a hot loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a run is to crawl: everything, or the sites of some sources and some more."""

    source_ids: frozenset[int] = frozenset()
    sites: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing in particular was asked for."""
        return not (self.source_ids or self.sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run came to."""

    started_at: datetime
    polls: int
    fetched: int
    tallies: tuple[Tally, ...]
    failed_polls: tuple[FailedPoll, ...]
    waiting_until: datetime | None
    """When the next piece of the wanted work is due that this run did not wait for."""
    crashed: bool = False
    """Whether a crawl process ended with an error; its own lines on standard error say which."""

    @property
    def failed(self) -> bool:
        """Whether something went wrong that an operator should see."""
        return (
            self.crashed
            or bool(self.failed_polls)
            or any(t.disposition == Disposition.QUARANTINED for t in self.tallies)
        )


@dataclass(slots=True)
class _Progress:
    fetched: int = 0
    polls: int = 0
    processed: int = 0
    tell: Callable[[int, int], None] = lambda _processed, _fetched: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, fetched: int = 0, polls: int = 0, processed: int = 0) -> None:
        with self.lock:
            self.fetched += fetched
            self.polls += polls
            self.processed += processed
            self.tell(self.processed, self.fetched)


def quiet(settings: Settings) -> Settings:
    """The settings for a run that a person watches: the table tells what happened, so the log keeps to trouble."""
    if settings.origin.get("log_level", "default") != "default":
        return settings
    return replace(settings, log_level="WARNING", origin={**settings.origin, "log_level": "option"})


def run(
    settings: Settings,
    store: Store,
    wish: Wish,
    *,
    wait_s: float = 10.0,
    progress: Callable[[int, int], None] = lambda _processed, _fetched: None,
) -> Run:
    """Crawl and process until nothing wanted is due, waiting for what is due soon: `wait_s` seconds in all.

    `progress` is told of how many pages are processed and fetched, from any thread. Raises StoreError.
    """
    settings, started, patience = quiet(settings), now(), wait_s
    _set_clock_right(settings, store, started)
    recipes, done = _recipes(settings), _Progress(tell=progress)
    while True:
        before = (done.fetched, done.polls)
        crashed = _round(settings, store, _sites(store, wish), recipes, done)
        with store.reading() as tx:
            due = questions.next_work(tx, _wanted(tx, wish), started)
        rest = (due - now()).total_seconds() if due else patience + 1
        if rest <= 0 and (done.fetched, done.polls) == before:
            rest = _IDLE_S
        if crashed or rest > patience:
            break
        patience -= max(rest, 0)
        threading.Event().wait(max(rest, 0))
    with store.reading() as tx:
        return Run(
            started_at=started,
            polls=done.polls,
            fetched=done.fetched,
            tallies=tuple(questions.tallies(tx, started)),
            failed_polls=tuple(questions.failed_polls(tx, started)),
            waiting_until=due,
            crashed=crashed,
        )


def _set_clock_right(settings: Settings, store: Store, at: datetime) -> None:
    with store.reading() as tx:
        ahead = clock.ran_ahead(tx, at)
    if ahead:
        store.write(lambda tx: clock.set_right(tx, at, lease=timedelta(seconds=settings.lease_s)))


def process(
    settings: Settings,
    store: Store,
    page_ids: Iterable[int],
    recipes: "Mapping[str, Recipe]",
    *,
    patient: bool = True,
) -> "list[Outcome]":
    """Process pages here and now; where `patient` is False, none waits for parts that were not fetched."""
    from tasks.process import process_pages

    return process_pages(store, page_ids, clock=now, recipes=recipes, settings=settings, patient=patient)


def process_left(
    settings: Settings,
    store: Store,
    recipes: "Mapping[str, Recipe]",
    *,
    only: Collection[int] | None = None,
    patient: bool = True,
) -> None:
    """Process the pages that wait for it (`only` those), and the pages that these wake."""
    skipped: set[int] = set()
    while True:
        with store.reading() as tx:
            waiting = pages.unannounced(tx, now(), 500 + len(skipped))
        left = [one for one in waiting if one not in skipped and (only is None or one in only)]
        if not left:
            return
        outcomes = process(settings, store, left, recipes, patient=patient)
        skipped |= {one.page_id for one in outcomes if one.kind == "skipped"}


def fetch_one(settings: Settings, url: str) -> Exchange:
    """Fetch one page by the rules of a crawl, into the store that the settings name. Raises NotFound saying why not."""
    from crawler.crawl import crawl
    from tasks.ingest import want

    store = open_store(settings)
    try:
        page_id = store.write(lambda tx: want(tx, Candidate(url=url, via=Via.MANUAL), now()))
        crawl(settings, store)
        with store.reading() as tx:
            page = pages.get(tx, page_id)
            if page.snapshot_id is None:
                raise NotFound(f"{url} could not be had: {page.reason or 'see above'}")
            found = snapshots.get(tx, page.snapshot_id)
            body = snapshots.body(tx, store.archive, found)
        same = {name: getattr(found, name) for name in ("url", "status", "headers", "fetched_at")}
        return Exchange(body=body, **same)
    finally:
        store.close()


def _recipes(settings: Settings) -> "Mapping[str, Recipe]":
    from tasks.extract.recipes import load_recipes

    return load_recipes(settings.recipes) if settings.recipes else {}


def _sites(store: Store, wish: Wish) -> Collection[str]:
    if wish.everything:
        return ()
    with store.reading() as tx:
        return _wanted(tx, wish) or ()


def _wanted(tx: Connection, wish: Wish) -> Collection[str] | None:
    return None if wish.everything else wish.sites | questions.sites_of(tx, wish.source_ids)


def _round(
    settings: Settings, store: Store, sites: Collection[str], recipes: "Mapping[str, Recipe]", done: _Progress
) -> bool:
    """One crawl; what it fetches is processed in a thread beside it, and then what earlier runs left behind.

    Returns whether its process ended with an error.
    """
    from crawler.crawl import crawl

    pool = ThreadPoolExecutor(1, thread_name_prefix="process")
    jobs: list[Future[None]] = []

    def work(ids: list[int]) -> None:
        for page_id in ids:
            _process_one(settings, store, page_id, recipes)
            done.add(processed=1)

    def hear(event: Mapping[str, Any]) -> None:
        ids = list(event.get("fetched", ()))
        if ids:
            done.add(fetched=len(ids))
            jobs.append(pool.submit(work, ids))
        if "polled" in event:
            done.add(polls=1)

    try:
        report = crawl(settings, store, only_sites=tuple(sorted(sites)), on_event=hear)
        for job in jobs:
            job.result()
        process_left(settings, store, recipes)
        return report.failed
    finally:
        pool.shutdown(cancel_futures=True)


def _process_one(settings: Settings, store: Store, page_id: int, recipes: "Mapping[str, Recipe]") -> None:
    try:
        process(settings, store, [page_id], recipes)
    except StoreBusy:
        return  # the page stays fetched: process_left takes it, or the next run does
