"""Finds an article's text in the data that a page carries for its own scripts (Next.js, Nuxt, Arc Fusion and kin).

Such pages may show little or nothing before their scripts have run. No framework's shape is relied upon: the text is
the list of pieces, or the one string of markup, that holds the most prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage.records import Block, BlockKind
from tasks.extract import blocks
from tasks.extract.document import Document
from tasks.extract.jsonld import plain
from tasks.extract.lexicon import squash

_ASSIGNED = re.compile(r"(?:^|[;\s])(?:window\.|self\.|var\s+)?[\w.$]+\s*=\s*(?=[{\[])")
_FLIGHT = re.compile(r"self\.__next_f\.push\(\s*(?=\[1,)")
_FLIGHT_ROW = re.compile(rb"\n?[0-9a-f]+:(?:T([0-9a-f]+),)?")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.){400,})"')
_MARKED = re.compile(r"<p\b[^>]*>|</p>|<br\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?。！？؟।…][\"'”’»)\]]*(?:\s|<|$)")
_ASIDE = re.compile(
    r"newsletter|related|recirc|interstitial|image|photo|video|gallery|embed|\bad\b|advert|promo", re.IGNORECASE
)
_OTHER_WORK = frozenset(("headline", "headlines", "slug", "published", "publishedAt", "author", "authors", "byline"))
"""Keys of an item that is a story or a comment of its own, and no piece of this one."""
_TEXT = ("content", "text", "html", "value", "body", "markup", "paragraph", "copy")
_INSIDE = ("content", "children", "childNodes", "nodes")
_LEAF = ("value", "text")
_KIND = ("type", "nodeType", "_type", "tag", "tagName", "name", "component")
_MOST_CHARACTERS = 5_000_000
_MOST_DEPTH = 60
_MOST_ASSIGNED = 20
_LEAST_SCRIPT = 500
_LEAST_PROSE = 400
"""Characters of prose below which a list is no article's."""


def state_blocks(document: Document) -> tuple[Block, ...]:
    """The blocks of the article in the page's script data; empty where none holds one."""
    best: list[Block] = []
    most = _LEAST_PROSE
    for value in _states(document):
        for candidate in _candidates(value, 0):
            size = _prose(candidate)
            if size > most:
                best, most = candidate, size
    return blocks.joined(best)


def _states(document: Document) -> Iterator[Any]:
    """The values in a page's scripts, JSON-LD left out."""
    left, flight = _MOST_CHARACTERS, []
    for script in document.elements.tagged("script"):
        text, kind = script.text or "", (script.get("type") or "").lower()
        if len(text) < _LEAST_SCRIPT or len(text) > left or "ld+json" in kind:
            continue
        left -= len(text)
        if "json" in kind:
            yield from _decoded(text, 0)
        elif pushed := _FLIGHT.search(text):
            flight += [part for row in _decoded(text, pushed.end()) for part in row[1:] if isinstance(part, str)]
        else:
            yield from _assigned(text)
    yield from _rows("".join(flight))


def _assigned(text: str) -> Iterator[Any]:
    """What a script assigns as JSON; of one that computes it, its long strings."""
    found = [value for at in list(_ASSIGNED.finditer(text))[:_MOST_ASSIGNED] for value in _decoded(text, at.end())]
    yield from found
    if not found:
        for literal in _LITERAL.finditer(text):
            yield from _decoded(literal[0].replace("\\'", "'"), 0)


def _rows(flight: str) -> Iterator[Any]:
    """The rows of a React Server Components payload: a line of JSON each, or a text after its length in bytes."""
    payload, at = flight.encode("utf-8", "replace"), 0
    while row := _FLIGHT_ROW.match(payload, at):
        newline = payload.find(b"\n", row.end())
        at = row.end() + int(row[1], 16) if row[1] else newline if newline >= 0 else len(payload)
        text = payload[row.end() : at].decode("utf-8", "replace")
        if len(text) >= _LEAST_PROSE:
            yield from [text] if row[1] else _decoded(text, 0)


def _decoded(text: str, at: int) -> list[Any]:
    try:
        start = at + len(text[at:]) - len(text[at:].lstrip())
        return [json.JSONDecoder(strict=False).raw_decode(text, start)[0]]
    except (ValueError, RecursionError):
        return []


def _candidates(value: Any, depth: int) -> Iterator[list[Block]]:
    """Every list of pieces and every string of markup under a value."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, str):
        if len(value) > _LEAST_PROSE and _MARKED.search(value):
            yield list(blocks.from_markup(value))
    elif isinstance(value, list):
        yield [block for item in value for block in _piece(item)]
        for item in value:
            yield from _candidates(item, depth + 1)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _candidates(item, depth + 1)


def _piece(item: Any) -> list[Block]:
    """The blocks of one item in a list of an article's pieces."""
    if isinstance(item, str):
        return _written(item, BlockKind.PARAGRAPH)
    if not isinstance(item, dict) or not _OTHER_WORK.isdisjoint(item):
        return []
    name = next((item[key] for key in _KIND if isinstance(item.get(key), str)), "")
    if _ASIDE.search(name):
        return []
    text = _leaves(item, 0) or next((item[key] for key in _TEXT if isinstance(item.get(key), str)), "")
    return _written(text, _kind(name))


def _leaves(node: Mapping[str, Any], depth: int) -> str:
    """The text of a rich text node, whose pieces stand in lists inside each other."""
    inside = next((node[key] for key in _INSIDE if isinstance(node.get(key), list)), None)
    if inside is None or depth > _MOST_DEPTH:
        return next((node[key] for key in _LEAF if isinstance(node.get(key), str)), "") if depth else ""
    return "".join(
        child if isinstance(child, str) else _leaves(child, depth + 1)
        for child in inside
        if isinstance(child, str | dict)
    )


def _written(text: str, kind: BlockKind) -> list[Block]:
    if _MARKED.search(text):
        return list(blocks.from_markup(text))
    bare = squash(plain(text))
    return [Block(kind=kind, text=bare, level=2 if kind is BlockKind.HEADING else 0)] if bare else []


def _kind(name: str) -> BlockKind:
    lower = name.lower()
    if re.search(r"head(?:er|ing)|^h[1-6]$", lower):
        return BlockKind.HEADING
    if "quote" in lower:
        return BlockKind.QUOTE
    return BlockKind.LIST if "list" in lower or lower == "li" else BlockKind.PARAGRAPH


def _prose(found: Iterable[Block]) -> int:
    return sum(len(block.text) for block in found if len(block.text) > 40 and _SENTENCE.search(block.text))
