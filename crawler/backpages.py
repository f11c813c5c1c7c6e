"""Going back through a site's pages of links after a gap, until what is listed was known before it."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from crawler.answers import Answer, Trouble, failure, is_text
from crawler.discovery.older import Older, read_older
from crawler.discovery.payload import decode
from crawler.listing import read_listing
from crawler.pastdates import is_of
from crawler.shapes import Shapes, learn
from crawler.urls import canonical_key, site_of
from crawler.visit import Visit
from storage import memory, pages, sources
from storage.errors import DiscoveryError
from storage.records import Candidate, Headers, Source, SourceKind

MOST_PAGES = 20
"""Pages of links that are read for one gap."""
MOST_ASKED = 40
"""Requests for one gap: the archive pages of some days may not be there."""
MOST_CANDIDATES = 500
MARGIN = timedelta(hours=1)
"""How much older than the last poll an entry may be dated: clocks differ."""
_KNOWN_ARTICLES = 500
_FEED_END = re.compile(
    r"(?i)(?:^|/)(?:feeds?|rss|atom|index)?(?:\.xml|\.rss|\.atom|\.json)?/?$|/[^/]*\.(?:xml|rss|atom|rdf|json)$"
)


@dataclass(slots=True, kw_only=True)
class BackPages:
    """What the pages of links showed."""

    since: datetime
    """When the last poll before the gap ended."""
    until: datetime
    found: dict[str, Candidate] = field(default_factory=dict)
    """By canonical key, those that nobody knew."""
    asked: int = 0
    read: int = 0
    reached: bool = False
    """Whether one list led back to what was known before the gap."""

    @property
    def is_full(self) -> bool:
        """Whether a bound is reached."""
        return self.read >= MOST_PAGES or self.asked >= MOST_ASKED or len(self.found) >= MOST_CANDIDATES


async def look_back(visit: Visit, source: Source, since: datetime, headers: Headers) -> BackPages:
    """Read the pages that may list what a source's listing no longer shows.

    First those of the source itself and of the site's watched sections, else the page above the feed and the home page;
    from each the next ones (`rel=next`, `?page=2`), and the archive pages of the gap's days where the site has them.
    Bounded by MOST_PAGES and MOST_CANDIDATES; a list ends where it shows what was known before the gap.
    """
    back = BackPages(since=since, until=visit.bench.now())
    shapes = await _shapes(visit)
    todo, seen = deque(await _starts(visit, source)), set[str]()
    while todo and not back.is_full and not visit.over:
        url = todo.popleft()
        if canonical_key(url) in seen:
            continue
        seen.add(canonical_key(url))
        back.asked += 1
        answer = await visit.reach(url, headers=headers)
        if isinstance(answer, Trouble) or failure(answer) or not is_text(answer):
            continue
        ended, ways = await _take(visit, back, answer, shapes)
        todo.extend(ways.days)
        if not ended and ways.next_page:
            todo.appendleft(ways.next_page)
    return back


async def _take(visit: Visit, back: BackPages, answer: Answer, shapes: Shapes) -> tuple[bool, Older]:
    """Add what a page lists of the gap; whether its list ends there, and the ways back from it."""
    try:
        listing = await read_listing(answer, SourceKind.SECTION, shapes)
    except DiscoveryError:
        return True, Older()
    back.read += 1
    listed = {canonical_key(one.url): one for one in listing.candidates}
    known = await visit.bench.ledger.look(lambda tx: pages.known_since(tx, listed.keys()))
    reached = _reach(list(listed), {key for key, at in known.items() if at <= back.since})
    dated = {key: is_of(one, back.since - MARGIN, back.until + MARGIN) for key, one in listed.items()}
    for key in [key for key in list(listed)[:reached] if key not in known and dated[key] is not False]:
        # what names no date may be of any time: it counts because it stands above what was known
        if len(back.found) < MOST_CANDIDATES:
            back.found.setdefault(key, listed[key])
    ended = reached < len(listed)
    back.reached = back.reached or ended
    older = all(is_in is False for is_in in dated.values())
    html = decode(answer.body, answer.header("content-type"))
    span = {"first": back.since.date(), "last": back.until.date()}
    return ended or older, await asyncio.to_thread(read_older, html, answer.url, **span)


def _reach(keys: Sequence[str], known: set[str]) -> int:
    """How many addresses stand above the place from which on at least half of the list was known before.

    One known address on top (a box of what is read most) is no such place.
    """
    count = 0
    best = len(keys)
    for at in range(len(keys) - 1, -1, -1):
        count += keys[at] in known
        if keys[at] in known and 2 * count >= len(keys) - at:
            best = at
    return best


async def _starts(visit: Visit, source: Source) -> list[str]:
    watched = await visit.bench.ledger.look(lambda tx: sources.of_site(tx, visit.site.key))
    sections = [one.config.url for one in watched if one.config.kind is SourceKind.SECTION]
    own = [source.config.url] if source.config.url in sections else []
    path = urlsplit(source.config.url).path
    above = [] if own else [urljoin(source.config.url, f"{_FEED_END.sub('', path).rstrip('/')}/")]
    starts = dict.fromkeys((*own, *sections, *above, urljoin(source.config.url, "/")))
    return [url for url in starts if site_of(url) == visit.site.key]


async def _shapes(visit: Visit) -> Shapes:
    site = visit.site.key
    return learn(await visit.bench.ledger.look(lambda tx: memory.article_addresses(tx, site, _KNOWN_ARTICLES)))
