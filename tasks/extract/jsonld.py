"""JSON-LD as pages have it: broken syntax mended, graphs flattened, and the node chosen that is this page's article."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from tasks.extract.lexicon import fold, squash

Node = dict[str, Any]

_SHELL = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|\]\]>|/\*\s*\]\]>\s*\*/)\s*$"
)
# A whole string, or one of the faults between strings: a comment, a comma too many, a comma too few.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|(?m:(?<![:"\w])//[^\n]*$)|,(?=\s*(?:,|[}\]]))', re.DOTALL)
_MISSING_COMMA = re.compile(r'(["}\]\d])(\s*\n\s*)(?="[\w@]+"\s*:)')
_ESCAPE = re.compile(r'\\(?:\'|(?!["\\/bfnrt]|u[0-9a-fA-F]{4}))')
_SINGLE = re.compile(r"[\[{\s]*'[^\"']*'\s*:")
"""The start of an object as JavaScript may write it, with single quotation marks."""
_QUOTED_ONCE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_FIELD = re.compile(
    r'"(@type|headline|name|url|description|datePublished|dateModified|dateCreated|articleSection|inLanguage|isAccessibleForFree)"'
    r'\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|(\d{10,13}|true|false))'
)
_AUTHOR = re.compile(r'"author"\s*:\s*(?:\[\s*)?(?:\{[^{}]*?"name"\s*:\s*)?"((?:[^"\\\n]|\\.)*)"')
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# Where the page's own node may hang; a list of links, an update or a comment is another work.
_ROADS = ("@graph", "mainEntity", "mainEntityOfPage")
_MAX_BYTES = 5_000_000
_MAX_NODES = 2_000
_MAX_DEPTH = 40
_ARTICLE_TYPES = frozenset(
    ("Report", "SocialMediaPosting", "BlogPosting", "DiscussionForumPosting", "LiveBlogPosting", "Review")
)


def nodes(tree: Any) -> tuple[Node, ...]:
    """The nodes of all JSON-LD scripts that may describe the page, in page order, with `@id` references resolved."""
    found: list[Node] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            found.extend(_flat(parse(script.text[:_MAX_BYTES])))
    by_id: dict[str, Node] = {}
    for node in _all(found):
        if isinstance(node.get("@id"), str) and len(node) > 1:
            by_id.setdefault(node["@id"], node)
    return tuple(_resolved(node, by_id) for node in found[:_MAX_NODES])


def parse(text: str) -> list[Any]:
    """Read a script's JSON, mending the faults that leave its meaning clear; in the worst case its plain fields."""
    stripped = _SHELL.sub("", _SHELL.sub("", text)).strip().rstrip(";").strip()
    for attempt in (stripped, _mended(stripped), _mended(html.unescape(stripped))):
        values = _values(attempt)
        if values is not None:
            return [inner for value in values for inner in _unwrapped(value)]
    return _salvaged(stripped)


def types(node: Mapping[str, Any]) -> set[str]:
    """The local names of a node's types."""
    return {name.rsplit("/", 1)[-1].removeprefix("schema:") for name in strings(node.get("@type"))}


def is_article(node: Mapping[str, Any]) -> bool:
    """Whether a node is an Article or one of its subtypes (schema.org)."""
    return any(
        name.endswith(("Article", "Posting")) or name in _ARTICLE_TYPES for name in types(node)
    ) and "JobPosting" not in types(node)


def article(found: Sequence[Node], addresses: Iterable[str], titles: Iterable[str]) -> Node | None:
    """The node of this page's article: told by its address, then by its headline, then by its place."""
    mine = {_key(address) for address in addresses}
    heads = {fold(title) for title in titles if title}
    scored = [(_score(node, mine, heads), -place, node) for place, node in enumerate(found) if is_article(node)]
    best = max(scored, key=lambda row: row[:2], default=None)
    return best[2] if best and best[0] >= 0 else None


