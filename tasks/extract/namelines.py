"""The places of a page that may show who wrote its article: marked elements, and short lines around the headline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from lxml import etree

from tasks.extract.datelines import foreign, short_text
from tasks.extract.document import Document, text_of
from tasks.extract.headline import Headline
from tasks.extract.lexicon import lexicon, squash
from tasks.extract.names import (
    Byline,
    is_other_part,
    is_pen_name,
    names_beside_date,
    plain_name,
    read_byline,
    split_names,
    without_opening,
)

Listed = tuple[str, list[str], float]
"""A source, the texts found there, and the trust in them."""

_BYLINE = re.compile(
    "byline|by-line|author|autor|auteur|verfasser|writer|creator|signature|firma|redakteur|wrote|user-?name|(?<![a-z])(?:reporter|journalist)(?![a-z])"
)
_NOT_BYLINE = re.compile(
    r"bio|desc|about|image|avatar|photo|picture|comment|related|follow|social|box|card|more|teaser|list-item|time|job|title|role|share|authori|authors?-?page",
)
_PROFILE = re.compile(
    r"/(?:authors?|autor(?:en|es|a|zy)?|auteurs?|autori|profil[es]?|people|staff|team|journalists?|reporters?|columnists?|redakteure?|"
    r"verfasser|menschen|mitarbeiter|expert(?:s|en)?|contributors?|producers?|writers?|users?|members?|skribent)/[^/?#]+"
    r"|^/@[\w.-]+",
    re.IGNORECASE,
)
_INNER_NAMES = etree.XPath(".//*[@itemprop='name']")
_INNER = etree.XPath(".//*[@itemprop='name'] | .//a[@href]")
_NAMED = re.compile(r"^(?:(?:author|byline|writer|reporter)[\w-]*[-_])?(?:full-?)?name$", re.IGNORECASE)
"""The class of what holds nothing but the name in a byline of several parts."""
_LINES = frozenset(
    [
        "br",
        "p",
        "div",
        "span",
        "a",
        "small",
        "em",
        "address",
        "li",
        "td",
        "h4",
        "h5",
        "h6",
        "b",
        "strong",
        "i",
        "cite",
        "dd",
        "byline",
        "section",
        "figcaption",
        "time",
        "button",
    ]
)
_LABELS = re.compile(r"[\s|｜/]+(?=[\u3040-\u9fff]{1,6}[:：])")
"""Where in a line of several labels with their values the next begins (Chinese and Japanese pages have such)."""
_BUREAU = re.compile(r"^【[^【】・]*(?:支局|総局|本社|本部|部|局)・([^【】・]{2,12})】$")
"""A Japanese byline: the bureau and the writer in one pair of brackets."""
_LONGEST_LINE = 120
_LONGEST_PIECE = 400
"""Characters of one piece of text, with its indentation, that may be a line."""
_LONGEST_NAME = 80
_MOST_LABELS = 3
_FURTHEST = 8
"""Levels above the headline within which a byline without markup is the article's."""
_MOST_NAMES = 6
_MOST_AFTER, _MOST_BEFORE = 800, 40
"""Elements after and before the headline among which a line without markup is looked for."""
_REACH = 400
"""Characters after the headline within which a line with a date, or with nothing but a name, is the byline's."""


