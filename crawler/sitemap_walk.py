"""The children of a sitemap index: the newest few of the same site, each file once, however they name each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawler.answers import Answer, Trouble, failure
from crawler.discovery import Child, Listing
from crawler.listing import read_listing
from crawler.urls import site_of
from crawler.visit import Visit
from storage.errors import DiscoveryError
from storage.records import Candidate, SourceKind

MOST_CHILDREN = 50
"""Files read in one poll, the newest by lastmod first."""
DEEPEST = 3
"""Levels of an index below the first; sitemaps.org allows one."""
MARGIN = timedelta(days=1)
"""A child's lastmod is often a bare date, or set by a clock that is off."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What the children brought. `incomplete` when one of them may bring more at another try."""

    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    incomplete: bool = False


def choose(
    children: Iterable[Child], *, site: str, seen: set[str], since: datetime | None, limit: int
) -> tuple[list[Child], dict[str, int]]:
    """The children to read, newest first, and how many were left out by reason.

    Left out are those of other sites (anybody could name anybody's), those read already, those that have not changed
    since the last successful poll, and what is over the limit.
    """
    left: dict[str, int] = {"other_site": 0, "again": 0, "unchanged": 0, "over_limit": 0}
    chosen: dict[str, Child] = {}
    for child in children:
        if reason := _left_out(child, site=site, seen=seen | chosen.keys(), since=since):
            left[reason] += 1
        else:
            chosen[child.url] = child
    oldest = datetime.min.replace(tzinfo=UTC)
    ranked = sorted(chosen.values(), key=lambda child: child.lastmod or oldest, reverse=True)
    left["over_limit"] = max(0, len(ranked) - limit)
    return ranked[:limit], {reason: count for reason, count in left.items() if count}


async def walk(visit: Visit, index: Listing, *, seen: set[str], since: datetime | None) -> Found:
    """Read what an index names, level by level. `seen` are the addresses of the index itself."""
    found = Found()
    level: Sequence[Child] = index.children
    room = MOST_CHILDREN
    for _ in range(DEEPEST):
        chosen, left = choose(level, site=visit.site.key, seen=seen, since=since, limit=room)
        found.notes += [f"children left out: {count} {reason}" for reason, count in left.items()]
        room -= len(chosen)
        level = [child for one in chosen for child in await _read(visit, one, seen, found)]
        if not level:
            break
    return found


def _left_out(child: Child, *, site: str, seen: set[str], since: datetime | None) -> str | None:
    try:
        if site_of(child.url) != site:
            return "other_site"
    except ValueError:
        return "other_site"
    if child.url in seen:
        return "again"
    if since is not None and child.lastmod is not None and child.lastmod < since - MARGIN:
        return "unchanged"
    return None


async def _read(visit: Visit, child: Child, seen: set[str], found: Found) -> tuple[Child, ...]:
    if visit.over:
        found.incomplete = True
        return ()
    answer = await visit.reach(child.url, seen=seen)
    code = answer.code if isinstance(answer, Trouble) else failure(answer)
    if code == "redirect_loop":
        return ()  # it leads to a file that is read already
    if isinstance(answer, Answer) and code is None:
        return await _listing(answer, child, found)
    found.notes.append(f"{child.url}: {code}")
    found.incomplete |= code not in ("http_404", "http_410", "robots_disallowed", "other_site")
    return ()


async def _listing(answer: Answer, child: Child, found: Found) -> tuple[Child, ...]:
    try:
        listing = await read_listing(answer, SourceKind.SITEMAP)
    except DiscoveryError as error:
        found.notes.append(f"{child.url}: {error.code}")
        return ()
    found.candidates += listing.candidates
    return listing.children
