"""Forgiving and safe reading of XML: no entity is fetched, none is nested, and what can be read is."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawler.discovery.balance import balanced
from crawler.discovery.text import scrub
from storage.errors import DiscoveryError

Element = Any
"""An lxml element; lxml comes without types."""

Fields = dict[str, list[Element]]
"""The children of an element by name, as `name_of` gives it."""

PROLOGUE = 200_000
"""Characters in which the root element must begin: room for a long DOCTYPE or the warnings of a broken script."""

MAX_FIELD = 1_000_000
"""Characters of one element that are read: entries nested by mistake would be read again and again."""

_ROOT = re.compile(
    r"<!--(?:.*?-->|.*)"
    r"|<(?:[\w.\-]+:)?(?P<name>rss|rdf|feed|urlset|sitemapindex|channel|html|head|body|!doctype\s+html)(?=[\s/>])",
    re.IGNORECASE | re.DOTALL,
)
_ENTITY = re.compile(
    r"<!ENTITY\s+(?P<parameter>%\s+)?(?P<name>[^\s\"'<>]+)\s+"
    r"(?:(?P<outside>SYSTEM|PUBLIC)\b|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
)
_REFERENCE = re.compile(
    r"&(?:#(?P<dec>[0-9]+);|#[xX](?P<hex>[0-9A-Fa-f]+);|(?P<name>[A-Za-z][\w.\-]*);)?"
    r"|<(?:(?![\w/!?:])|!\[CDATA\["
    # A section that runs into the next entry has lost its end, and would swallow that one.
    r"(?=.*?(?:(?P<ended>\]\]>|\Z)|</(?i:(?:[\w.\-]+:)?(?:item|entry|url)\s*>\s*<(?:[\w.\-]+:)?(?:item|entry|url)[\s>])))"
    r"(?(ended).*?(?:\]\]>|\Z)|(?P<lost>)))",
    re.DOTALL,
)
_HARMLESS = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);")
_PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})
_OPENING = re.compile(r"<(?:[\w.\-]+:)?(?:item|entry|url|sitemap)(?=[\s/>])", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:[\w.\-]+:)?(?:item|entry|url|sitemap)\s*>", re.IGNORECASE)
_HARMLESS_ERRORS = frozenset({etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE, etree.ErrorTypes.NS_ERR_XML_NAMESPACE})
"""After these the parser goes on as if nothing were wrong."""
_MOST_ERRORS = 100
"""The parser counts no more of them: the one that is looked for may have come later."""
_XML = "{http://www.w3.org/XML/1998/namespace}"
_PREFIXES = {
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "www.w3.org/2005/atom": "atom",
    "purl.org/atom/ns": "atom",
    "search.yahoo.com/mrss": "media",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "www.google.com/schemas/sitemap-news/0.9": "news",
    "www.w3.org/1999/xhtml": "xhtml",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    # The namespaces that RSS had: its elements go without a prefix whatever the root is.
    "www.w3.org/1999/02/22-rdf-syntax-ns": "",
    "purl.org/rss/1.0": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "channel.netscape.com/rdf/simple/0.9": "",
    "backend.userland.com/rss2": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An XML document as far as it could be read."""

    root: Element
    home: str
    """The namespace whose names go without a prefix."""
    url: str
    truncated: bool

    def fields(self, element: Element) -> Fields:
        """Return the children of an element by name."""
        found: Fields = defaultdict(list)
        for child in element:
            found[name_of(child, self.home)].append(child)
        return found

    def all(self, name: str) -> list[Element]:
        """Return all elements of a name, wherever they stand: broken markup nests what should be siblings."""
        return [element for element in self.root.iter() if name_of(element, self.home) == name]

    def base(self, element: Element) -> str:
        """Return the address that relative links in `element` are resolved against (XML Base section 4)."""
        base = self.url
        for part in reversed([element, *element.iterancestors()]):
            if own := part.get(f"{_XML}base"):
                base = _join(base, own.strip())
        return base

    def has_base(self, element: Element) -> bool:
        """Return whether an xml:base holds for the element."""
        return any(part.get(f"{_XML}base") for part in (element, *element.iterancestors()))


def root_name(text: str) -> str | None:
    """Return what the text is by its first telling tag.

    One of `rss`, `rdf`, `feed`, `channel`, `urlset`, `sitemapindex` and `html`, or None.
    """
    match = _root(text)
    if match is None:
        return None
    name = match["name"].lower()
    return "html" if name.startswith(("!", "html", "head", "body")) else str(name)


def parse_xml(text: str, url: str) -> Document:
    """Read the XML document that begins anywhere in `text`.

    What comes before the root (BOM, blank lines, warnings of a script, DOCTYPE) is left out; bare ampersands,
    undeclared HTML entities and forbidden characters are put right; a document that breaks off is closed after its
    last whole entry. Raises DiscoveryError `xml_entities` for entities that nest, are long or lie outside,
    `not_a_feed` if nothing can be read.
    """
    entities = _entities(text[: PROLOGUE * 5])
    match = _root(text)
    body, truncated = _whole(scrub(text[match.start() if match else 0 :]), match["name"] if match else "")
    body = _REFERENCE.sub(lambda reference: _mended(reference, entities), body)
    try:
        root = _tree(body)
    except etree.XMLSyntaxError as error:
        raise DiscoveryError("not_a_feed", f"unreadable XML: {error}") from error
    if root is None:
        raise DiscoveryError("not_a_feed", "unreadable XML")
    return Document(root=root, home=_namespace(root.tag), url=url, truncated=truncated)


