"""The places of a page that may show when its article appeared: date elements, and short lines near the headline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from tasks.extract.document import Document, text_of
from tasks.extract.headline import Headline
from tasks.extract.lexicon import fold, lexicon

LONGEST = 220
"""Characters of an element that may be a date line; more is a text that mentions a date."""
_DATED = re.compile(
    r"date|time(?!line)|publi|posted|dateline|byline|meta|zeit|datum|fecha|veroeff|stamp|info|erstellt|created|updated|submitted|entry-header|article-header"
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
_BESIDE = 4
_LONGEST_TEASER = 3_000
"""Characters, with the white space of the markup, up to which an article element may be a teaser."""
_YEAR = re.compile(r"\d{4}|\d{1,2}[./]\s?\d{1,2}[./]\d\d(?!\d)|\d\d?\s*\S|〇")
_DIGIT = re.compile(r"[\d〇]")
"""A figure, or the Han character for zero, which years of this century have."""
_LEAST_AGO, _LONGEST_AGO = 4, 80
_LABEL = 25
"""Characters beside "an hour ago" in a line that says no more than that."""
_UNSPACED = "\u0530"
"""Before it lie the Latin, Greek and Cyrillic scripts, which part their words."""
_LONGEST_PLAIN = 110
"""Characters of a line that only its place marks."""
_LONGEST_PIECE = 500
"""Characters of one piece of text, with its indentation, that may be part of a line."""
_COPYRIGHT = re.compile(r"©|\(c\)|copyright", re.IGNORECASE)
_SILENT = frozenset(("script", "style", "noscript", "template", "svg", "head", "meta", "link", "option", "title"))
_MOST_ELEMENTS = 12_000
_MOST_FOLLOWING = 120
_STAMPED = ("datetime", "itemprop", "data-utime", "data-timestamp")
_STAMPS = ("datetime", "content", "data-ts", "data-utime", "data-timestamp")
_CHAIN = 4
"""Levels above a piece of text up to which a name makes the element its line."""
_LOOSE = 0.3
"""Trust in a line that stands nowhere in particular."""
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
    close: bool = False
    """Whether few levels part it from the headline."""


def date_lines(document: Document, headline: Headline) -> Iterator[Line]:
    """The lines that markup or a name tells, then those near the headline; those of other stories are left out."""
    marked, close = _places(document, headline)
    for element in marked:
        yield from _line(element, headline, near=False)
    for element in close:
        yield from _line(element, headline, near=True)


def loose_lines(document: Document) -> Iterator[Line]:
    """The lines that markup calls a date, wherever they stand: for pages on which no place of an article has one."""
    for element in _places(document, Headline())[0]:
        text, stamp = short_text(element), _stamp(element)
        if text is not None and not is_copyright(text) and (stamp or _YEAR.search(text)):
            yield Line(element=element, text=text, stamp=stamp, trust=_LOOSE)


def _places(document: Document, headline: Headline) -> tuple[list[Any], list[Any]]:
    """The elements around figures that have a date's name or stamp; those with figures near the headline."""
    following = list(_following(document, headline))
    window = set(following)
    marked = dict.fromkeys(_stamped(document))
    seen: set[Any] = set()
    close = []
    for holder in _holders(document):
        if holder in seen or holder.tag in _SILENT:
            continue
        marked.update(dict.fromkeys(_named(holder, seen)))
        if holder in window and _has_date(holder):
            close.append(holder)
    return list(marked), [*close, *(element for element in following if _tells_ago(_own(element)))]


def _stamped(document: Document) -> Iterator[Any]:
    """The elements that have a date for machines."""
    for name in _STAMPED:
        for element in document.elements.bearing(name):
            if element.tag not in _SILENT and _has_stamp(element):
                yield element


def _holders(document: Document) -> Iterator[Any]:
    """The elements whose own text has a figure, in page order; one may come more than once."""
    digit = _DIGIT.search
    for element in document.elements.all[:_MOST_ELEMENTS]:
        text = element.text
        if text and len(text) <= _LONGEST_PIECE and not text.isspace() and digit(text):
            yield element
        tail = element.tail
        if tail and len(tail) <= _LONGEST_PIECE and not tail.isspace() and digit(tail):
            yield element.getparent()


def _following(document: Document, headline: Headline) -> Iterator[Any]:
    """The elements that start after the headline, as far as an article's date may stand."""
    if headline.element is None:
        return
    inside = set(headline.element.iter())
    elements = document.elements.all
    start = elements.index(headline.element)
    after = 0
    for element in islice((e for e in islice(elements, start, None) if e not in inside), _MOST_FOLLOWING):
        after += len((element.text or "").strip())
        if after > _REACH:
            return
        yield element


def _named(holder: Any, seen: set[Any]) -> list[Any]:
    """The element and those around it that are named like a date, outermost first."""
    found = []
    for element in (holder, *islice(holder.iterancestors(), _CHAIN)):
        if element in seen:
            break
        seen.add(element)
        if element.tag == "time" or _is_dated(element.get("class")) or _is_dated(element.get("id")):
            found.append(element)
    return found[::-1]


@lru_cache(maxsize=2_000)
def _is_dated(name: str | None) -> bool:
    return name is not None and bool(_DATED.search(name.lower()))


def _has_stamp(element: Any) -> bool:
    return (
        element.get("datetime") is not None
        or element.get("data-utime") is not None
        or element.get("data-timestamp") is not None
        or _is_dated(element.get("itemprop"))
    )


def _stamp(element: Any) -> str:
    return next((text for name in _STAMPS if (text := element.get(name))), "")


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
    stamp = _stamp(element)
    text = short_text(element)
    if text is None or is_copyright(text) or not (stamp or _YEAR.search(text) or _tells_ago(text)):
        return
    if foreign(element, headline) or in_sentence(element) or (near and len(text) > _LONGEST_PLAIN):
        return
    trust = _trust(element, headline, near=near)
    yield Line(element=element, text=text, stamp=stamp, trust=trust, close=headline.levels(element) <= _BESIDE)


def _trust(element: Any, headline: Headline, *, near: bool) -> float:
    levels = headline.levels(element)
    inside = any(parent.tag in ("article", "main") for parent in element.iterancestors())
    exact = "datepublished" in (element.get("itemprop") or "").lower()
    base = 0.85 if exact and (levels <= 6 or inside) else 0.55 if near or inside else 0.45
    return round(base + (0.1 if levels <= 2 else 0.07 if levels <= 4 else 0.0), 2)


def _has_date(element: Any) -> bool:
    """Whether the element's own text, not that of its parts, has figures like a date's."""
    own = _own(element)
    return len(own) < LONGEST * 4 and bool(_DIGIT.search(own)) and bool(_YEAR.search(own))


def _own(element: Any) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _tells_ago(text: str) -> bool:
    """Whether a short line says without a figure how long ago something was, and little else ("an hour ago")."""
    if not _LEAST_AGO < len(text) < _LONGEST_AGO or _DIGIT.search(text):
        return False
    line, words = fold(text), lexicon()
    if line < _UNSPACED and words.ago_words.isdisjoint(line.split()):
        return False
    found = words.ago_named.search(line)
    return found is not None and len(line) - len(found[0]) <= _LABEL


def _lists_a_story(item: Any) -> bool:
    """Whether an item of a list links another story: its link is as long as a headline, and the rest is a teaser."""
    if sum(map(len, item.itertext())) > _LONGEST_TEASER:
        return False
    return any(len(" ".join(link.itertext()).strip()) > 25 for link in islice(item.iter("a"), 10))
