"""Does what a case says with the real crawler, pipeline and store, at the case's time."""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerRunner

from benchmarks.cases.load import Case, Recorded
from benchmarks.cases.recorded import Web, handler_of
from crawler import robots as rules
from crawler.cron import next_run
from crawler.leads import lead_of
from crawler.ledger import Ledger
from crawler.scrapy_settings import build
from crawler.spider import Job, NewsSpider
from crawler.urls import canonical_key, origin_of, site_of
from storage import pages, reading, sites, sources
from storage.codec import rfc3339
from storage.records import Article, Candidate, Hints, Page, SourceConfig, SourceKind, Via
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.process import process_page

_ROUNDS = 24
"""Crawls until nothing is due; a case that needs more does not end by itself."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What came out of a case."""

    articles: list[Article] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    reasons: dict[str, str | None] = field(default_factory=dict)
    """By the address that was asked for: why there is no article; None where there is one."""
    seen: dict[str, Hints] = field(default_factory=dict)
    """What listings said, by canonical key."""
    listed: dict[str, str] = field(default_factory=dict)
    """The address as listed, by canonical key."""
    new_per_fetch: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    allowed: dict[str, bool] = field(default_factory=dict)
    crawl_delay: float | None = None
    sitemaps: list[str] = field(default_factory=list)
    runs: dict[str, list[datetime]] = field(default_factory=dict)
    finished: bool = True


async def perform(case: Case) -> Result:
    """Run one case in an empty store."""
    if case.type == "schedule":
        return _schedule(case)
    with _store(case) as (settings, store):
        web = _Server(case.exchanges)
        stage = _Stage(settings=settings, store=store, web=web, now=case.now)
        await _KINDS[case.type](case, stage)
        return stage.result


class _Server(Web):
    """The recorded web, asked as over a network: the fragment of an address is never sent (RFC 9110 section 7.1)."""

    def answer(self, url: str) -> Recorded:
        """The next recorded answer of an address."""
        return super().answer(url.partition("#")[0])


@contextmanager
def _store(case: Case) -> Iterator[tuple[Settings, Store]]:
    limits = case.expected.get("limits", {})
    with tempfile.TemporaryDirectory() as folder:
        wanted = {
            "data": folder,
            "delay_s": 0,
            "log_level": "ERROR",
            "max_bytes": limits.get("max_bytes", 10_000_000),
        }
        wanted["user_agent"] = case.expected.get("user_agent", "Copydesk/0.1")
        settings = load_settings(wanted, environ={}, file=Path(folder, "none.toml"))
        store = open_store(settings)
        try:
            yield settings, store
        finally:
            store.close()


@dataclass(slots=True, kw_only=True)
class _Stage:
    settings: Settings
    store: Store
    web: Web
    now: datetime
    result: Result = field(default_factory=Result)

    def ask_for(self, urls: Iterable[str]) -> None:
        """Let these addresses be fetched, as if somebody had typed them."""
        with self.store.writing() as tx:
            source = sources.manual(tx, self.now)
            for url in urls:
                lead = lead_of(Candidate(url=url, via=Via.MANUAL))
                if isinstance(lead, str):
                    self.result.reasons[url] = lead
                else:
                    pages.discover(tx, source.id, [lead], self.now)

    def watch(self, url: str, kind: SourceKind) -> None:
        """Make the address a source."""
        with self.store.writing() as tx:
            config = SourceConfig(name="case", url=url, kind=kind)
            sources.add(tx, config, site=site_of(url), now=self.now, interval_s=600)

    async def work(self) -> None:
        """Crawl and process until nothing is left to do at this time."""
        for _ in range(_ROUNDS):
            if not await self._crawl() and not self._process():
                self.result.requests = self.web.requests
                return
        self.result.finished = False

    async def _crawl(self) -> bool:
        lease = timedelta(minutes=5)
        claimed = self.store.write(lambda tx: sites.claim(tx, "case", self.now, lease=lease, limit=100))
        if not claimed:
            return False
        ledger = Ledger(self.store, self._hear)
        job = Job(settings=self.settings, ledger=ledger, owner="case", sites=claimed, now=lambda: self.now)
        handlers = dict.fromkeys(("http", "https"), handler_of(self.web))
        extra = {"DOWNLOAD_HANDLERS": handlers, "LOG_ENABLED": False}
        try:
            await AsyncCrawlerRunner(build(self.settings, extra)).crawl(NewsSpider, job=job)
        finally:
            ledger.close()
        return True

    def _hear(self, event: dict[str, Any]) -> None:
        if polled := event.get("polled"):
            self.result.outcomes.append(polled["outcome"])
            self.result.new_per_fetch.append(polled["new"])

    def _process(self) -> bool:
        with self.store.reading() as tx:
            waiting = pages.unannounced(tx, self.now, 1000)
        for page_id in waiting:
            process_page(self.store, page_id, now=self.now, recipes={}, settings=self.settings)
        return bool(waiting)

    def collect(self, asked: Iterable[str] = ()) -> None:
        """Read from the store what came out."""
        result = self.result
        with self.store.reading() as tx:
            result.articles = reading.listed(tx, limit=1000)
            result.pages = pages.some(tx, range(1, 10_000))
            for page in result.pages:
                for seen in pages.sightings(tx, page.id):
                    result.seen[page.url], result.listed[page.url] = seen.hints, seen.url
            for url in asked:
                result.reasons.setdefault(url, self._reason(pages.find(tx, canonical_key(url))))

    def _reason(self, page: Page | None) -> str | None:
        if page is None:
            return "not_found"
        return None if page.disposition in ("article", "duplicate") else page.reason


