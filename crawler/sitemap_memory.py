"""What is remembered of the files that a sitemap index names, and which of them are worth reading at a poll."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.discovery import Child
from crawler.urls import site_of
from storage.codec import from_plain, to_plain
from storage.records import Candidate, Record

MARGIN = timedelta(days=1)
"""A file's lastmod is often a bare date, or set by a clock that is off."""
LONGEST_REST = timedelta(days=30)
"""A file in which nothing changes is read again after this at the latest, whatever its lastmod says."""
FIRST_TOMB, LONGEST_TOMB = timedelta(days=7), timedelta(days=90)
"""How long a file that is gone (404, 410) is not asked for; doubled each time it is still gone."""
BEFORE_WATCH = timedelta(days=90)
"""Files of an index that were last changed so long before we began to watch are left to a backfill."""
LIE_HOLDS = timedelta(days=30)
"""How long a site's lastmod is not believed after it was found to lie."""
MOST_REMEMBERED = 5000

_FEW = 5
_JUST_NOW = timedelta(minutes=10)
_SAME = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildState(Record):
    """One file: when it was read, and what that showed."""

    read_at: datetime
    changed_at: datetime
    """When it last named other addresses than at the read before."""
    lastmod: datetime | None = None
    digest: str | None = None
    """Of the addresses it named."""
    index: bool = False
    """It is an index itself, and read at each poll."""
    gone: int = 0
    """How many times in a row it was not there."""
    until: datetime | None = None
    """It is not asked for before this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapMemory(Record):
    """What one source's sitemaps taught."""

    files: Mapping[str, ChildState] = field(default_factory=dict)
    claims: int = 0
    """Reads of a file whose lastmod had risen."""
    lies: int = 0
    """Of these, files in which nothing had changed."""
    entries_lie_until: datetime | None = None
    """Until then the lastmod of addresses is not believed."""


def load(value: Mapping[str, Any]) -> SitemapMemory:
    """The memory that `dump` wrote; an empty one of an empty value."""
    files = {url: from_plain(ChildState, state) for url, state in value.get("files", {}).items()}
    return replace(from_plain(SitemapMemory, {k: v for k, v in value.items() if k != "files"}), files=files)


def dump(memory: SitemapMemory) -> dict[str, Any]:
    """The memory as JSON, with the files read last if they are too many."""
    newest = sorted(memory.files.items(), key=lambda item: item[1].read_at, reverse=True)
    plain: dict[str, Any] = to_plain(replace(memory, files=dict(newest[:MOST_REMEMBERED])))
    return plain


def choose(
    children: Iterable[Child],
    memory: SitemapMemory,
    *,
    site: str,
    seen: Collection[str],
    now: datetime,
    watched_since: datetime,
    limit: int,
    fresh_limit: int,
) -> tuple[list[Child], dict[str, int]]:
    """The files to read at this poll, newest first, and how many were left out by reason.

    Left out are files of other sites (anybody could name anybody's), those read already in this poll (`again`), those
    that have not changed by a lastmod that is believed, those at rest because nothing changed in them for long, those
    that are gone, and those of long before we began to watch. Files not read before are spread over polls
    (`staggered`).
    """
    listed = list(children)
    honest = believed(listed, memory, now)
    left: dict[str, int] = {}
    chosen: dict[str, Child] = {}
    for child in listed:
        reason = _foreign(child, site, seen, chosen) or _idle(
            child, memory, honest=honest, now=now, watched_since=watched_since
        )
        if reason:
            left[reason] = left.get(reason, 0) + 1
        else:
            chosen[child.url] = child
    oldest = datetime.min.replace(tzinfo=UTC)
    ranked = sorted(chosen.values(), key=lambda child: child.lastmod or oldest, reverse=True)
    fresh = [child for child in ranked if child.url not in memory.files]
    late = {child.url for child in fresh[fresh_limit:]}
    ranked = [child for child in ranked if child.url not in late]
    left |= {"staggered": len(late)} if late else {}
    left |= {"over_limit": len(ranked) - limit} if len(ranked) > limit else {}
    return ranked[:limit], left


