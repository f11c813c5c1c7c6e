"""JSON Feed 1.0 and 1.1 (jsonfeed.org) to a listing."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crawler.discovery.entries import address, first_address, first_date, home_of, is_absolute, key_of, labels, people
from crawler.discovery.listing import Listing, collect
from crawler.discovery.text import absolute_links, plain, plain_body, scrub
from storage.errors import DiscoveryError
from storage.records import Candidate, Hints, SourceKind, Via

Json = dict[str, Any]


def read_json_feed(text: str, url: str, now: datetime) -> Listing:
    """Return the listing of a JSON Feed. Raises DiscoveryError `not_a_feed` for other or broken JSON."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DiscoveryError("not_a_feed", f"unreadable JSON: {error}") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise DiscoveryError("not_a_feed", "JSON without a list of items")
    entries = collect(_candidate(item, feed, url, now) for item in feed["items"])
    hubs = [hub.get("url") for hub in _dicts(feed.get("hubs"))]
    return Listing(
        kind=SourceKind.FEED,
        title=plain(_text(feed, "title"), is_html=False),
        candidates=entries.candidates,
        unusable=entries.unusable,
        surplus=entries.surplus,
        hub=next((found for hub in hubs if isinstance(hub, str) and (found := address(hub, url))), None),
        self_url=address(_text(feed, "feed_url"), url),
    )


def _candidate(item: Any, feed: Json, url: str, now: datetime) -> Candidate | None:
    if not isinstance(item, dict):
        return None
    home = home_of([_text(feed, "home_page_url")], url)
    found = first_address(_links(item), home or url, unlike=key_of(home))
    if found is None:
        return None
    return Candidate(
        url=found,
        via=Via.FEED,
        hints=Hints(
            title=plain(_text(item, "title"), is_html=False),
            published_at=first_date([_text(item, "date_published")], now),
            modified_at=first_date([_text(item, "date_modified")], now),
            guid=scrub(_text(item, "id")) or None,
            authors=_authors(item) or _authors(feed),
            summary=plain(_text(item, "summary"), is_html=False) or plain_body(_text(item, "content_text")),
            content_html=_content(item, found),
            language=scrub(_text(item, "language") or _text(feed, "language")) or None,
            keywords=labels(tag for tag in item.get("tags") or () if isinstance(tag, str)),
        ),
    )


def _links(item: Json) -> Iterator[str]:
    yield _text(item, "url")
    identity = _text(item, "id")
    yield identity if is_absolute(identity) else ""
    yield _text(item, "external_url")


def _content(item: Json, url: str) -> str | None:
    if markup := _text(item, "content_html"):
        return absolute_links(markup, url)
    paragraphs = [part for part in scrub(_text(item, "content_text")).split("\n\n") if part.strip()]
    return "".join(f"<p>{html.escape(part.strip(), quote=False)}</p>" for part in paragraphs) or None


def _authors(holder: Json) -> tuple[str, ...]:
    listed = [*_dicts(holder.get("authors")), *_dicts([holder.get("author")])]
    return people(_text(author, "name") for author in listed)


def _dicts(value: Any) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(holder: Json, name: str) -> str:
    """Return a text; numbers stand for themselves (ids and times are often written so), all else is nothing."""
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
