"""What a site offers to a crawler that asks: listings with their rate of news, its rules and its reservations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from crawler.discovery import Listing
from storage.records import Headers, Hints, Record, SourceKind, Via

WEEK = timedelta(days=7)
_FRESH = timedelta(days=30)
_LEAST_LINKS = 5
"""Article links from which a page is worth being watched as a section."""
_RANK = {"feed": 2, "news_sitemap": 1, "sitemap": 0, "section": -1}
_SIGNAL_LINE = re.compile(r"(?im)^[ \t]*(content-signal|content-usage|license)[ \t]*:[ \t]*(.+?)[ \t]*$")
_META = re.compile(r"<meta\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Record):
    """One listing of a site."""

    url: str
    kind: str
    """`feed`, `news_sitemap`, `sitemap` or `section`."""
    title: str | None
    entries: int
    per_day: float | None
    """New entries a day, by the dates of those that are listed; None where there are too few dates."""
    newest_at: datetime | None
    hub: str | None = None
    """It can be pushed (WebSub)."""

    @property
    def source_kind(self) -> SourceKind:
        """The kind that a source entry gives it."""
        return SourceKind(self.kind.removeprefix("news_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Record):
    """What a site's robots.txt says to us."""

    status: int
    """Of the answer; 0 where there was none."""
    allowed: bool
    """Whether the probed address may be fetched."""
    crawl_delay_s: float | None
    sitemaps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Record):
    """Something that a site says about the use of its content: evidence for a person, nothing is decided by it."""

    where: str
    """`robots.txt`, `header`, `meta`, `tdmrep.json`, `ai.txt`."""
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Record):
    """All that a probe found."""

    url: str
    answered: str
    """The address that answered in the end, or the code of the failure."""
    rules: Rules | None
    listings: tuple[Offered, ...] = ()
    signals: tuple[Signal, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    """Addresses that were announced and could not be read, with the reason."""
    best: Offered | None = None
    """What should be watched."""


def offered(url: str, listing: Listing, now: datetime) -> Offered:
    """A listing as an offer."""
    dates = sorted(date for one in listing.candidates if (date := _date(one.hints)) and date <= now)
    news = any(one.via is Via.NEWS_SITEMAP for one in listing.candidates)
    return Offered(
        url=url,
        kind="news_sitemap" if news else listing.kind.value,
        title=listing.title,
        entries=len(listing.candidates),
        per_day=rate(dates, now),
        newest_at=dates[-1] if dates else None,
        hub=listing.hub,
    )


def rate(dates: Sequence[datetime], now: datetime) -> float | None:
    """New entries a day in the last week, or since the oldest that is listed; `dates` ascend. None for fewer than 3."""
    if len(dates) < 3:
        return None
    recent = [date for date in dates if date > now - WEEK]
    span = min(WEEK, max(now - dates[0], timedelta(hours=1)))
    return round(len(recent) / (span / timedelta(days=1)), 2)


def best(listings: Iterable[Offered], now: datetime) -> Offered | None:
    """The listing to watch: the one with the most news, a feed where that is no difference; None if all are stale."""
    usable = [one for one in listings if _usable(one, now)]
    return max(usable, key=lambda one: (round(one.per_day or 0.0), _RANK[one.kind], one.entries), default=None)


def _usable(one: Offered, now: datetime) -> bool:
    if one.kind == "section":
        return one.entries >= _LEAST_LINKS
    return one.kind in _RANK and one.entries > 0 and (one.newest_at is None or one.newest_at > now - _FRESH)


def signals_of_robots(body: str) -> list[Signal]:
    """Lines of a robots.txt that speak of use rather than of access (Content-Signal, Content-Usage, License)."""
    return [
        Signal(where="robots.txt", name=match[1].lower(), value=match[2][:300]) for match in _SIGNAL_LINE.finditer(body)
    ]


def signals_of_page(headers: Headers, html: str) -> list[Signal]:
    """What the headers and meta elements of a page say (W3C TDMRep; robots directives against snippets and AI)."""
    found = [
        Signal(where="header", name=name.lower(), value=value[:300])
        for name, value in headers
        if name.lower() in ("tdm-reservation", "tdm-policy", "x-robots-tag", "link-license")
    ]
    for tag in _META.findall(html[:200_000]):
        parts = {match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(tag)}
        name = parts.get("name", "").lower()
        if name in ("tdm-reservation", "tdm-policy", "robots"):
            found.append(Signal(where="meta", name=name, value=parts.get("content", "")[:300]))
    return found


def signals_of_tdmrep(body: bytes, url: str) -> list[Signal]:
    """What /.well-known/tdmrep.json says of an address (W3C TDMRep section 6.2: the first rule that matches)."""
    try:
        rules: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    path = urlsplit(url).path or "/"
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, Mapping) and _matches(str(rule.get("location", "")), path):
            named = [(key, rule[key]) for key in ("tdm-reservation", "tdm-policy") if key in rule]
            return [Signal(where="tdmrep.json", name=key, value=str(value)[:300]) for key, value in named]
    return []


def _matches(pattern: str, path: str) -> bool:
    exact = pattern.endswith("$")
    parts = pattern.removesuffix("$").split("*")
    regex = ".*".join(re.escape(part) for part in parts) + ("$" if exact else "")
    return bool(pattern) and re.match(regex, path) is not None


def _date(hints: Hints) -> datetime | None:
    return hints.published_at or hints.modified_at
