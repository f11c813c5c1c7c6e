"""The element that shows a page's headline, and how near to it others stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from tasks.extract import jsonld
from tasks.extract.document import Document
from tasks.extract.lexicon import fold
from tasks.extract.meta import values

_MOST_HEADINGS = 60
_SHORTEST = 8
"""Characters of a heading below which being part of a title says nothing."""
_MOST_OF, _GOOD = 1.2, 1.2
_WORD = re.compile(r"\w{3,}|[\u0e00-\u9fff\uac00-\ud7af]")
_NAMED = re.compile(
    r"(?:^|[\s_-])(?:(?:entry|post|article|page|story|news|content|blog)[-_]?(?:title|headline)|headline)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"(?:^|[\s_-])(?:screen-?reader(?:-text)?|sr-only|visually-?hidden)(?:$|[\s_-])", re.IGNORECASE)
_LONG = 15
"""Characters from which the first part of a title is its headline."""
_PART = re.compile(r"\s*[|｜]\s*|\s+[-–—:·•»]+\s+")
FAR = 99
"""Levels of an element that shares no ancestor with the headline."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline's element with its ancestors: none of these can belong to another article."""

    element: Any | None = None
    above: dict[Any, int] = field(default_factory=dict)
    """Each ancestor with its distance in levels."""

    def levels(self, element: Any) -> int:
        """How many levels above the headline the smallest element lies that holds both; FAR where none does."""
        if element in self.above:
            return self.above[element]
        return next((self.above[parent] for parent in element.iterancestors() if parent in self.above), FAR)


def find_headline(document: Document, titles: Iterable[str]) -> Headline:
    """Choose the heading that says what `titles` say; where none does, the first h1 of the article or the page.

    A heading of a lower rank, or an element that only its class calls a headline, must say most of a title.
    """
    known = [fold(title) for title in titles if title]
    best, most = None, 0.0
    # A menu may hold dozens of headings before the first h1.
    lower = islice(document.tree.iter("h2", "h3"), _MOST_HEADINGS)
    for heading in chain(document.elements.tagged("h1")[:_MOST_HEADINGS], lower):
        score = _score(document, heading, known)
        if score > most:
            best, most = heading, score
    if most < _GOOD:
        for element in islice(_called(document.tree), _MOST_HEADINGS):
            score = _score(document, element, known)
            if score > most:
                best, most = element, score
    if best is None:
        return Headline()
    return Headline(element=best, above={parent: steps for steps, parent in enumerate(best.iterancestors(), 1)})


def page_headline(document: Document, node: Mapping[str, Any] | None) -> Headline:
    """The headline of a page by what it declares its title to be."""
    texts = [text for _, text in values(document.meta, ("og:title", "twitter:title"))]
    texts += jsonld.strings((node or {}).get("headline"))[:1]
    texts += [element.text_content() for element in document.tree.xpath("//head/title")[:1]]
    return find_headline(document, texts)


def _score(document: Document, element: Any, known: list[str]) -> float:
    text = "" if _HIDDEN.search(element.get("class") or "") else fold(document.line(element))
    alike = _alike(text, known) if text else 0.0
    if element.tag == "h1":
        if len(_WORD.findall(text)) > 1:  # a single word of a title heads a section
            alike = max(alike, 1.2 * max((overlap(text, title) for title in known), default=0.0))
        return (alike + 0.5 + (0.25 if _inside(element) else 0.0)) if text else 0.0
    return alike if alike >= _MOST_OF else 0.0


def _called(tree: Any) -> Iterator[Any]:
    for element in tree.iter("div", "span", "p", "strong", "h4", "h5", "td", "a"):
        if _NAMED.search(f"{element.get('class') or ''} {element.get('id') or ''} {element.get('itemprop') or ''}"):
            yield element


def _alike(text: str, known: list[str]) -> float:
    """2 for the same words; for a part of a title, or a title with something more, twice the share in common."""
    if text in known:
        return 2.0
    if len(text) < _SHORTEST:
        return 0.0
    if len(text) >= _LONG and any(_PART.match(title[len(text) :]) for title in known if title.startswith(text)):
        return 1.6
    shares = (
        min(len(text), len(title)) / max(len(text), len(title)) for title in known if text in title or title in text
    )
    return 2.0 * max(shares, default=0.0)


def overlap(one: str, other: str) -> float:
    """The share of the words of the shorter of two folded texts that the other has too."""
    mine, theirs = set(_WORD.findall(one)), set(_WORD.findall(other))
    return len(mine & theirs) / min(len(mine), len(theirs)) if mine and theirs else 0.0


def _inside(heading: Any) -> bool:
    return any(parent.tag in ("article", "main") for parent in heading.iterancestors())