async def _page(case: Case, stage: _Stage) -> None:
    url = case.exchanges[0].url
    stage.ask_for([url])
    await stage.work()
    stage.collect([url])
    stage.result.links = _links(case)


def _links(case: Case) -> list[str]:
    from tasks.decode import decode  # noqa: PLC0415 - only one kind of case asks for links
    from tasks.extract.document import parse  # noqa: PLC0415
    from tasks.extract.links import content_links  # noqa: PLC0415

    if "links" not in case.expected:
        return []
    first = case.exchanges[0]
    kind = dict(first.headers).get("Content-Type")
    document = parse(decode(first.body, kind).text, url=first.url)
    return [canonical_key(link) for link in content_links(document) if site_of(link) == site_of(first.url)]


async def _crawl(case: Case, stage: _Stage) -> None:
    seeds = case.expected["seeds"]
    if case.expected.get("follow_links"):
        for seed in seeds:
            stage.watch(seed, SourceKind.SECTION)
    else:
        stage.ask_for(seeds)
    await stage.work()
    stage.collect(seeds)


async def _feed(case: Case, stage: _Stage) -> None:
    stage.watch(case.exchanges[0].url, SourceKind.FEED)
    for _ in case.exchanges:
        await stage.work()
        with stage.store.reading() as tx:
            stage.now = max(sources.get(tx, "case").next_at or stage.now, stage.now) + timedelta(seconds=1)
    stage.collect()


async def _sitemap(case: Case, stage: _Stage) -> None:
    stage.watch(case.exchanges[0].url, SourceKind.SITEMAP)
    await stage.work()
    stage.collect()
    listed = set(stage.result.listed.values())
    stage.result.requests = [url for url in stage.web.requests if url not in listed]  # the articles are another matter


async def _robots(case: Case, stage: _Stage) -> None:
    wanted = case.expected["allowed"]
    stage.ask_for(wanted)
    await stage.work()
    stage.collect(wanted)
    result = stage.result
    result.allowed = {url: not (result.reasons[url] or "").startswith("robots_") for url in wanted}
    with stage.store.reading() as tx:
        first = next(iter(sites.robots_of(tx, [origin_of(case.exchanges[0].url)]).values()), None)
    if first is not None:
        result.crawl_delay = rules.crawl_delay(first, stage.settings.user_agent)
        result.sitemaps = list(rules.sitemaps(first))


def _schedule(case: Case) -> Result:
    result = Result()
    for entry in json.loads((case.folder / "schedule.json").read_text("utf-8")):
        at = datetime.fromisoformat(entry["from"]) - timedelta(seconds=1)
        end = datetime.fromisoformat(entry["to"])
        runs: list[datetime] = []
        while (at := next_run(entry["cron"], entry["timezone"], at)) <= end:
            runs.append(at)
        result.runs[entry["name"]] = runs
    return result


def text_of(hints: Hints) -> str:
    """The text that a listing gives of an entry: its content as the pipeline reads it, else its plain summary."""
    from tasks.extract.blocks import plain  # noqa: PLC0415 - heavy, and only feeds need it
    from tasks.extract.body import feed_blocks  # noqa: PLC0415

    return plain(feed_blocks(hints.content_html)) if hints.content_html else hints.summary or ""


def links_of(hints: Hints) -> list[str]:
    """The absolute links in an entry's content."""
    return re.findall(r'href="([^"]+)"', hints.content_html or hints.summary or "")


def as_text(moment: datetime | None) -> str | None:
    """A time as text, for a message."""
    return rfc3339(moment) if moment else None


_KINDS = {"page": _page, "crawl": _crawl, "feed": _feed, "sitemap": _sitemap, "robots": _robots}