_CLOSE = 4
"""Levels above the headline within which a line without a label is the article's."""
_NEXT = 3
"""Elements between a day and a name that stand in one line."""
_DAY = re.compile(r"\d{4}|\d{1,2}[./]\s?\d{1,2}")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A short text near the headline."""

    place: int
    """Elements from the headline to it; negative before the headline."""
    read: int
    """Characters between the headline and it."""
    holder: Any
    text: str


def _author_items(document: Document) -> Iterator[Any]:
    named = document.elements.bearing("itemprop")
    return (one for one in named if one.get("itemprop") == "author" and one.tag not in ("link", "meta"))


def marked(document: Document, headline: Headline) -> Iterator[Listed]:
    """The bylines that markup or a class name tells: those nearest the headline."""
    links = (link for link in document.elements.tagged("a") if "author" in (link.get("rel") or "").split())
    items = dict.fromkeys([*islice(links, 20), *islice(_author_items(document), 20)])
    near = [(headline.levels(element), element) for element in items if not foreign(element, headline)]
    least = min((levels for levels, _ in near), default=0)
    named = [
        text
        for levels, element in near
        if levels <= least + 1 and (text := _person(element)) and len(text) <= _LONGEST_NAME
    ]
    if named:
        yield "dom:author", list(dict.fromkeys(named))[:_MOST_NAMES], 0.86 if least <= _FURTHEST else 0.75
    best: tuple[int, Listed] | None = None
    for element in document.elements.called(_is_byline):
        if element.tag in ("body", "article", "html"):
            continue
        levels = headline.levels(element)
        if best is not None and levels >= best[0]:
            continue
        text = short_text(element) or ""
        if len(text) < 3 or is_other_part(text) or foreign(element, headline):
            continue
        texts = _linked(element) or [text]
        count = sum(len(split_names(part)) for part in texts)
        if count <= _MOST_NAMES:
            lead = bool(lexicon().byline.match(text)) or without_opening(text) != text
            trust = (0.83 if levels <= _FURTHEST else 0.72) if lead else 0.65
            best = (levels, ("dom:byline", texts, trust))
    if best:
        yield best[1]


def beside_headline(document: Document, headline: Headline) -> Iterator[Listed]:
    """Lines near the headline that begin like a byline, names beside the date, links there to a writer's page."""
    if headline.element is None:
        return
    elements, at = document.elements.all, document.elements.all.index(headline.element)
    after = at + sum(1 for _ in headline.element.iter(etree.Element))
    near = [*enumerate(elements[max(0, at - _MOST_BEFORE) : at], -min(at, _MOST_BEFORE))]
    near += enumerate(elements[after : at + _MOST_AFTER], after - at)
    pieces = list(_pieces(near))
    # of several labels the first that names a person: "Source: … Writer: …"
    yield from sorted(islice(_labelled(pieces, headline), _MOST_LABELS), key=lambda line: -line[2])[:1]
    yield from islice(_dated(pieces, headline), 1)
    links = [
        text
        for _, element in near
        if element.tag == "a"
        and _PROFILE.search(element.get("href") or "")
        and _is_beside(element, headline)
        and (text := text_of(element))
    ]
    if links:
        yield "dom:author-link", list(dict.fromkeys(links))[:3], 0.7


def _pieces(near: Iterable[tuple[int, Any]]) -> Iterator[_Piece]:
    """The short texts around the headline in page order; far below it only those that may begin like a byline."""
    read, starts = 0, lexicon().byline_starts
    for place, element in near:
        is_line = element.tag in _LINES
        for piece, own in ((element.text, True), (element.tail, False)):
            if not piece or (own and not is_line) or not (text := piece.strip()):
                continue
            before, read = read, read + (len(text) if place > 0 else 0)
            if len(text) > _LONGEST_PIECE or (before > _REACH and text[:2].casefold() not in starts):
                continue
            holder = element if own else element.getparent()
            if holder is not None and holder.tag in _LINES and len(text := squash(text)) <= _LONGEST_LINE:
                for part in _LABELS.split(text) if not text.isascii() else (text,):
                    yield _Piece(place=place, read=before, holder=holder, text=_BUREAU.sub(r"文・\1", part))


def _labelled(pieces: Iterable[_Piece], headline: Headline) -> Iterator[Listed]:
    """The lines that begin like a byline."""
    words = lexicon()
    for piece in pieces:
        if piece.text[:2].casefold() in words.byline_starts and (lead := words.byline.match(f"{piece.text} ")):
            line = _line(piece.holder, piece.text, len(lead[0]) > len(piece.text), headline)
            if line is not None:
                yield line


