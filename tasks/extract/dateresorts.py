"""Where to look for a publication date when neither metadata nor the lines beside the headline hold one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.datecandidate import Candidate, read
from tasks.extract.datelines import Line, foreign, in_sentence, is_copyright, loose_lines
from tasks.extract.datetext import Context, folded, spot
from tasks.extract.document import Document
from tasks.extract.headline import Headline
from tasks.extract.lexicon import lexicon, squash
from tasks.extract.meta import values
from tasks.extract.yearless import spot_yearless

_URL_DAY = re.compile(r"[/_-]((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_URL_NAMED = re.compile(r"/((?:19|20)\d\d)/([a-z]{3,9})/(\d{1,2})(?=[/_.-]|$)")
_URL_DAY_FIRST = re.compile(r"(?<!\d)(0[1-9]|[12]\d|3[01])([-_]?)(0[1-9]|1[0-2])\2(20\d\d)(?!\d)")
_NAMED_DAY = re.compile(r"(?<!\d)(20[0-3]\d)([/-]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])")
_KEYS = (
    rb"(?:date_?published|(?:first_?)?published_?(?:at|date|time|on)|publish_?(?:date|time|at)|publication_?date|pub_?date"
    rb"|display_date)"
)
_VALUE = rb"\s*:\s*(?:\\?[\"']([^\"'\\]{8,40})|(\d{10}(?:\d{3})?)\b)"
_SCRIPTED = re.compile(rb"\\?[\"']" + _KEYS + rb"\\?[\"']" + _VALUE, re.IGNORECASE)
_BARE_KEYS = b"__NUXT__"
"""What a script that writes its keys without quotation marks begins with."""
_SCRIPTED_BARE = re.compile(rb"(?<=[{,])" + _KEYS + _VALUE, re.IGNORECASE)
_PART = re.compile(r"\s*[|｜]\s*|\s+[–—-]\s+")
_FEW, _SOME = 3, 12
"""Dates on a page that names none as its own, above which none can be told to be the article's."""
_MOST_NODES = 5_000
_DIGIT = re.compile(r"\d")


def from_url(url: str, context: Context) -> Iterator[Candidate]:
    """The day in the page's address."""
    path = url.lower().split("#")[0]
    found = _URL_DAY.search(path) or _URL_NAMED.search(path)
    if found:
        text = f"{found[1]}-{found[2]}-{found[3]}" if found[2].isdigit() else f"{found[3]} {found[2]} {found[1]}"
        yield from read("url", text, 0.5, context)
    elif found := _URL_DAY_FIRST.search(path):
        yield from read("url", f"{found[4]}-{found[3]}-{found[1]}", 0.4, context)


def from_title(document: Document, context: Context) -> Iterator[Candidate]:
    """The day that a part of the page's title is, between separators: sites add it as they add their name."""
    for part in _PART.split(squash(document.title)):
        if any(spotted.end - spotted.start >= len(part) - 2 for spotted in spot(part, context)):
            yield from read("title", part, 0.66, context)


def resorts(document: Document, headline: Headline, lines: Iterable[Line], context: Context) -> list[Candidate]:
    """What the first place that has any says, in the order of their worth; `lines` are those that showed no date."""
    for look in (
        _from_page_node(document, context),
        _from_text(document, headline, context),
        _from_scripts(document, context),
        _from_loose(document, context),
        _from_names(document, context),
        _from_yearless(lines, context),
    ):
        if found := list(look):
            return found
    return []


def _from_page_node(document: Document, context: Context) -> Iterator[Candidate]:
    """The date of the node that describes the page itself, for pages that declare no article (schema.org WebPage)."""
    for node in document.jsonld:
        if any(name.endswith("Page") for name in jsonld.types(node)):
            text = jsonld.first(node, "datePublished")
            yield from read("jsonld:WebPage.datePublished", text, 0.7, context) if text else ()


def changes_of_page(document: Document, context: Context) -> Iterator[Candidate]:
    """The date of the last change in the node that describes the page itself, likewise."""
    for node in document.jsonld:
        if any(name.endswith("Page") for name in jsonld.types(node)):
            text = jsonld.first(node, "dateModified")
            yield from read("jsonld:WebPage.dateModified", text, 0.7, context) if text else ()


def _from_yearless(lines: Iterable[Line], context: Context) -> Iterator[Candidate]:
    """The day of a line beside the headline that names no year."""
    for line in lines:
        if line.close and not line.stamp and not lexicon().updated.search(folded(line.text)):
            for spotted in spot_yearless(line.text, context):
                finding = Finding(value=spotted.at, source="dom:date-line", raw=line.text, confidence=0.4)
                yield Candidate(finding, spotted.precision)


def _from_text(document: Document, headline: Headline, context: Context) -> Iterator[Candidate]:
    """A short line with a date that stands nowhere in particular, if the page has few of them."""
    found: dict[datetime, Candidate] = {}
    words = lexicon()
    for node in document.tree.xpath("//body//text()[string-length(.) < 120 and string-length(.) > 5]")[:_MOST_NODES]:
        if not _DIGIT.search(node) or is_copyright(node) or (node.is_tail and len(node) > 60):
            continue
        parent = node.getparent() if not node.is_tail else node.getparent().getparent()
        if parent is None or parent.tag in ("script", "style", "option"):
            continue
        for spotted in spot(node, context):
            if words.updated.search(folded(node)) or foreign(parent, headline) or in_sentence(parent):
                break
            finding = Finding(value=spotted.at, source="text:line", raw=node.strip(), confidence=0.35)
            found.setdefault(spotted.at, Candidate(finding, spotted.precision))
    # Of many dates the first is only likely if the headline stands before it: a list has none of its own.
    yield from list(found.values())[:1] if len(found) <= (_FEW if headline.element is None else _SOME) else []


def _from_scripts(document: Document, context: Context) -> Iterator[Candidate]:
    """A publication date in the page's script state, for pages that show and declare none."""
    source = document.source
    stated = _SCRIPTED.search(source) or (_SCRIPTED_BARE.search(source) if _BARE_KEYS in source else None)
    if stated:
        yield from read("script:published", (stated[1] or stated[2]).decode("utf-8", "replace"), 0.3, context)


def _from_loose(document: Document, context: Context) -> Iterator[Candidate]:
    """The one day of all elements that markup calls a date, or the first of those that it calls published."""
    found: list[Candidate] = []
    named: list[Candidate] = []
    words = lexicon()
    for line in loose_lines(document):
        label = folded(f"{line.element.get('itemprop') or ''} {line.text}")
        if words.updated.search(label) or in_sentence(line.element):
            continue
        read_here = list(read(f"dom:{line.element.tag}", line.stamp or line.text, line.trust, context))
        found += () if _framed(line.element) else read_here
        if "datepublished" in label or words.published.search(label):
            named += read_here
    first = named or found
    if named or len({candidate.day for candidate in found}) == 1:
        yield from first[:1]


def _framed(element: Any) -> bool:
    """Whether an element stands in what is beside, above or below the article on every page."""
    return any(parent.tag in ("aside", "nav", "footer") for parent in element.iterancestors())


def _from_names(document: Document, context: Context) -> Iterator[Candidate]:
    """The day by which a template or a store of pictures names what belongs to the page."""
    body: Any = document.tree.find("body")
    names = [] if body is None else [("dom:body", body.get("id") or "")]
    names += [("meta:image", text) for _, text in values(document.meta, ("og:image",))[:1]]
    for source, text in names:
        if found := _NAMED_DAY.search(text):
            yield from read(source, f"{found[1]}-{found[3]}-{found[4]}", 0.2, context)
