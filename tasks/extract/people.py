"""Authors: the persons a page names as its writers, and the agencies and newsrooms that it credits beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.datelines import foreign, short_text
from tasks.extract.document import Document, text_of
from tasks.extract.headline import Headline, page_headline
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values
from tasks.extract.names import Byline, distinct, is_other_part, read_byline, split_names

__all__ = ["Bylines", "authors", "bylines", "distinct", "split_names"]

_BYLINE = re.compile(
    r"byline|by-line|author|autor|auteur|autore|verfasser|writer|creator|signature|firma|redakteur", re.IGNORECASE
)
_NOT_BYLINE = re.compile(
    r"bio|desc|about|image|avatar|photo|picture|comment|related|follow|social|box|card|more|teaser|list-item|date|time|job|title|role|share|authori",
    re.IGNORECASE,
)
_PROFILE = re.compile(
    r"/(?:authors?|autor(?:en|es|a|zy)?|auteurs?|autori|profil[es]?|people|staff|team|journalists?|reporters?|columnists?|redakteure?|"
    r"verfasser|menschen|mitarbeiter|expert(?:s|en)?|contributors?|writers?|user|member|skribent)/[^/?#]+",
    re.IGNORECASE,
)
_MOST_ELEMENTS = 12_000
_LONGEST_LINE = 120
_FURTHEST = 8
"""Levels above the headline within which a byline without markup is the article's."""
_MOST_NAMES = 6

_HOUSES = {"Organization", "NewsMediaOrganization", "Corporation"}

Listed = tuple[str, list[str], float]


@dataclass(frozen=True, slots=True)
class Bylines:
    """The findings of a page, best first."""

    authors: tuple[Finding[tuple[str, ...]], ...]
    credit: tuple[Finding[str], ...]


def bylines(
    document: Document,
    node: dict[str, Any] | None,
    material: Material,
    recipe: Iterable[str],
    sites: frozenset[str],
    headline: Headline | None = None,
) -> Bylines:
    """Who wrote the page. A place that names no person gives no author; what it names instead is a credit."""
    own = sites | {fold(name) for name in (material.publisher, material.hints.publisher) if name}
    own -= _writers(document, own)
    found: list[Finding[tuple[str, ...]]] = []
    credit = [
        Finding(value=name, source="jsonld:author", raw=name, confidence=0.9) for name in _people(node, houses=True)
    ]
    for source, texts, trust in _listed(
        document, node, material, list(recipe), headline or page_headline(document, node)
    ):
        declared = source.startswith(("meta:", "jsonld:", "recipe:"))
        read = [_sure(read_byline(text, own, declared=declared), source, document.url) for text in texts]
        names = distinct(name for byline in read for name in byline.people)
        raw = "; ".join(texts)
        if names:
            found.append(Finding(value=names, source=source, raw=raw, confidence=trust))
        others = dict.fromkeys(name for byline in read for name in byline.others)
        credit += [Finding(value=other, source=source, raw=raw, confidence=trust) for other in others]
    found.sort(key=lambda finding: -finding.confidence)
    credit.sort(key=lambda finding: -finding.confidence)
    return Bylines(authors=tuple(found), credit=tuple(credit))


def authors(
    document: Document, node: dict[str, Any] | None, material: Material, recipe: Iterable[str], sites: frozenset[str]
) -> tuple[Finding[tuple[str, ...]], ...]:
    """The author findings alone, best first: each a list of names."""
    return bylines(document, node, material, recipe, sites).authors


def _writers(document: Document, own: frozenset[str]) -> set[str]:
    """Names of the site that are a person's: schema.org says so, or a first and last name are all of its host's."""
    typed = (other for other in document.jsonld if "Person" in jsonld.types(other))
    people = {fold(name) for other in typed for name in jsonld.strings(other.get("name"))}
    label = _label(document.url)
    return people | {name for name in own if len(name.split()) in (2, 3) and re.sub(r"\W", "", name) == label}


def _label(url: str) -> str:
    """The longest label of a host, without hyphens: what a site calls itself."""
    return max((urlsplit(url).hostname or "").split(".")[:-1], key=len, default="").replace("-", "")


def _sure(byline: Byline, source: str, url: str) -> Byline:
    """The byline, but a house and its town, or the words of its name, are no list of persons."""
    declared = source.startswith(("meta:", "jsonld:"))
    label = _label(url)
    everyone = (*byline.people, *byline.others)
    if declared and any(_is_firm(name) for name in byline.others):
        return Byline(others=byline.others[:1])
    if source.startswith("meta:") and any(_named_like(name, label) for name in everyone):
        return Byline(others=everyone[:1])
    if declared and len(byline.people) > 1 and not any(" " in name for name in byline.people if name.isascii()):
        return Byline(others=byline.others)
    if source == "meta:twitter:creator":
        return Byline(people=tuple(name for name in byline.people if " " in name))
    return byline


def _is_firm(name: str) -> bool:
    return bool(re.search(r"\b(?:gmbh|inc|ltd|llc|ag|e\.\s?v|verlag|departement|ministerium)\b", fold(name)))


def _named_like(name: str, label: str) -> bool:
    bare = re.sub(r"\W", "", fold(name))
    if bare == label and len(name.split()) in (2, 3):
        return False  # a writer's own site
    return (
        len(label) >= 5
        and len(bare) >= 5
        and (label in bare or (bare in label and len(bare) * 3 >= len(label) * 2 and len(name.split()) != 2))
    )