def _tree(body: str) -> Element:
    """Return the root; where tags are broken, of the document with its tags put right. Raises XMLSyntaxError.

    What recovers takes an end tag for that of the last open element, whatever its name: unclosed tags pile up from one
    entry to the next, until the parser gives up at its greatest depth and drops the rest.
    """
    root, errors = _parsed(body)
    if len(errors) >= _MOST_ERRORS or any(error.type not in _HARMLESS_ERRORS for error in errors):
        root, _ = _parsed(balanced(body))
    return root


def _parsed(body: str) -> tuple[Element, Any]:
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    return etree.fromstring(body.encode("utf-8"), parser), parser.error_log


def text_of(element: Element) -> str:
    """Return all text in the element, trimmed."""
    if not len(element):
        return (element.text or "").strip()
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(part)
        size += len(part)
        if size > MAX_FIELD:
            break
    return "".join(parts).strip()


def first_text(fields: Fields, *names: str) -> str:
    """Return the first text that is not empty among the children of these names, in the order of the names."""
    return next((text for text in texts(fields, *names)), "")


def texts(fields: Fields, *names: str) -> list[str]:
    """Return the texts that are not empty of all children of these names, in the order of the names."""
    return [text for name in names for element in fields.get(name, ()) if (text := text_of(element))]


def inner_markup(element: Element) -> str:
    """Return the content of an element as HTML."""
    parts = [html.escape(element.text or "", quote=False)]
    for child in element:
        markup = deepcopy(child)
        for part in markup.iter(etree.Element):
            part.tag = part.tag.rpartition("}")[2].rpartition(":")[2]
        etree.cleanup_namespaces(markup)
        parts.append(etree.tostring(markup, encoding="unicode", method="html"))  # with the text behind it
    return "".join(parts).strip()


@lru_cache(maxsize=4096)
def _name(tag: str, home: str) -> str:
    namespace, local = _namespace(tag), tag.rpartition("}")[2].lower()
    if namespace in ("", home):
        return local
    prefix = _PREFIXES.get(namespace, "?")
    return f"{prefix}:{local}" if prefix else local


def name_of(element: Element, home: str) -> str:
    """Return the element's name in small letters: bare in the document's own namespace or in none, else with the usual
    prefix.

    An undeclared prefix is kept as it was written, which for the known ones is the usual prefix.
    """
    return _name(element.tag, home) if isinstance(element.tag, str) else ""


def _namespace(tag: str) -> str:
    """Return the namespace without what authors get wrong: scheme, letter case, and the sign at its end."""
    space = tag[1:].partition("}")[0] if tag.startswith("{") else ""
    return space.lower().partition("://")[2].rstrip("/#") if "://" in space else space.lower()


def _root(text: str) -> re.Match[str] | None:
    start, end = _doctype(text)
    position = end if start is not None else 0
    return next((match for match in _ROOT.finditer(text, position, position + PROLOGUE) if match["name"]), None)


def _doctype(text: str) -> tuple[int | None, int]:
    """Return where a DOCTYPE with an internal subset begins and ends; one without is no hindrance."""
    start = re.search(r"<!DOCTYPE[^<>\[]*\[", text[:PROLOGUE], re.IGNORECASE)
    if start is None:
        return None, 0
    end = re.compile(r"\]\s*>").search(text, start.end())
    return start.start(), end.end() if end else len(text)


def _entities(text: str) -> dict[str, str]:
    """Return the harmless entities that the document declares; all others are refused."""
    start, end = _doctype(text)
    if start is None:
        return {}
    declared: dict[str, str] = {}
    for match in _ENTITY.finditer(text, start, end):
        if match["parameter"]:
            continue  # a set of entities that lies outside (XHTML's): never fetched, and we know its names
        value = match["double"] if match["double"] is not None else match["single"] or ""
        unfolded = _HARMLESS.sub(lambda reference: html.unescape(reference[0]), value)
        if match["outside"] or len(value) > 100 or re.search(r"&[A-Za-z_:]", unfolded):
            raise DiscoveryError("xml_entities", f"the entity {match['name']!r} nests, is long or lies outside")
        declared[match["name"]] = unfolded
    return declared


def _mended(match: re.Match[str], entities: dict[str, str]) -> str:
    text = match[0]
    if text.startswith("<!"):
        return text if match["lost"] is None else ""
    if text[0] == "<":
        return "&lt;" + text[1:]
    if match["dec"] or match["hex"]:
        return _escaped(html.unescape(text))
    name = match["name"]
    if name is None:
        return "&amp;" + text[1:]
    if name in _PREDEFINED:
        return text
    value = entities[name] if name in entities else html5.get(f"{name};")
    return "&amp;" + text[1:] if value is None else _escaped(value)


def _escaped(text: str) -> str:
    return html.escape(scrub(text), quote=True)


def _whole(text: str, root: str) -> tuple[str, bool]:
    """Cut a document without its end tag after its last whole entry: half an address must not be taken for one."""
    if re.search(rf"</(?:[\w.\-]+:)?{re.escape(root)}\s*>", text, re.IGNORECASE):
        return text, False
    opening = _OPENING.search(text)
    if opening is None:
        return text, not re.match(r"<[^<>]*/>\s*\Z", text)
    end = max((match.end() for match in _CLOSING.finditer(text)), default=opening.start())
    return text[:end], True


def _join(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return base
