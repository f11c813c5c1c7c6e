"""Authors: the persons a page names as its writers, and the agencies and newsrooms that it credits beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.document import Document
from tasks.extract.headline import Headline, page_headline
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values
from tasks.extract.namelines import Listed, beside_headline, marked
from tasks.extract.names import Byline, distinct, is_house, is_pen_name, read_byline, split_names

__all__ = ["Bylines", "authors", "bylines", "distinct", "split_names"]

_HOUSES = {"Organization", "NewsMediaOrganization", "Corporation"}
_PEN_NAMED = (
    "jsonld:author",
    "meta:author",
    "meta:twitter:data1",
    "dom:author",
    "dom:byline",
    "dom:line",
    "dom:author-link",
)
"""Places that name one account as the writer where they name no person."""
_PEN_NAME = 0.4
_LONGEST_LINE = 120
_INSIDE = ("author", "creator", "item")
"""Where the person hangs in a node that only says what part it had (schema.org Role, ListItem)."""
_ENCODED = ("[{", "{")
"""How a value begins that a template has encoded as JSON a second time."""
_ARTICLE = re.compile(r"(?:the|der|die|das|el|la|le|les|los|las|il|o|het)\b")


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
    houses = _people(node, houses=True)
    credit = [
        Finding(value=name, source="jsonld:author", raw=name, confidence=_trust_in_house(document, name))
        for name in houses
    ]
    for source, texts, trust in _listed(
        document, node, material, list(recipe), headline or page_headline(document, node)
    ):
        declared = source.startswith(("meta:", "jsonld:", "recipe:"))
        read = [_sure(read_byline(text, own, declared=declared), source, document.url, text) for text in texts]
        names = distinct(name for byline in read for name in byline.people)
        raw = "; ".join(texts)
        if names:
            found.append(Finding(value=names, source=source, raw=raw, confidence=trust))
        others = dict.fromkeys(name for byline in read for name in byline.others)
        credit += [Finding(value=other, source=source, raw=raw, confidence=trust) for other in others]
    if found:  # beside a person's name an unknown word is a job or a button
        credit = [one for one in credit if one.value in houses or is_house(fold(one.value), frozenset())]
    found += _pen_names(credit, own, document.url) if not found else []
    found.sort(key=lambda finding: -finding.confidence)
    credit.sort(key=lambda finding: -finding.confidence)
    return Bylines(authors=tuple(found), credit=tuple(credit))


def authors(
    document: Document, node: dict[str, Any] | None, material: Material, recipe: Iterable[str], sites: frozenset[str]
) -> tuple[Finding[tuple[str, ...]], ...]:
    """The author findings alone, best first: each a list of names."""
    return bylines(document, node, material, recipe, sites).authors


def _pen_names(credit: Iterable[Finding[str]], own: frozenset[str], url: str) -> list[Finding[tuple[str, ...]]]:
    """The account that is all a page names as its writer, as on many weblogs; a house's account is none."""
    named = [
        finding
        for finding in credit
        if finding.source in _PEN_NAMED
        and is_pen_name(finding.value, own)
        and not _named_like(finding.value, _label(url))
    ]
    if len({fold(finding.value) for finding in named}) != 1:
        return []
    best = named[0]
    return [Finding(value=(best.value,), source=best.source, raw=best.raw, confidence=_PEN_NAME)]


def _trust_in_house(document: Document, name: str) -> float:
    """A house that markup declares as the author, but no reader sees, is what a template fills in; so is an address."""
    key = fold(name)
    if " " not in name and "." in name:
        return 0.5
    shown = (element for element in document.elements.all if element.tag not in ("script", "style", "title"))
    texts = (text for element in shown for text in (element.text, element.tail) if text)
    return 0.9 if any(len(text) < _LONGEST_LINE and key in fold(text) for text in texts) else 0.5


def _writers(document: Document, own: frozenset[str]) -> set[str]:
    """Names of the site that are a person's: schema.org says so, or a first and last name are all of its host's."""
    typed = (other for other in document.jsonld if "Person" in jsonld.types(other))
    people = {fold(name) for other in typed for name in jsonld.strings(other.get("name"))}
    label = _label(document.url)
    return people | {name for name in own if len(name.split()) in (2, 3) and re.sub(r"\W", "", name) == label}


def _label(url: str) -> str:
    """The longest label of a host, without hyphens: what a site calls itself."""
    return max((urlsplit(url).hostname or "").split(".")[:-1], key=len, default="").replace("-", "")


def _sure(byline: Byline, source: str, url: str, text: str) -> Byline:
    """The byline, but a house and its town, or the words of its name, are no list of persons."""
    declared = source.startswith(("meta:", "jsonld:"))
    label = _label(url)
    everyone = (*byline.people, *byline.others)
    if declared and any(_is_firm(name) for name in byline.others):
        return Byline(others=byline.others[:1])
    if declared and any(_named_like(name, label) for name in everyone):
        led = lexicon().byline.match(text) is not None  # "By Anna Kowal, The Tarn Post"
        writers = tuple(name for name in byline.people if led and " " in name and not _named_like(name, label))
        return Byline(people=writers, others=byline.others if writers else everyone[:1])
    if declared and len(byline.people) > 1 and not any(" " in name for name in byline.people if name.isascii()):
        return Byline(others=byline.others)
    if source == "meta:twitter:creator":
        return Byline(people=tuple(name for name in byline.people if " " in name))
    return byline


def _is_firm(name: str) -> bool:
    return bool(re.search(r"\b(?:gmbh|inc|ltd|llc|ag|e\.\s?v|verlag|departement|ministerium)\b", fold(name)))


def _named_like(name: str, label: str) -> bool:
    bare = re.sub(r"\W", "", fold(name))
    if bare == label and len(name.split()) in (2, 3) and not _ARTICLE.match(fold(name)):
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
    yield from marked(document, headline)
    yield from beside_headline(document, headline)
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
            elif isinstance(value, dict) and _is_numbered(value):
                stack.extend([*value.values()][::-1])
            elif isinstance(value, dict):
                kinds = jsonld.types(value)
                if houses == (bool(kinds & _HOUSES) and "Person" not in kinds):
                    named = jsonld.strings(value.get("name") or value.get("@list")) or _parts_of_name(value)
                    found += named
                    stack.extend(inner for key in _INSIDE if (inner := value.get(key)) and not named)
            elif isinstance(value, str) and value.lstrip().startswith(_ENCODED):
                stack.append(jsonld.parse(value))
            elif isinstance(value, str) and not houses:
                found.append(value)
        if found:
            return found
    return []


def _is_numbered(value: dict[str, Any]) -> bool:
    """Whether an object is a list in disguise, as some languages write lists with gaps."""
    return bool(value) and all(key.isdecimal() for key in value)


def _parts_of_name(person: dict[str, Any]) -> list[str]:
    """A name that is only there in its parts (schema.org givenName, familyName)."""
    parts = [part for key in ("givenName", "familyName") for part in jsonld.strings(person.get(key))[:1]]
    return [" ".join(parts)] if len(parts) > 1 else []
