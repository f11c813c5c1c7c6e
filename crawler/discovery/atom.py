"""Atom 1.0 (RFC 4287), and 0.3 before it, to a listing."""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Iterator
from datetime import datetime

from crawler.discovery.entries import address, date_of, first_address, is_absolute, labels, people
from crawler.discovery.listing import Listing, collect
from crawler.discovery.markup import Document, Element, Fields, first_text, inner_markup, text_of, texts
from crawler.discovery.text import absolute_links, plain, plain_body
from storage.records import Candidate, Hints, SourceKind, Via

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PUBLISHED = ("published", "issued", "created", "dc:date", "dcterms:issued")
_MODIFIED = ("updated", "modified", "dcterms:modified")


def read_atom(document: Document, now: datetime) -> Listing:
    """Return the listing of an Atom feed."""
    feed = document.fields(document.root)
    entries = collect(_candidate(entry, document, feed, now) for entry in document.all("entry"))
    base = document.base(document.root)
    return Listing(
        kind=SourceKind.FEED,
        title=_title(feed),
        candidates=entries.candidates,
        unusable=entries.unusable,
        surplus=entries.surplus,
        truncated=document.truncated,
        hub=next(
            (
                found
                for link in feed.get("link", ())
                if link.get("rel") == "hub" and (found := address(link.get("href", ""), base))
            ),
            None,
        ),
        self_url=next(
            (
                found
                for link in feed.get("link", ())
                if link.get("rel") == "self" and (found := address(link.get("href", ""), base))
            ),
            None,
        ),
    )


def _candidate(entry: Element, document: Document, feed: Fields, now: datetime) -> Candidate | None:
    fields = document.fields(entry)
    url = _link(fields, document)
    if url is None:
        return None
    source = document.fields(fields["source"][0]) if fields.get("source") else {}
    return Candidate(
        url=url,
        via=Via.FEED,
        hints=Hints(
            title=_title(fields),
            published_at=date_of(fields, _PUBLISHED, now),
            modified_at=date_of(fields, _MODIFIED, now),
            guid=first_text(fields, "id") or None,
            authors=_authors(fields, document) or _authors(source, document) or _authors(feed, document),
            summary=_summary(fields),
            content_html=_content(fields, document),
            language=_language(entry),
            keywords=labels(
                [
                    category.get("label") or category.get("term") or text_of(category)
                    for category in fields.get("category", ())
                ]
            ),
            publisher=_title(source),
        ),
    )


def _link(fields: Fields, document: Document) -> str | None:
    links = [
        link
        for link in fields.get("link", ())
        if link.get("rel", "alternate").lower().rpartition("/")[2] in ("alternate", "")
    ]
    links.sort(key=lambda link: _media_type(link) not in ("text/html", "application/xhtml+xml"))
    for link in links:
        if found := address(link.get("href") or text_of(link), document.base(link)):
            return found
    return first_address(_stand_ins(fields), document.url)


def _media_type(link: Element) -> str:
    return str(link.get("type", "text/html")).partition(";")[0].strip().lower()


def _stand_ins(fields: Fields) -> Iterator[str]:
    """Where else an entry's address may stand: an id that is one, a body kept elsewhere."""
    yield from (text for text in texts(fields, "feedburner:origlink", "id") if is_absolute(text))
    yield from (src for content in fields.get("content", ()) if is_absolute(src := content.get("src", "")))


def _is_html(element: Element) -> bool:
    kind = (element.get("type") or element.get("mode") or "text").lower()
    return kind in ("html", "text/html", "xhtml", "application/xhtml+xml", "escaped")


def _title(fields: Fields) -> str | None:
    titles = fields.get("title", ())
    return next((title for element in titles if (title := plain(text_of(element), is_html=_is_html(element)))), None)


def _summary(fields: Fields) -> str | None:
    return next((found for element in fields.get("summary", ()) if (found := plain_body(text_of(element)))), None)


def _content(fields: Fields, document: Document) -> str | None:
    for element in fields.get("content", ()):
        if markup := _markup(element):
            return absolute_links(markup, document.base(element[0] if len(element) else element))
    return None


def _markup(element: Element) -> str:
    """Return a content element as HTML, by its type (RFC 4287 section 4.1.3); types that are no text are left out."""
    kind = (element.get("type") or "text").lower()
    if len(element):
        return inner_markup(element)
    if element.get("mode") == "base64":
        try:
            return base64.b64decode(text_of(element)).decode("utf-8", "replace")
        except binascii.Error:
            return ""
    if _is_html(element):
        return text_of(element)
    return html.escape(text_of(element), quote=False) if kind.startswith("text") else ""


def _authors(fields: Fields, document: Document) -> tuple[str, ...]:
    named = [first_text(document.fields(author), "name") or text_of(author) for author in fields.get("author", ())]
    return people(named + texts(fields, "dc:creator"))


def _language(entry: Element) -> str | None:
    return next((tag for part in (entry, *entry.iterancestors()) if (tag := part.get(_LANG, "").strip())), None)
