"""Sitemaps (sitemaps.org protocol 0.9), their indexes, news sitemaps and text sitemaps to a listing."""

from __future__ import annotations

import re
from datetime import datetime

from crawler.discovery.entries import address, date_of, first_address, key_of, labels
from crawler.discovery.listing import Child, Listing, collect
from crawler.discovery.markup import Document, Element, first_text, texts
from crawler.discovery.text import plain, scrub
from storage.records import Candidate, Hints, SourceKind, Via


def read_sitemap(document: Document, now: datetime) -> Listing:
    """Return the listing of a sitemap or an index of them; their entries may be nested and mixed, as in the wild."""
    entries = collect(_candidate(entry, document, now) for entry in document.all("url"))
    children: dict[str, Child] = {}
    lost = 0
    own = key_of(document.url)
    for entry in document.all("sitemap"):
        child = _child(entry, document, now)
        lost += child is None
        if child and (key := key_of(child.url)) and key != own:  # an index that names itself says nothing new
            children.setdefault(key, child)
    return Listing(
        kind=SourceKind.SITEMAP,
        candidates=entries.candidates,
        unusable=entries.unusable + lost,
        surplus=entries.surplus,
        truncated=document.truncated,
        children=tuple(children.values()),
    )


def is_text_sitemap(text: str) -> bool:
    """Return whether the text is a list of addresses, one a line; a few broken lines may be among them."""
    lines = text.split()
    good = sum(line.lower().startswith(("http://", "https://")) for line in lines)
    return good > 0 and good * 2 > len(lines) and "<" not in text[:1000]


def read_text_sitemap(text: str, url: str) -> Listing:
    """Return the listing of a text sitemap: one address a line."""
    lines = [line for line in re.split(r"[\r\n]+", scrub(text)) if line.strip()]
    entries = collect(
        Candidate(url=found, via=Via.SITEMAP) if (found := _absolute(line, url)) else None for line in lines
    )
    return Listing(
        kind=SourceKind.SITEMAP, candidates=entries.candidates, unusable=entries.unusable, surplus=entries.surplus
    )


def _candidate(entry: Element, document: Document, now: datetime) -> Candidate | None:
    fields = document.fields(entry)
    url = first_address(texts(fields, "loc"), document.url)
    if url is None:
        return None
    modified = date_of(fields, ("lastmod",), now)
    if not fields.get("news:news"):
        return Candidate(url=url, via=Via.SITEMAP, hints=Hints(modified_at=modified))
    return Candidate(url=url, via=Via.NEWS_SITEMAP, hints=_news(fields["news:news"][0], document, modified, now))


def _news(element: Element, document: Document, modified: datetime | None, now: datetime) -> Hints:
    """What a news sitemap tells of an article (Google, "Create a news sitemap")."""
    news = document.fields(element)
    # The children may have been written without their prefix.
    publication = next(iter(news.get("news:publication", ()) or news.get("publication", ())), element)
    named = document.fields(publication)
    return Hints(
        title=plain(first_text(news, "news:title", "title"), is_html=True),
        published_at=date_of(news, ("news:publication_date", "publication_date"), now),
        modified_at=modified,
        language=first_text(named, "news:language", "language") or None,
        publisher=plain(first_text(named, "news:name", "name"), is_html=True),
        keywords=labels(first_text(news, "news:keywords", "keywords").split(",")),
    )


def _child(entry: Element, document: Document, now: datetime) -> Child | None:
    fields = document.fields(entry)
    url = first_address(texts(fields, "loc"), document.url)
    return Child(url=url, lastmod=date_of(fields, ("lastmod",), now)) if url else None


def _absolute(line: str, url: str) -> str | None:
    return address(line, url) if line.strip().lower().startswith(("http://", "https://")) else None