def _dated(pieces: Iterable[_Piece], headline: Headline) -> Iterator[Listed]:
    """The names in one line with a day, or right beside one."""
    first = [piece for piece in pieces if piece.read <= _REACH]
    days = [piece.place for piece in first if _DAY.search(piece.text)]
    for piece in first:
        if not any(abs(piece.place - day) <= _NEXT for day in days):
            continue
        if piece.place in days:
            text = short_text(piece.holder) or piece.text
            names = names_beside_date(text) if len(text) <= _LONGEST_LINE else []
        else:
            name = plain_name(piece.text) if piece.place > 0 and not _in_other(piece.holder) else ""
            names = [name] if name else []
        if names and _is_beside(piece.holder, headline):
            yield "dom:date-name", names, 0.6


def _is_beside(element: Any, headline: Headline) -> bool:
    return headline.levels(element) <= _CLOSE and not foreign(element, headline)


def _in_other(element: Any) -> bool:
    """Whether an element is a word of a longer text, a heading, or a link that leads to no writer's page."""
    link = element if element.tag == "a" else next(element.iterancestors("a"), None)
    if element.tag in ("h4", "h5", "h6") or (link is not None and not _PROFILE.search(link.get("href") or "")):
        return True
    parent = element.getparent()
    around = short_text(parent) if parent is not None else ""
    return around is None or len(around) > _LONGEST_LINE


def _line(element: Any, own: str, bare: bool, headline: Headline) -> Listed | None:
    """A line that begins like a byline; the name may be in the next element, or in what follows this one."""
    levels = headline.levels(element)
    if levels > _FURTHEST or foreign(element, headline):
        return None
    text = own if own != squash(element.text or "") else (short_text(element) or "")
    if bare and text == own:
        following = next(element.itersiblings("*"), None)
        text = f"{own} {squash(element.tail or '') or (short_text(following) or '' if following is not None else '')}"
    byline = read_byline(text) if text and len(text) <= _LONGEST_LINE else Byline()
    if (
        levels <= _CLOSE
        and not byline.people
        and len(byline.others) == 1
        and is_pen_name(byline.others[0], frozenset())
    ):
        return "dom:line", [text], 0.62
    names = byline.people
    # A phrase may begin with "von" or "di" as well: one word is too little for a line far off or cut short.
    if not names or (all(" " not in name for name in names) and (levels > _CLOSE or text.endswith(","))):
        return None
    return "dom:line", [text], 0.84 if levels <= _CLOSE else 0.62


@lru_cache(maxsize=2_000)
def _is_byline(names: str) -> bool:
    """Whether one of the names of an element is a byline's; the others may say how it looks."""
    lowered = names.lower()
    if not (
        "aut" in lowered
        or "by" in lowered
        or "wr" in lowered
        or "user" in lowered
        or "creator" in lowered
        or "sign" in lowered
        or "firma" in lowered
        or "reda" in lowered
        or "verf" in lowered
        or "report" in lowered
        or "journal" in lowered
    ):
        return False  # most names: no pattern is needed to see it
    return any(_BYLINE.search(name) and not _NOT_BYLINE.search(name) for name in lowered.split())


@lru_cache(maxsize=2_000)
def _is_name(names: str) -> bool:
    return any(_NAMED.search(name) for name in names.split())


def _linked(element: Any) -> list[str]:
    """The names that a byline's links and marked parts hold: what stands around them are jobs and places."""
    for parts in (_INNER(element), (part for part in element.iterdescendants() if _is_name(part.get("class") or ""))):
        if texts := [text for part in islice(parts, 10) if (text := text_of(part)) and split_names(text)]:
            return list(dict.fromkeys(texts))
    return []


def _person(element: Any) -> str:
    inner = _INNER_NAMES(element)
    return "; ".join(text_of(part) for part in inner) if inner else text_of(element)
