"""The places of a page that may show when its article appeared: date elements, and short lines near the headline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from lxml import etree

from tasks.extract.document import text_of
from tasks.extract.headline import Headline

LONGEST = 220
"""Characters of an element that may be a date line; more is a text that mentions a date."""
_DATED = re.compile(
    r"date|time(?!line)|publi|posted|dateline|byline|meta|zeit|datum|fecha|veroeff|stamp|info|erstellt|created|updated|submitted|entry-header|article-header",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|teasers?|ticker|most|popular|trending|sidebar|comments?|widget|footer|nav|menu|event|calendar|latest|newest|"
    r"promo|live-update|liveblog-entry|slider|carousel|more-?\w*)(?:$|[\s_-])",
    re.IGNORECASE,
)
_STORIES = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|most|popular|trending|comments?|nav|menu|calendar|latest|newest|more-?\w*)(?:$|[\s_-])",
    re.IGNORECASE,
)
"""What even beside the headline can only be other stories or the site's frame."""
_CLOSE = 2
"""Levels above the headline up to which an element belongs to it whatever its template calls it."""
_YEAR = re.compile(r"\d{4}|\d{1,2}[./]\s?\d{1,2}[./]\d\d(?!\d)|\d\d?\s*\S")
_LONGEST_PLAIN = 110
"""Characters of a line that only its place marks."""
_COPYRIGHT = re.compile(r"©|\(c\)|copyright", re.IGNORECASE)
_SILENT = frozenset(("script", "style", "noscript", "template", "svg", "head", "meta", "link", "option", "title"))
_MOST_ELEMENTS = 12_000
_MARKED = etree.XPath("//body//*[@class or @id or @datetime or @itemprop or self::time]")
_FOLLOWING = etree.XPath("following::*[position() <= 120]")
_REACH = 700
"""Characters after the headline within which any short line with a date is taken for the article's."""


@dataclass(frozen=True, slots=True)
class Line:
    """An element that may hold the article's date."""

    element: Any
    text: str
    stamp: str
    """What an attribute says for machines; empty where none does."""
    trust: float


def date_lines(tree: Any, headline: Headline) -> Iterator[Line]:
    """The lines that markup or a name tells, then those near the headline; those of other stories are left out."""
    for element in _MARKED(tree)[:_MOST_ELEMENTS]:
        if element.tag in _SILENT:
            continue
        if (
            element.tag == "time"
            or _is_dated(element.get("class"))
            or _is_dated(element.get("id"))
            or _has_stamp(element)
        ):
            yield from _line(element, headline, near=False)
    if headline.element is None:
        return
    after = 0
    for element in _FOLLOWING(headline.element):
        after += len((element.text or "").strip())
        if after > _REACH:
            return
        if element.tag not in _SILENT and _has_date(element):
            yield from _line(element, headline, near=True)


@lru_cache(maxsize=8_192)
def _is_dated(name: str | None) -> bool:
    return name is not None and bool(_DATED.search(name))


def _has_stamp(element: Any) -> bool:
    return element.get("datetime") is not None or _is_dated(element.get("itemprop"))


def short_text(element: Any) -> str | None:
    """An element's text if it is short enough to be a line; the rest of a long one is not looked at."""
    size = 0
    for part in element.itertext():
        size += len(part)
        if size > LONGEST * 12:
            return None
    text = text_of(element)
    return text if len(text) <= LONGEST else None


def foreign(element: Any, headline: Headline) -> bool:
    """Whether an element belongs to a list of other stories, the comments or the frame of the page."""
    close = headline.levels(element) <= _CLOSE
    names = _STORIES if close else _FOREIGN
    for parent in (element, *element.iterancestors()):
        if parent in headline.above or parent is headline.element or parent.tag in ("body", "html", "main"):
            return False
        if parent.tag in ("nav", "aside", "figure", "figcaption") or (parent.tag == "footer" and not close):
            return True
        if not close and parent is not element and parent.tag in ("li", "article") and _lists_a_story(parent):
            return True
        if names.search(f"{parent.get('class') or ''} {parent.get('id') or ''}"):
            return True
    return False


def in_sentence(element: Any) -> bool:
    """Whether an element is a word of a paragraph: then its date says when something happens."""
    paragraph = next((parent for parent in element.iterancestors("p")), None)
    if paragraph is None:
        return False
    whole = short_text(paragraph)
    return whole is None or len(whole) > len(text_of(element)) + 60


def is_copyright(text: str) -> bool:
    """Whether a line states a right and no day of publication."""
    return bool(_COPYRIGHT.search(text))


def _line(element: Any, headline: Headline, *, near: bool) -> Iterator[Line]:
    stamp = element.get("datetime") or element.get("content") or element.get("data-ts") or ""
    text = short_text(element)
    if text is None or is_copyright(text) or not (stamp or _YEAR.search(text)):
        return
    if foreign(element, headline) or in_sentence(element) or (near and len(text) > _LONGEST_PLAIN):
        return
    yield Line(element=element, text=text, stamp=stamp, trust=_trust(element, headline, near=near))


def _trust(element: Any, headline: Headline, *, near: bool) -> float:
    levels = headline.levels(element)
    inside = any(parent.tag in ("article", "main") for parent in element.iterancestors())
    exact = "datepublished" in (element.get("itemprop") or "").lower()
    base = 0.85 if exact and (levels <= 6 or inside) else 0.55 if near or inside else 0.45
    return round(base + (0.1 if levels <= 2 else 0.07 if levels <= 4 else 0.0), 2)


def _has_date(element: Any) -> bool:
    """Whether the element's own text, not that of its parts, has figures like a date's."""
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    return len(own) < LONGEST * 4 and bool(re.search(r"\d", own)) and bool(_YEAR.search(own))


def _lists_a_story(item: Any) -> bool:
    """Whether an item of a list links another story: its link is as long as a headline."""
    return any(len(" ".join(link.itertext()).strip()) > 25 for link in islice(item.iter("a"), 10))
