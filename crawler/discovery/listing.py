"""What a listing says: its candidates, its children, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from storage.records import Candidate, Record, SourceKind

MAX_BYTES = 10_000_000
"""Most bytes of a listing once it is unpacked; more is `too_large`."""

MAX_CANDIDATES = 50_000
"""Most entries of one listing: the limit of the sitemap protocol, far above any feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child(Record):
    """A listing that an index names."""

    url: str
    lastmod: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Record):
    """A feed, sitemap, section page or single page as read; addresses are absolute http(s), in document order."""

    kind: SourceKind
    """What the body turned out to be."""
    title: str | None = None
    candidates: tuple[Candidate, ...] = ()
    unusable: int = 0
    """Entries without an address to know them by."""
    surplus: int = 0
    """Entries beyond MAX_CANDIDATES, or links of a page beyond its own limit, left out."""
    truncated: bool = False
    """The body ends before its end tag; the entry that it breaks in is left out."""
    children: tuple[Child, ...] = ()
    feeds: tuple[str, ...] = ()
    """Feeds and sitemaps that a page announces."""
    ttl_s: int | None = None
    """How long the feed asks to be left alone, in seconds."""
    hub: str | None = None
    """A WebSub hub that announces news of it."""
    self_url: str | None = None
    """The address that the feed gives as its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of a listing within its limit, with the count of those left out and why."""

    candidates: tuple[Candidate, ...]
    unusable: int
    surplus: int


def collect(entries: Iterable[Candidate | None]) -> Entries:
    """Take the entries up to the limit; None stands for one without an address."""
    kept: list[Candidate] = []
    unusable = surplus = 0
    for entry in entries:
        if entry is None:
            unusable += 1
        elif len(kept) < MAX_CANDIDATES:
            kept.append(entry)
        else:
            surplus += 1
    return Entries(candidates=tuple(kept), unusable=unusable, surplus=surplus)