def believed(children: Sequence[Child], memory: SitemapMemory, now: datetime) -> bool:
    """Whether the files' lastmod may decide: not if nearly all say the same, or just now, or were caught lying."""
    if memory.claims >= _FEW and memory.lies * 2 > memory.claims:
        return False
    return not _suspicious([child.lastmod for child in children if child.lastmod], now)


def after_read(memory: SitemapMemory, child: Child, *, digest: str, index: bool, now: datetime) -> SitemapMemory:
    """The memory after a file was read."""
    old = memory.files.get(child.url)
    changed = old is None or old.digest != digest
    claimed = bool(old and old.digest and child.lastmod and old.lastmod and child.lastmod > old.lastmod)
    state = ChildState(
        read_at=now,
        changed_at=now if changed or old is None else old.changed_at,
        lastmod=child.lastmod,
        digest=digest,
        index=index,
    )
    claims, lies = memory.claims + claimed, memory.lies + (claimed and not changed)
    return replace(memory, files={**memory.files, child.url: state}, claims=claims, lies=lies)


def after_gone(memory: SitemapMemory, child: Child, now: datetime) -> SitemapMemory:
    """The memory after a file was not there (404, 410): it rests, longer each time."""
    old = memory.files.get(child.url)
    gone = (old.gone if old else 0) + 1
    rest = min(FIRST_TOMB * 2 ** min(gone - 1, 10), LONGEST_TOMB)
    changed_at = old.changed_at if old else now
    state = ChildState(read_at=now, changed_at=changed_at, lastmod=child.lastmod, gone=gone, until=now + rest)
    return replace(memory, files={**memory.files, child.url: state})


def honest_entries(
    candidates: Sequence[Candidate], memory: SitemapMemory, now: datetime
) -> tuple[tuple[Candidate, ...], SitemapMemory]:
    """The entries of a sitemap, without their lastmod where it lies, and the memory of that.

    Else each poll of a site that stamps all its addresses with the present would have all of its pages fetched again.
    """
    dates = [one.hints.modified_at for one in candidates if one.hints.modified_at]
    if _suspicious(dates, now):
        memory = replace(memory, entries_lie_until=now + LIE_HOLDS)
    if memory.entries_lie_until is None or memory.entries_lie_until <= now:
        return tuple(candidates), memory
    return tuple(replace(one, hints=replace(one.hints, modified_at=None)) for one in candidates), memory


def _suspicious(dates: Sequence[datetime], now: datetime) -> bool:
    if len(dates) < _FEW:
        return False
    commonest = max(dates.count(date) for date in set(dates[:50]))
    just_now = sum(date > now - _JUST_NOW for date in dates)
    return commonest >= _SAME * len(dates) or just_now * 2 > len(dates)


def _foreign(child: Child, site: str, seen: Collection[str], chosen: Collection[str]) -> str | None:
    try:
        if site_of(child.url) != site:
            return "other_site"
    except ValueError:
        return "other_site"
    return "again" if child.url in seen or child.url in chosen else None


def _idle(child: Child, memory: SitemapMemory, *, honest: bool, now: datetime, watched_since: datetime) -> str | None:
    state = memory.files.get(child.url)
    if state is None:
        old = honest and child.lastmod is not None and child.lastmod < watched_since - BEFORE_WATCH
        return "before_watch" if old and memory.files else None
    if state.until is not None:
        return "gone" if now < state.until else None
    if state.index:
        return None
    rested = now - state.read_at
    if honest and child.lastmod is not None and state.lastmod is not None:
        if child.lastmod > state.lastmod:
            return None
        if child.lastmod < state.read_at - MARGIN:
            return "unchanged" if rested < LONGEST_REST else None
    # what has not changed for long is not looked at often: half of its age at most, so that little is missed
    return "resting" if rested < min((state.read_at - state.changed_at) / 2, LONGEST_REST) else None
