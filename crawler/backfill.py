"""Going on with the open backfills of a site: its sitemaps, file by file, as long as nothing newer waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urljoin

from crawler import robots as rules
from crawler.answers import Answer, Trouble, failure
from crawler.discovery import Child, Listing
from crawler.etiquette import Unprepared, manner_for
from crawler.leads import leads_of
from crawler.listing import read_listing
from crawler.pastdates import is_of, may_hold
from crawler.reading import LISTING
from crawler.retry import Fault, fault
from crawler.urls import origin_of, site_of
from crawler.visit import Visit
from storage import backfills, memory, pages, sites
from storage.backfills import DONE, NO_SITEMAP, Backfill
from storage.database import Tx
from storage.errors import DiscoveryError
from storage.records import Lead, SourceConfig, SourceKind

BELOW = 100
"""How far the priority of a backfill's pages lies below that of the source's news."""
LOW_WATER, HIGH_WATER = 50, 500
"""Pages of backfills that may wait at a site: at LOW_WATER or fewer more are sought, until there are HIGH_WATER."""
MOST_FILES = 50_000
"""Files of one backfill."""

_LEADS_AT_ONCE = 1000


async def continue_backfills(visit: Visit) -> bool:
    """Read on in the site's past; returns whether pages were added. Nothing is read while a page of the news waits."""
    site = visit.site.key
    jobs = await visit.bench.ledger.look(lambda tx: backfills.open_at(tx, site))
    return any(
        [await _continue(visit, visit.configs[job.source_id], job) for job in jobs if job.source_id in visit.configs]
    )


async def _continue(visit: Visit, config: SourceConfig, job: Backfill) -> bool:
    found, room = job.found, LOW_WATER
    while job.state == backfills.OPEN and not visit.over and await _has_room(visit, config, room):
        stepped = await _step(visit, config, job)
        if stepped is None:
            break
        job, room = stepped, HIGH_WATER
    return job.found > found


async def _has_room(visit: Visit, config: SourceConfig, most: int) -> bool:
    await visit.bench.ledger.flush()
    site, priority = visit.site.key, config.priority - BELOW
    live, past = await visit.bench.ledger.look(lambda tx: backfills.waiting(tx, site, priority))
    return live == 0 and past <= most


async def _step(visit: Visit, config: SourceConfig, job: Backfill) -> Backfill | None:
    """Read one file and write down all that follows; None when it is to be tried again at another visit."""
    if not (job.todo or job.done or job.failed):
        job = replace(job, todo=await _roots(visit, config, job.source_id))
    if not job.todo:
        state = DONE if job.done else NO_SITEMAP
        return await _save(visit, replace(job, state=state, finished_at=visit.bench.now()))
    url = job.todo[0]
    try:
        answer = await visit.reach(url, headers=manner_for(visit, config).headers)
    except Unprepared:
        return None
    code = answer.code if isinstance(answer, Trouble) else failure(answer)
    if (
        code is not None
        and fault(code) is not Fault.LASTING
        and code not in ("http_404", "other_site", "redirect_loop")
    ):
        return None
    listing = await _listing(answer, config.timezone) if isinstance(answer, Answer) and code is None else str(code)
    if isinstance(listing, str):
        return await _save(visit, replace(job, todo=job.todo[1:], failed=(*job.failed, f"{listing} {url}")))
    return await _take(visit, config, replace(job, todo=job.todo[1:], done=(*job.done, url)), listing)


async def _roots(visit: Visit, config: SourceConfig, source_id: int) -> tuple[str, ...]:
    """The source itself where it is a sitemap, else those that robots.txt names, else the usual one."""
    known = await visit.bench.ledger.look(lambda tx: memory.recall(tx, source_id, LISTING))
    if config.kind is SourceKind.SITEMAP or known.get("kind") == SourceKind.SITEMAP:
        return (config.url,)
    await visit.bench.gate.verdict(config.url)
    origin = origin_of(config.url)
    stored = (await visit.bench.ledger.look(lambda tx: sites.robots_of(tx, [origin]))).get(origin)
    named = tuple(url for url in (rules.sitemaps(stored) if stored else ()) if _is_here(url, visit))
    return named or (urljoin(config.url, "/sitemap.xml"),)


def _is_here(url: str, visit: Visit) -> bool:
    try:
        return site_of(url) == visit.site.key
    except ValueError:
        return False


async def _listing(answer: Answer, zone: str) -> Listing | str:
    try:
        return await read_listing(answer, SourceKind.SITEMAP, zone=zone)
    except DiscoveryError as error:
        return error.code


async def _take(visit: Visit, config: SourceConfig, job: Backfill, listing: Listing) -> Backfill:
    judged = [(one, is_of(one, job.since, job.until)) for one in listing.candidates]
    leads = leads_of((one for one, is_in in judged if is_in), config).kept
    found = 0
    for start in range(0, len(leads), _LEADS_AT_ONCE):
        part = leads[start : start + _LEADS_AT_ONCE]
        found += await visit.bench.ledger.do(
            partial(_discover, job.source_id, config.priority - BELOW, part, visit.bench.now())
        )
    todo = (*_files(visit, job, listing.children), *job.todo)
    undated = job.undated + sum(is_in is None for _, is_in in judged)
    return await _save(visit, replace(job, todo=todo, found=job.found + found, undated=undated))


def _files(visit: Visit, job: Backfill, children: Sequence[Child]) -> list[str]:
    known = {*job.done, *job.todo, *(line.partition(" ")[2] for line in job.failed)}
    wanted = [
        child
        for child in children
        if child.url not in known and _is_here(child.url, visit) and may_hold(child, job.since, job.until)
    ]
    oldest = datetime.min.replace(tzinfo=UTC)
    newest = sorted(wanted, key=lambda child: child.lastmod or oldest, reverse=True)
    return [child.url for child in newest][: max(0, MOST_FILES - len(known))]


def _discover(source_id: int, priority: int, leads: Sequence[Lead], now: datetime, tx: Tx) -> int:
    # known pages are left as they are: an old listing of them is no reason to fetch them again
    new = backfills.unknown(tx, [lead.key for lead in leads])
    wanted = [lead for lead in leads if lead.key in new]
    return len(pages.discover(tx, source_id, wanted, now, priority=priority).new)


async def _save(visit: Visit, job: Backfill) -> Backfill:
    await visit.bench.ledger.do(lambda tx: backfills.save(tx, job))
    return job
