"""Addresses that a page names: its canonical one, its next part, where it refreshes to, and the stories it links to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

from crawler.urls import clean, parse
from storage.records import Finding, Headers
from tasks.extract import jsonld
from tasks.extract.document import Document
from tasks.extract.lexicon import fold, read_data, squash
from tasks.extract.meta import values

_REFRESH = re.compile(r"^\s*(\d[\d.]*|\.\d*)\s*[;,]?\s*(?:url\s*=\s*)?(.*)$", re.IGNORECASE | re.DOTALL)
_LONGEST_WAY = 40
_PART_NUMBER = "post-page-numbers"
_ARROWS = " \t\n\r.…<>«»‹›→←|[]()"
_LINK = re.compile(r"<([^<>]*)>((?:[^<>\",]|\"[^\"]*\")*)")
_TITLE = re.compile(r";\s*(?!rel\b)[\w*-]+\s*=\s*\"[^\"]*\"", re.IGNORECASE)
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", re.IGNORECASE)
_CHROME = frozenset(("header", "footer", "nav"))
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|footer|breadcrumbs?|masthead)(?:$|[\s_-])", re.IGNORECASE
)


def canonical(document: Document, node: dict[str, Any] | None, headers: Headers = ()) -> tuple[Finding[str], ...]:
    """What the page declares as its address, resolved: evidence, to be checked before it is believed."""
    declared = [("link:canonical", href, 0.9) for href in _rel(document, "canonical")]
    declared += [("header:link", href, 0.85) for href in _linked(headers)]
    declared += [(f"meta:{name}", value, 0.6) for name, value in values(document.meta, ("og:url",))]
    declared += [("jsonld:mainEntityOfPage", link, 0.6) for link in jsonld.links((node or {}).get("mainEntityOfPage"))]
    found = []
    for source, raw, confidence in declared:
        address = _resolved(document.base, raw)
        if address:
            found.append(Finding(value=address.split("#")[0], source=source, raw=raw, confidence=confidence))
    return tuple(found)


def _linked(headers: Headers) -> Iterator[str]:
    """The canonical address that the response names in a Link header (RFC 8288)."""
    for name, value in headers:
        if name.lower() == "link":
            yield from (link[1] for link in _LINK.finditer(value) if "canonical" in _relations(link[2]))


def _relations(parameters: str) -> list[str]:
    """The link types among the parameters of one link; a title may hold commas, and "rel=" too."""
    rel = _REL.search(_TITLE.sub("", parameters))
    return (rel[1] or rel[2] or "").lower().split() if rel else []


def next_page(document: Document) -> str | None:
    """The next part of the page's sequence (HTML: link type next), None for a way back to itself."""
    return _related(document, "next")


def previous_page(document: Document) -> str | None:
    """The part before the page in its sequence (HTML: link type prev, and its synonym previous)."""
    return _related(document, "prev") or _related(document, "previous")


def _related(document: Document, relation: str) -> str | None:
    anchors = [
        anchor.get("href") or ""
        for anchor in document.elements.tagged("a")
        if relation in (anchor.get("rel") or "").lower().split()
    ]
    shown = () if relation == "previous" else chain(_told(document, relation), _numbered(document, relation))
    for href in chain(_rel(document, relation), anchors, shown):
        address = _resolved(document.base, href)
        if address and address.split("#")[0] != document.url.split("#")[0]:
            return address
    return None


def _told(document: Document, relation: str) -> Iterator[str]:
    """Where the links lead whose only words are "next page"."""
    words, starts = _ways()[relation]
    for anchor in document.elements.tagged("a"):
        text = anchor.text
        if not text or len(text) > _LONGEST_WAY or text.lstrip(_ARROWS)[:2].lower() not in starts:
            continue
        if fold(text).strip(_ARROWS) in words and anchor.get("href"):
            yield anchor.get("href")


def _numbered(document: Document, relation: str) -> Iterator[str]:
    """The part beside the current one in WordPress's row of numbers (`wp_link_pages`)."""
    row = list(document.elements.called(_is_part_number))
    at = next((at for at, one in enumerate(row) if "current" in (one.get("class") or "").split()), None)
    if at is not None:
        beside = row[at + 1 : at + 2] if relation == "next" else row[max(0, at - 1) : at]
        yield from (one.get("href") for one in beside if one.get("href"))


def _is_part_number(names: str) -> bool:
    return _PART_NUMBER in names and _PART_NUMBER in names.split()


@cache
def _ways() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """The words that lead to the next and to the previous part, and the first two characters of each."""
    table = read_data("paging.toml")
    words = {relation: frozenset(map(fold, table[relation])) for relation in ("next", "prev")}
    return {relation: (some, frozenset(word[:2] for word in some)) for relation, some in words.items()}


def refresh_target(document: Document, headers: Headers = ()) -> str | None:
    """Where a meta refresh, or a response's Refresh header, leads (HTML: shared declarative refresh steps).

    None without one, for one that reloads the same page, for one in noscript or a template, and for one after more than
    30 seconds, which refreshes a page that is meant to be read.
    """
    for content in (*_refreshes(document), *(value for name, value in headers if name.lower() == "refresh")):
        parsed = _REFRESH.match(content)
        link = parsed[2].strip().strip("'\"").strip() if parsed else ""
        address = _resolved(document.base, link) if link else None
        late = parsed is not None and float(re.sub(r"^\.?$", "0", parsed[1].split(".")[0])) > 30
        if address and not late and address.split("#")[0] != document.url.split("#")[0]:
            return address
    return None


def _refreshes(document: Document) -> Iterator[str]:
    for element in document.elements.tagged("meta"):
        if squash(element.get("http-equiv") or "").lower() != "refresh" or not element.get("content"):
            continue
        if next(element.iterancestors("noscript", "template"), None) is None:
            yield element.get("content")


def content_links(document: Document) -> tuple[str, ...]:
    """The http(s) links outside of navigation, header and footer, resolved, each once, in page order."""
    found = (_resolved(document.base, anchor.get("href")) for anchor in document.elements.tagged("a") if _leads(anchor))
    return tuple(dict.fromkeys(address for address in found if address))


def _leads(anchor: Any) -> bool:
    href = anchor.get("href")
    return (
        bool(href)
        and not href.strip().startswith("#")
        and not any(_is_chrome(parent) for parent in anchor.iterancestors())
    )


def _is_chrome(element: Any) -> bool:
    named = f"{element.get('class') or ''} {element.get('id') or ''}"
    return (
        element.tag in _CHROME or bool(_FURNITURE.search(named)) or element.get("role") in ("navigation", "contentinfo")
    )


def _resolved(base: str, link: str) -> str | None:
    """A link as a browser reads it, or None if it is no http(s) address with a host."""
    try:
        parse(link, base)
    except ValueError:
        return None
    return clean(link, base)


def _rel(document: Document, relation: str) -> Iterator[str]:
    for link in document.elements.tagged("link"):
        if relation in (link.get("rel") or "").lower().split() and link.get("href"):
            yield link.get("href")