def strings(value: Any) -> list[str]:
    """The strings in a value that may be one, a list of them, or an object with `@value` or `name`."""
    if isinstance(value, str):
        return [text] if (text := squash(plain(value))) else []
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    if isinstance(value, dict):
        return strings(value.get("@value") or value.get("name") or value.get("@list"))
    return [str(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def first(node: Mapping[str, Any] | None, key: str) -> str | None:
    """The first string under a key."""
    return next(iter(strings(node.get(key))), None) if node else None


def plain(text: str) -> str:
    """The text with entities decoded as often as they were encoded, and without tags."""
    for _ in range(3):
        if "&" not in text or (decoded := html.unescape(text)) == text:
            break
        text = decoded
    return _TAG.sub("", text) if "<" in text else text


def links(value: Any) -> list[str]:
    """The addresses in a value: strings, `@id` and `url` of objects."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [link for item in value for link in links(item)]
    if isinstance(value, dict):
        return [link for key in ("@id", "url", "contentUrl") for link in links(value.get(key))]
    return []


def _values(text: str) -> list[Any] | None:
    decoder = json.JSONDecoder(strict=False)
    found, at = [], 0
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            found.append(value)
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n;,"))
    except (ValueError, RecursionError):
        return None
    _cut_off(found)
    return found


def _unwrapped(value: Any) -> list[Any]:
    """The values of a string that is JSON itself, as of a script that was encoded twice."""
    encoded = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return (_values(value.strip()) or []) if encoded else [value]


def _cut_off(values: list[Any]) -> None:
    """Empty what stands deeper than any description of a page does: whoever walks it recurses."""
    level: list[Any] = [values]
    for _ in range(_MAX_DEPTH):
        level = [item for one in level for item in (one.values() if isinstance(one, dict) else one) if item]
        level = [item for item in level if isinstance(item, dict | list)]
    for one in level:
        one.clear()


def _mended(text: str) -> str:
    text = _TOKEN.sub(lambda token: token[0] if token[0].startswith('"') else "", text)
    text = _QUOTED_ONCE.sub(_requoted, text) if _SINGLE.match(text) else text
    return _ESCAPE.sub(lambda escape: escape[0][1:] or r"\\", _MISSING_COMMA.sub(r"\1,\2", text))


def _requoted(token: re.Match[str]) -> str:
    return '"' + re.sub(r'(?<!\\)"', r"\"", token[1].replace("\\'", "'")) + '"'


def _salvaged(text: str) -> list[Any]:
    """The plain fields of a script that cannot be mended, the first of each name, as one node."""
    node: Node = {}
    for field in _FIELD.finditer(text):
        node.setdefault(field[1], field[2] if field[2] is not None else field[3])
    authors = [author[1] for author in _AUTHOR.finditer(text)]
    if authors:
        node["author"] = authors[:1]
    return [node] if node else []


def _flat(values: Iterable[Any]) -> Iterator[Node]:
    stack = list(values)[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value[::-1])
        elif isinstance(value, dict):
            yield value
            stack.extend(value[road] for road in reversed(_ROADS) if isinstance(value.get(road), dict | list))


def _all(found: Iterable[Node]) -> Iterator[Node]:
    stack: list[Any] = list(found)
    seen = 0
    while stack and seen < _MAX_NODES * 10:
        value = stack.pop()
        seen += 1
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            yield value
            stack.extend(item for item in value.values() if isinstance(item, dict | list))


def _resolved(node: Node, by_id: Mapping[str, Node]) -> Node:
    return {
        key: _reference(value, by_id) if key in ("author", "creator", "publisher", "image") else value
        for key, value in node.items()
    }


def _reference(value: Any, by_id: Mapping[str, Node]) -> Any:
    if isinstance(value, list):
        return [_reference(item, by_id) for item in value]
    if isinstance(value, dict) and set(value) <= {"@id", "@type"} and isinstance(value.get("@id"), str):
        return by_id.get(value["@id"], value)
    return value


def _score(node: Node, mine: set[str], heads: set[str]) -> int:
    own = [link for key in ("url", "mainEntityOfPage", "@id") for link in links(node.get(key))]
    keys = {_key(link, next(iter(mine), "")) for link in own if not link.startswith("#")} - {""}
    headline = fold(first(node, "headline") or first(node, "name") or "")
    score = 4 if keys & mine else (-1 if keys else 0)
    if headline:
        alike = any(head and (headline in head or head in headline) for head in heads)
        score += 3 if alike else (-1 if heads and not keys & mine else 0)
    # A template's node for the site ("url" is the home page) is no sign of another article.
    return score + (1 if "LiveBlogPosting" in types(node) else 0)


def _key(address: str, base: str = "") -> str:
    """An address without scheme, query and the prefixes of mobile and AMP hosts; empty for one that is none."""
    try:
        parts = urlsplit(urljoin(f"https:{base}", address))
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
    return f"//{host}{parts.path.rstrip('/').lower()}" if host else ""
