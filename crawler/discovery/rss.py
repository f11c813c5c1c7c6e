"""RSS 0.9x and 2.0 (RSS Advisory Board specification) and RSS 1.0 (RDF) to a listing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crawler.discovery.entries import (
    address,
    date_of,
    first_address,
    home_of,
    is_absolute,
    key_of,
    labels,
    people,
    seconds,
)
from crawler.discovery.listing import Listing, collect
from crawler.discovery.markup import Document, Element, Fields, first_text, inner_markup, text_of, texts
from crawler.discovery.text import absolute_links, has_markup, plain, plain_body
from storage.records import Candidate, Hints, SourceKind, Via

BODY_LENGTH = 500
"""Characters of plain text from which a description in HTML is the article's body rather than a teaser."""

_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_PUBLISHED = ("pubdate", "dc:date", "dcterms:issued", "dcterms:created", "atom:published", "published", "date")
_MODIFIED = ("dcterms:modified", "atom:updated", "updated", "lastmod")


def read_rss(document: Document, now: datetime) -> Listing:
    """Return the listing of an RSS document, whatever its version says it is."""
    channel = document.fields(next(iter(document.all("channel")), document.root))
    home = home_of(_plain_links(channel), document.base(document.root))
    entries = collect(_candidate(item, document, home, channel, now) for item in document.all("item"))
    return Listing(
        kind=SourceKind.FEED,
        title=plain(first_text(channel, "title"), is_html=True),
        candidates=entries.candidates,
        unusable=entries.unusable,
        surplus=entries.surplus,
        truncated=document.truncated,
        ttl_s=_ttl(channel),
        hub=_tie(channel, "hub", document.url),
        self_url=_tie(channel, "self", document.url),
    )


def _candidate(item: Element, document: Document, home: str | None, channel: Fields, now: datetime) -> Candidate | None:
    fields = document.fields(item)
    # RSS has no rule for relative links. The site's address serves better than the feed's, often on another host.
    base = document.base(item) if document.has_base(item) else home or document.url
    url = first_address(_links(item, fields), base, unlike=key_of(home))
    if url is None:
        return None
    description = first_text(fields, "description", "summary", "itunes:summary", "media:description")
    return Candidate(
        url=url,
        via=Via.FEED,
        hints=Hints(
            title=plain(first_text(fields, "title", "media:title", "dc:title"), is_html=True),
            published_at=date_of(fields, _PUBLISHED, now),
            modified_at=date_of(fields, _MODIFIED, now),
            guid=first_text(fields, "guid", "atom:id") or None,
            authors=people(texts(fields, "dc:creator", "author", "itunes:author") + _atom_authors(fields, document)),
            summary=plain_body(description),
            content_html=_content(fields, description, document, url),
            language=first_text(fields, "dc:language") or first_text(channel, "language", "dc:language") or None,
            keywords=labels(texts(fields, "category", "dc:subject")),
            publisher=plain(first_text(fields, "source", "dc:publisher"), is_html=True),
        ),
    )


def _links(item: Element, fields: Fields) -> Iterator[str]:
    """The places where an item's address may stand, the most trusted first."""
    yield from texts(fields, "feedburner:origlink")  # behind a counting redirect
    yield from _plain_links(fields)
    for link in (*fields.get("atom:link", ()), *fields.get("link", ())):
        if link.get("rel", "alternate") == "alternate":
            yield link.get("href", "")
    for guid in fields.get("guid", ()):
        if guid.get("isPermaLink", guid.get("ispermalink", "true")).strip().lower() != "false" and is_absolute(
            text_of(guid)
        ):
            yield text_of(guid)
    about = item.get(_RDF_ABOUT, "")
    yield about if is_absolute(about) else ""


def _plain_links(fields: Fields) -> list[str]:
    return texts(fields, "link", "url")


def _content(fields: Fields, description: str, document: Document, url: str) -> str | None:
    for name in ("content:encoded", "xhtml:body", "xhtml:div", "atom:content", "content", "body"):
        for element in fields.get(name, ()):
            if markup := inner_markup(element) if len(element) else text_of(element):
                return absolute_links(markup, document.base(element) if document.has_base(element) else url)
    if (
        len(description) >= BODY_LENGTH
        and has_markup(description)
        and len(plain_body(description) or "") >= BODY_LENGTH
    ):
        element = fields["description"][0] if fields.get("description") else document.root
        return absolute_links(description, document.base(element) if document.has_base(element) else url)
    return None


def _atom_authors(fields: Fields, document: Document) -> list[str]:
    return [first_text(document.fields(author), "atom:name", "name") for author in fields.get("atom:author", ())]


def _ttl(channel: Fields) -> int | None:
    if (ttl := seconds(first_text(channel, "ttl"), 60)) is not None:
        return ttl
    period = _PERIODS.get(first_text(channel, "sy:updateperiod").lower())
    if period is None:
        return None
    try:
        frequency = float(first_text(channel, "sy:updatefrequency") or 1)
    except ValueError:
        frequency = 1
    return seconds(str(period), 1 / frequency) if frequency > 0 else None


def _tie(channel: Fields, rel: str, url: str) -> str | None:
    links = [*channel.get("atom:link", ()), *channel.get("link", ())]
    return next(
        (found for link in links if link.get("rel") == rel and (found := address(link.get("href", ""), url))), None
    )