def _listed(
    document: Document, node: dict[str, Any] | None, material: Material, recipe: list[str], headline: Headline
) -> Iterator[Listed]:
    yield "recipe:authors", recipe, 1.0
    yield "jsonld:author", _people(node, houses=False), 0.9
    for name, trust in trusted_names("author"):
        yield f"meta:{name}", [text for _, text in values(document.meta, (name,))], trust
    yield "meta:twitter:data1", _written_by(document), 0.78
    yield from _marked(document, headline)
    yield from _near(headline)
    yield "feed:author", list(material.hints.authors), 0.7


def _written_by(document: Document) -> list[str]:
    """Twitter cards name pairs of label and datum; some templates put the writer first, in the site's language."""
    labels = [text for _, text in values(document.meta, ("twitter:label1",))]
    data = [text for _, text in values(document.meta, ("twitter:data1",))]
    if not labels or not data:
        return []
    # The label is in the site's language; what an article's other pairs tell, prices and reading times, has figures.
    plausible = document.meta.get("og:type") == ("article",) and not re.search(r"\d", data[0])
    return data[:1] if plausible or lexicon().byline.match(f"{squash(labels[0])} ") else []


def _people(node: dict[str, Any] | None, *, houses: bool) -> list[str]:
    """The names of an article node's authors: its persons, or the organisations that schema.org allows there too."""
    for key in ("author", "creator"):
        stack = [(node or {}).get(key)]
        found = []
        while stack:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(value[::-1])
            elif isinstance(value, dict):
                kinds = jsonld.types(value)
                if houses == (bool(kinds & _HOUSES) and "Person" not in kinds):
                    found += jsonld.strings(value.get("name") or value.get("@list"))
            elif isinstance(value, str) and not houses:
                found.append(value)
        if found:
            return found
    return []


def _marked(document: Document, headline: Headline) -> Iterator[Listed]:
    """The bylines that markup or a class name tells: those nearest the headline."""
    people = document.tree.xpath(
        "//*[@itemprop='author' or contains(concat(' ', @rel, ' '), ' author ')][not(self::link or self::meta)]"
    )
    near = [(headline.levels(element), element) for element in people[:20] if not foreign(element, headline)]
    least = min((levels for levels, _ in near), default=0)
    named = [text for levels, element in near if levels <= least + 1 and (text := _person(element)) and len(text) <= 80]
    if named:
        yield "dom:author", list(dict.fromkeys(named))[:_MOST_NAMES], 0.75
    best: tuple[int, Listed] | None = None
    for element in islice(document.tree.iterfind(".//*[@class]"), _MOST_ELEMENTS):
        name = element.get("class") if isinstance(element.tag, str) else None
        if not name or not _is_byline(name) or element.tag in ("body", "article"):
            continue
        text = short_text(element) or ""
        if not text or len(text) < 3 or is_other_part(text) or foreign(element, headline):
            continue
        texts = _linked(element) or [text]
        count = sum(len(split_names(part)) for part in texts)
        levels = headline.levels(element)
        if count <= _MOST_NAMES and (best is None or levels < best[0]):
            lead = bool(lexicon().byline.match(squash(text)))
            best = (levels, ("dom:byline", texts, 0.83 if lead and levels <= _FURTHEST else 0.72 if lead else 0.65))
    if best:
        yield best[1]


@lru_cache(maxsize=8_192)
def _is_byline(name: str) -> bool:
    return bool(_BYLINE.search(name)) and not _NOT_BYLINE.search(name)


def _near(headline: Headline) -> Iterator[Listed]:
    """Lines near the headline that begin like a byline, and links there to a writer's page."""
    if headline.element is None:
        return
    links: list[str] = []
    region = next((parent for parent, levels in headline.above.items() if levels == 3), headline.element.getparent())
    if region is None:
        return
    for element in islice(
        region.iter(
            "p", "div", "span", "a", "small", "em", "address", "li", "td", "h4", "h5", "h6", "b", "strong", "i"
        ),
        1500,
    ):
        own = squash(element.text or "")
        if element.tag == "a" and _PROFILE.search(element.get("href") or "") and not foreign(element, headline):
            links.append(text_of(element))
        elif own and len(own) <= _LONGEST_LINE and lexicon().byline.match(f"{own} ") and not foreign(element, headline):
            text = short_text(element) or ""
            following = next(element.itersiblings("*"), None)
            if text == own and lexicon().byline.fullmatch(f"{own} ") and following is not None:
                text = f"{own} {short_text(following) or ''}"
            elif text == own and lexicon().byline.fullmatch(f"{own} "):
                text = f"{own} {squash(element.tail or '')}"
            if text and len(text) <= _LONGEST_LINE and split_names(text):
                yield "dom:line", [text], 0.84
                break
    if links:
        yield "dom:author-link", list(dict.fromkeys(link for link in links if link))[:3], 0.7


def _linked(element: Any) -> list[str]:
    """The names that a byline's links and marked parts hold: what stands around them are jobs and places."""
    inner = element.xpath(".//*[@itemprop='name'] | .//a[@href]")
    texts = [text for part in inner[:10] if (text := text_of(part)) and split_names(text)]
    return list(dict.fromkeys(texts))


def _person(element: Any) -> str:
    inner = element.xpath(".//*[@itemprop='name']")
    return "; ".join(text_of(part) for part in inner) if inner else text_of(element)
