"""The files that a sitemap index names: some of the same site at each poll, each once, however they name each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crawler.answers import Answer, Trouble, failure
from crawler.discovery import Child, Listing
from crawler.listing import read_listing
from crawler.sitemap_memory import SitemapMemory, after_gone, after_read, choose
from crawler.visit import Visit
from storage.archive import digest
from storage.errors import DiscoveryError
from storage.records import Candidate, Headers, SourceKind

MOST_CHILDREN = 50
"""Files read in one poll, the newest by lastmod first."""
MOST_FRESH = 25
"""Of these, files that were never read before: a large index is taken in over some polls."""
DEEPEST = 3
"""Levels of an index below the first; sitemaps.org allows one."""

_GONE = ("http_404", "http_410")


@dataclass(slots=True, kw_only=True)
class Found:
    """What the files brought. `incomplete` when one of them may bring more at another try."""

    memory: SitemapMemory
    headers: Headers = ()
    """What the source wants to be sent along."""
    zone: str = "UTC"
    """The source's time zone (IANA name), of dates that name none."""
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    incomplete: bool = False


async def walk(
    visit: Visit,
    index: Listing,
    found: Found,
    *,
    seen: set[str],
    watched_since: datetime,
) -> None:
    """Read what an index names, level by level, into `found`. `seen` are the addresses of the index itself."""
    level: Sequence[Child] = index.children
    room = MOST_CHILDREN
    for _ in range(DEEPEST):
        chosen, left = choose(
            level,
            found.memory,
            site=visit.site.key,
            seen=seen,
            now=visit.bench.now(),
            watched_since=watched_since,
            limit=room,
            fresh_limit=MOST_FRESH,
        )
        found.notes += [f"children left out: {count} {reason}" for reason, count in left.items()]
        room -= len(chosen)
        level = [child for one in chosen for child in await _read(visit, one, seen, found)]
        if not level:
            break


async def _read(visit: Visit, child: Child, seen: set[str], found: Found) -> tuple[Child, ...]:
    if visit.over:
        found.incomplete = True
        return ()
    answer = await visit.reach(child.url, headers=found.headers, seen=seen)
    code = answer.code if isinstance(answer, Trouble) else failure(answer)
    if code == "redirect_loop":
        return ()  # it leads to a file that is read already
    if isinstance(answer, Answer) and code is None:
        return await _listing(answer, child, found)
    found.notes.append(f"{child.url}: {code}")
    if code in _GONE:
        found.memory = after_gone(found.memory, child, visit.bench.now())
    found.incomplete |= code not in (*_GONE, "robots_disallowed", "other_site")
    return ()


async def _listing(answer: Answer, child: Child, found: Found) -> tuple[Child, ...]:
    try:
        listing = await read_listing(answer, SourceKind.SITEMAP, zone=found.zone)
    except DiscoveryError as error:
        found.notes.append(f"{child.url}: {error.code}")
        return ()
    named = "\n".join(sorted([*(one.url for one in listing.candidates), *(one.url for one in listing.children)]))
    found.memory = after_read(
        found.memory, child, digest=digest(named.encode()), index=bool(listing.children), now=answer.at
    )
    found.candidates += listing.candidates
    return listing.children
