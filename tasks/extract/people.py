"""Authors: the persons a page names as its writers, without job titles, agencies, addresses and the site itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.document import Document, text_of
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values

_BYLINE = re.compile(
    r"byline|by-line|author|autor|auteur|autore|verfasser|writer|creator|signature|firma|redakteur", re.IGNORECASE
)
_NOT_BYLINE = re.compile(
    r"bio|desc|about|image|avatar|photo|comment|related|follow|social|box|card|more|teaser|list-item|date|time|job|title|role",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*[;|•·\n\t]\s*|\s+[/–—-]+\s+|\s*&\s*|\s*/\s*")
_ADDRESS = re.compile(r"https?://|www\.|\S+@\S+|@\w+|^\S+\.(?:com|org|net|de|fr|html?)\b", re.IGNORECASE)
_NAME = re.compile(r"^[^\W\d_](?:[^\W\d_]|[.'’‘`´\- \u0300-\u036f\u0900-\u0dff\u0e30-\u0e4e\u200c\u200d])*$")
_DATED_TAIL = re.compile(r"\s+(?:(?:am|on|le|il|el|em|den|op|dne|at)\s+)?\d.*$", re.DOTALL)
_MOST_NAMES = 8
_PARENTHESIS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]")


def authors(
    document: Document, node: dict[str, Any] | None, material: Material, recipe: Iterable[str], sites: frozenset[str]
) -> tuple[Finding[tuple[str, ...]], ...]:
    """The findings, best first: each a list of names. A source that names no person gives none."""
    own = sites | {fold(name) for name in (material.publisher, material.hints.publisher) if name}
    listed: list[tuple[str, list[str], float]] = [("recipe:authors", list(recipe), 1.0)]
    listed.append(("jsonld:author", list(_people(node)), 0.9))
    listed += [
        (f"meta:{name}", [text for _, text in values(document.meta, (name,))], trust)
        for name, trust in trusted_names("author")
    ]
    listed += [(source, [text], trust) for source, text, trust in _lines(document)]
    listed.append(("feed:author", list(material.hints.authors), 0.7))
    found = []
    for source, texts, trust in listed:
        names = distinct(name for text in texts for name in split_names(text, own))
        if names:
            found.append(Finding(value=names, source=source, raw="; ".join(texts), confidence=trust))
    found.sort(key=lambda finding: -finding.confidence)
    return tuple(found)


def split_names(text: str, own: frozenset[str] = frozenset()) -> list[str]:
    """The persons' names in a byline; `own` are folded names of the site, which are no authors."""
    words = lexicon()
    text = _PARENTHESIS.sub("", squash(jsonld.plain(text)))
    while (lead := words.byline.match(text)) and len(lead[0]) < len(text):
        text = text[lead.end() :].lstrip(" :")
    names = []
    for segment in _SPLIT.split(text):
        parts = [_DATED_TAIL.sub("", part).strip(" .:-–—") for part in re.split(r"\s*[,،、，]\s*", segment)]
        if len(parts) == 2 and all(part and " " not in part and _is_name(part, own) for part in parts):
            parts = [f"{parts[1]} {parts[0]}"]  # "Surname, Given name"
        for part in parts:
            for joined in words.joiner.split(part):
                lead = words.byline.match(joined)
                name = (joined[lead.end() :] if lead and len(lead[0]) < len(joined) else joined).strip(" .:")
                if _is_name(name, own):
                    names.append(name)
    return names


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Each person once; of two spellings, the one that is not all capitals."""
    kept: dict[str, str] = {}
    for name in names:
        key = fold(name).replace(".", "")
        if key not in kept or (kept[key].isupper() and not name.isupper()):
            kept[key] = name
    return tuple(kept.values())


def _is_name(text: str, own: frozenset[str]) -> bool:
    key = fold(text)
    words = lexicon()
    if not 1 < len(text) <= 60 or len(text.split()) > 6 or not _NAME.match(text) or _ADDRESS.search(text):
        return False
    if (
        key in words.months
        or words.published.match(key)
        or key in words.agencies
        or key in own
        or key.removeprefix("the ") in own
        or words.role.search(key)
    ):
        return False
    # A sentence's words are lower case; a name's particles ("van der") are few.
    small = [word for word in text.split() if word[0].islower()]
    return (len(small) * 2 < len(text.split())) and key not in words.line


def _people(node: dict[str, Any] | None) -> Iterator[str]:
    """The names of an article node's authors; organisations (schema.org allows both) are left out."""
    for key in ("author", "creator"):
        stack = [(node or {}).get(key)]
        found = []
        while stack:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(value[::-1])
            elif isinstance(value, dict):
                if not jsonld.types(value) & {"Organization", "NewsMediaOrganization", "Corporation"}:
                    found += jsonld.strings(value.get("name") or value.get("@list"))
            elif isinstance(value, str):
                found.append(value)
        if found:
            yield from found
            return


def _lines(document: Document) -> Iterator[tuple[str, str, float]]:
    """The bylines that stand visibly on the page, with how far each kind is trusted."""
    tree = document.tree
    people = tree.xpath(
        "//*[@itemprop='author' or contains(concat(' ', @rel, ' '), ' author ')]"
        "[not(self::link or self::meta)][not(ancestor::aside)]"
    )
    named = [text for element in people[:6] if (text := _person(element)) and len(text) <= 80]
    if named:
        yield "dom:author", "; ".join(dict.fromkeys(named)), 0.75
    for element in tree.xpath("//body//*[@class][not(ancestor::aside or ancestor::footer or ancestor::nav)]"):
        name = element.get("class")
        if _BYLINE.search(name) and not _NOT_BYLINE.search(name):
            text = _person(element)
            if 3 < len(text) <= 200 and len(split_names(text)) <= _MOST_NAMES // 2:
                yield "dom:byline", text, 0.72 if lexicon().byline.match(squash(text)) else 0.65
                break
    for heading in tree.xpath("//h1")[:2]:
        for sibling in [s for s in heading.itersiblings() if isinstance(s.tag, str)][:4]:
            text = squash(text_of(sibling))
            if len(text) <= 120 and lexicon().byline.match(text):
                yield "dom:line", text, 0.68


def _person(element: Any) -> str:
    inner = element.xpath(".//*[@itemprop='name']")
    return "; ".join(text_of(part) for part in inner) if inner else text_of(element)
