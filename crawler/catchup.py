"""Catching up after a gap: what the site lists since the last poll that is known to be complete.

Its sitemaps are asked first, as they tell dates; where they show nothing of that time, its pages of links are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawler import robots
from crawler.answers import Trouble, failure
from crawler.backpages import MARGIN, BackPages, look_back
from crawler.discovery import Child, Listing
from crawler.etiquette import Unprepared, manner_for
from crawler.listing import read_listing
from crawler.urls import origin_of, site_of
from crawler.visit import Visit
from storage import events, sites, sources
from storage.database import Tx
from storage.errors import DiscoveryError
from storage.records import Candidate, Event, EventKind, Headers, Source, SourceKind

MOST_FILES = 20
"""Sitemaps that are read for one gap, the newest first."""
MOST_CANDIDATES = 5_000
TRY_AGAIN = timedelta(hours=1)
GIVE_UP = timedelta(days=3)
_TOLD, _MOMENT = "no entry was known from the poll at ", "%Y-%m-%d %H:%M:%S UTC"

Commit = Callable[[Sequence[Candidate]], Awaitable[int]]
"""Commits candidates; returns how many addresses nobody had seen before."""


@dataclass(slots=True, kw_only=True)
class _Search:
    since: datetime
    headers: Headers
    """As the source wants its site to be asked."""
    zone: str
    """Of dates that name none."""
    seen: set[str] = field(default_factory=set)
    found: list[Candidate] = field(default_factory=list)
    read: int = 0
    back: BackPages | None = None
    """What the pages of links showed, where they were looked at."""


async def settle_gap(visit: Visit, source: Source, since: datetime, commit: Commit) -> None:
    """Open the source's gap event if there is none, and try to close it: now, or again after a while."""
    ledger, now = visit.bench.ledger, visit.bench.now()
    detail = f"{_TOLD}{since:{_MOMENT}}"
    await ledger.do(lambda tx: events.begin(tx, EventKind.GAP, detail, now, source.id))
    await retry_gap(visit, source, since, commit)


async def retry_gap(visit: Visit, source: Source, since: datetime, commit: Commit) -> None:
    """Try to close the source's open gap, if it has one and it is time."""
    ledger, now = visit.bench.ledger, visit.bench.now()
    gap = await ledger.look(lambda tx: events.of_source(tx, EventKind.GAP, source.id))
    if gap is None or (gap.tried_at is not None and now - gap.tried_at < TRY_AGAIN):
        return
    if gap.tried_at is not None:
        since = _told_since(gap)
    try:
        headers, zone = manner_for(visit, source.config).headers, source.config.timezone
        search = _Search(since=since - MARGIN, headers=headers, zone=zone)
    except Unprepared:
        return
    for url in await _sitemaps(visit, source):
        await _follow(visit, search, Child(url=url))
    if not search.found:
        search.back = await look_back(visit, source, since, search.headers)
        search.found += search.back.found.values()
    new = await commit(search.found) if search.found else 0
    await ledger.do(lambda tx: _conclude(tx, gap, search, new, now))


def _conclude(tx: Tx, gap: Event, search: _Search, new: int, now: datetime) -> None:
    counts = f"sitemaps read: {search.read}, entries since: {len(search.found)}, new: {new}"
    if search.back is not None:
        far = "back to what was known" if search.back.reached else "not back to what was known"
        counts += f", pages of links read: {search.back.read} ({far})"
    told = f"{gap.detail.partition(';')[0]}; {counts}"
    if search.found or (search.back is not None and search.back.reached):
        events.end(tx, EventKind.GAP, now, gap.source_id, detail=told)
    elif now - gap.opened_at > GIVE_UP:
        events.end(tx, EventKind.GAP, now, gap.source_id, detail=f"{told}; given up")
    elif gap.source_id is not None:
        events.tried(tx, EventKind.GAP, now, gap.source_id, told)


def _told_since(gap: Event) -> datetime:
    """When the poll before the gap was: as its event says."""
    moment = gap.detail.partition(";")[0].removeprefix(_TOLD)
    try:
        # it is told to the second: what that poll found is to count as known
        return datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC) + timedelta(seconds=1)
    except ValueError:
        return gap.opened_at - TRY_AGAIN


async def _sitemaps(visit: Visit, source: Source) -> list[str]:
    """The sitemaps that robots.txt names and those that are sources of the site themselves."""
    origins = {origin_of(source.config.url)}
    known = await visit.bench.ledger.look(lambda tx: sites.robots_of(tx, origins))
    named = [url for found in known.values() for url in robots.sitemaps(found)]
    watched = await visit.bench.ledger.look(lambda tx: sources.of_site(tx, visit.site.key))
    named += [one.config.url for one in watched if one.config.kind is SourceKind.SITEMAP and one.id != source.id]
    return list(dict.fromkeys(url for url in named if _at_home(url, visit.site.key)))


async def _follow(visit: Visit, search: _Search, child: Child, depth: int = 0) -> None:
    if visit.over or search.read >= MOST_FILES or child.url in search.seen:
        return
    answer = await visit.reach(child.url, headers=search.headers, seen=search.seen)
    if isinstance(answer, Trouble) or failure(answer):
        return
    try:
        listing = await read_listing(answer, SourceKind.SITEMAP, zone=search.zone)
    except DiscoveryError:
        return
    search.read += 1
    room = MOST_CANDIDATES - len(search.found)
    search.found += [one for one in listing.candidates if _is_since(one, search.since)][:room]
    for one in _children(listing, search.since, visit.site.key) if depth < 2 else ():
        await _follow(visit, search, one, depth + 1)


def _children(listing: Listing, since: datetime, site: str) -> list[Child]:
    """The files of an index that may hold what was missed, newest first; one without a date may."""
    day = timedelta(days=1)  # a lastmod is often a bare date
    fresh = [one for one in listing.children if one.lastmod is None or one.lastmod >= since - day]
    dated = sorted((one for one in fresh if one.lastmod), key=lambda one: one.lastmod or since, reverse=True)
    return [one for one in (*dated, *(one for one in fresh if not one.lastmod)) if _at_home(one.url, site)]


def _is_since(candidate: Candidate, since: datetime) -> bool:
    """Whether an entry is from after that time; an undated one may be years old, and is left out."""
    at = candidate.hints.published_at or candidate.hints.modified_at
    return at is not None and at >= since


def _at_home(url: str, site: str) -> bool:
    try:
        return site_of(url) == site
    except ValueError:
        return False
