"""The spider: one task for each claimed site, run by Scrapy's engine, in one process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scrapy import Spider, signals

from crawler.backfill import continue_backfills
from crawler.etiquette import prepare
from crawler.fetcher import Fetcher
from crawler.fetching import fetch_pages
from crawler.gate import Gate
from crawler.guests import Guests
from crawler.ledger import Ledger
from crawler.polling import poll_sources
from crawler.recheck import recheck_pages
from crawler.rendering import Renderer
from crawler.visit import Bench, Visit
from storage import sites
from storage.database import Tx
from storage.errors import StoreError
from storage.logs import set_work, telling
from storage.records import Site
from storage.settings import Settings

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)

Refill = Callable[[Tx, int], Sequence[Site]]
"""Claims more sites while the crawl runs, at most so many."""

_LOOK_S = 0.25
"""How often a crawl that has room looks for more sites."""


@dataclass(slots=True, kw_only=True)
class Job:
    """What a crawl process is to do, and afterwards how it went."""

    settings: Settings
    ledger: Ledger
    owner: str
    sites: Sequence[Site]
    now: Callable[[], datetime]
    refill: Refill | None = None
    linger_s: float = 0.0
    """How long a crawl with nothing to do looks for more, in seconds."""
    visits: int = 0
    """Turns of sites that were begun."""
    failed: bool = False
    """Whether anything ended by an error of ours."""


async def news(visit: Visit) -> None:
    """What a crawl does at a site: its due polls, its waiting pages, second looks at its articles, then its past."""
    await poll_sources(visit)
    await fetch_pages(visit)
    await recheck_pages(visit)
    if await continue_backfills(visit):
        await fetch_pages(visit)


class NewsSpider(Spider):
    """Visits the claimed sites at the same time, each at its own pace."""

    name = "copydesk"

    def __init__(self, job: Job, errand: Callable[[Visit], Awaitable[None]] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.errand = errand or news
        self._renderer: Renderer | None = None
        self._visits: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._stopping = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        """Made by Scrapy, which waits for `settle` before it stops, after a signal too."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.settle, signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Run all visits. They fetch through the engine by themselves, so nothing is yielded to the scheduler."""
        beat = asyncio.ensure_future(self._keep_leases())
        try:
            await self._visit_all(self._bench())
        except StoreError as error:
            log.error("the store failed; the crawl ends: %s", error, extra=telling("store_failed"))  # noqa: TRY400
            self.job.failed = True
        finally:
            beat.cancel()
            self._stop_visits()
        for request in self._none():
            yield request

    async def settle(self) -> None:
        """See that all that was done is committed, and give every site back."""
        self._stop_visits()
        await asyncio.gather(*self._visits.values(), return_exceptions=True)
        ledger, owner = self.job.ledger, self.job.owner
        try:
            await self._through(ledger.flush())
            await self._through(
                ledger.do(lambda tx: sites.release(tx, owner, [site.key for site in sites.held(tx, owner)]))
            )
        finally:
            if self._renderer is not None:
                await self._renderer.close()

    async def _through(self, step: Awaitable[None]) -> None:
        """See a last step through; what the store refuses is told, and the next one is tried all the same."""
        try:
            await step
        except StoreError as error:  # what was not committed is fetched again; a lease runs out by itself
            log.error("not committed at the end: %s", error, extra=telling("store_failed"))  # noqa: TRY400
            self.job.failed = True

    @staticmethod
    def _none() -> Iterator[Any]:
        return iter(())

    def _bench(self) -> Bench:
        job, settings = self.job, self.job.settings
        fetcher = Fetcher(self.crawler, job.now, settings.max_bytes)
        guests = Guests(
            ledger=job.ledger,
            owner=job.owner,
            lease=timedelta(seconds=settings.lease_s),
            lanes=fetcher,
            least_s=settings.delay_s,
            now=job.now,
            most_s=settings.max_delay_s,
            proxies=settings.proxies,
        )
        rules = {"agent": settings.user_agent, "allowed": settings.allow_addresses, "now": job.now}
        gate = Gate(fetcher, guests, job.ledger, **rules)  # type: ignore[arg-type]
        self._renderer = Renderer(self.crawler)
        shared = {"fetcher": fetcher, "gate": gate, "guests": guests, "ledger": job.ledger}
        shared |= {"render": self._renderer.render}
        return Bench(settings=settings, owner=job.owner, now=job.now, **shared)  # type: ignore[arg-type]

    async def _visit_all(self, bench: Bench) -> None:
        """Visit the first sites, and others as places get free, until there was nothing to do for `linger_s`."""
        clock = asyncio.get_running_loop().time
        self._begin(bench, self.job.sites)
        busy_at = clock()
        while not self._stopping:
            running = await self._running()
            more = await self._more(self.job.settings.sites_per_crawl - running)
            self._begin(bench, more)
            if running or more:
                busy_at = clock()
            elif clock() - busy_at >= self.job.linger_s:
                return
            else:
                await asyncio.sleep(_LOOK_S)

    def _begin(self, bench: Bench, todo: Sequence[Site]) -> None:
        for site in todo:
            self._leaving.discard(site.key)
            self._visits[site.key] = asyncio.ensure_future(self._visit(bench, site))
        self.job.visits += len(todo)

    async def _running(self) -> int:
        """Give the visits some time; returns how many go on."""
        if self._visits:
            await asyncio.wait(self._visits.values(), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        done = {key: task for key, task in self._visits.items() if task.done()}
        for key, task in done.items():
            del self._visits[key]
            # a visit that ends with an error takes the others along only if the store is broken: see _visit
            if not task.cancelled() and (error := task.exception()):
                raise error
        return len(self._visits)

    async def _more(self, room: int) -> Sequence[Site]:
        """Sites that have work by now. Claimed in the ledger's thread, between looks at the leases."""
        job, refill = self.job, self.job.refill
        if refill is None or room <= 0 or not await job.ledger.look(lambda tx: sites.claimable(tx, job.now(), 1)):
            return ()
        more = await job.ledger.do(lambda tx: refill(tx, room))
        return () if self._stopping else more  # `settle` gives them back

    async def _visit(self, bench: Bench, site: Site) -> None:
        set_work(site=site.key)
        visit = Visit(bench, site)
        try:
            await prepare(visit)
            await self.errand(visit)
        except StoreError:
            raise
        except Exception:  # a fault in one site's work must not end that of all others
            log.exception("the visit to %s failed", site.key, extra=telling("visit_failed"))
            self.job.failed = True
            visit.blocked_until = bench.now() + timedelta(minutes=10)
        finally:
            self._leaving.add(site.key)
            await asyncio.shield(self._leave(visit))

    async def _leave(self, visit: Visit) -> None:
        ledger = visit.bench.ledger
        await visit.bench.guests.close(visit.site.key)
        await ledger.flush()
        closing = visit.closing()
        visit.bench.fetcher.leave(visit.site.key)
        await ledger.do(closing)

    async def _keep_leases(self) -> None:
        job = self.job
        lease = timedelta(seconds=job.settings.lease_s)
        while True:
            await asyncio.sleep(job.settings.lease_s / 3)
            try:
                await job.ledger.do(lambda tx: sites.renew(tx, job.owner, job.now(), lease))
                held = await job.ledger.look(lambda tx: sites.held(tx, job.owner))
            except StoreError as error:
                log.warning("the leases could not be renewed: %s", error, extra=telling("leases_not_renewed"))
                continue
            self._let_go({site.key for site in held})

    def _let_go(self, held: set[str]) -> None:
        for key, task in self._visits.items():
            if key not in held | self._leaving and not task.done():
                log.warning(
                    "the lease of %s was lost: another process has it now", key, extra=telling("lease_lost", site=key)
                )
                task.cancel()

    def _stop_visits(self) -> None:
        if not self._stopping:  # a second time would cancel the clearing up
            self._stopping = True
            for task in self._visits.values():
                task.cancel()
