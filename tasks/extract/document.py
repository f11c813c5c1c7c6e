"""One parse of a page, shared by all that look at it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from tasks.extract import jsonld
from tasks.extract.meta import Meta, read_meta

MAX_DEPTH = 200
"""Levels of elements that a tree may have: the libraries that walk it recurse, and real pages stay below 60."""
_MAX_ATTRIBUTES = 500
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^>]*)>")
_LONG_TAG = re.compile(r"<([a-zA-Z][^\s<>/]*)[^<>]{4000,}>")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_CLASSES = etree.ElementDefaultClassLookup(element=html.HtmlElement, comment=html.HtmlComment)
"""One class for all elements: lxml.html's own choice of a class is a Python call for each element looked at."""
_RAW = frozenset(("script", "style", "textarea", "title"))


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed page."""

    tree: html.HtmlElement
    """The root element; nobody changes it (who must, copies it)."""
    url: str
    base: str
    """The address that relative links start from (HTML: document base URL)."""
    text: str
    """The decoded source."""
    jsonld: tuple[dict[str, Any], ...]
    """The JSON-LD nodes that may describe the page, in page order."""
    meta: Meta


def parse(text: str, url: str) -> Document:
    """Parse a page of any size and shape. Never raises: hopeless markup gives an empty tree."""
    tree = _tree(text)
    bases = tree.xpath("//base[@href]/@href")
    base = join(url, bases[0]) if bases else url
    return Document(tree=tree, url=url, base=base or url, text=text, jsonld=jsonld.nodes(tree), meta=read_meta(tree))


def join(base: str, link: str) -> str | None:
    """Resolve a link; None if it is no http(s) address (WHATWG URL: tabs, newlines and outer spaces do not count)."""
    try:
        joined = urljoin(base, re.sub(r"[\t\r\n]", "", link).strip())
    except ValueError:
        return None
    return joined if re.match(r"https?://[^/\s]", joined, re.IGNORECASE) else None


def text_of(element: Any) -> str:
    """An element's text without scripts, a space wherever a block or a line break ends."""
    if not isinstance(element.tag, str):
        return ""  # a comment
    parts: list[str] = []
    skip = None
    for event, node in etree.iterwalk(element, events=("start", "end", "comment")):
        if event == "start":
            if skip is None and node.tag in ("script", "style", "noscript", "template", "svg"):
                skip = node
            elif skip is None and node.text:
                parts.append(node.text)
            continue
        if event == "end" and node is skip:
            skip = None
        if skip is None and node is not element:
            if event == "end" and node.tag not in INLINE:
                parts.append(" ")
            if node.tail:
                parts.append(node.tail)
    return re.sub(r"\s+", " ", "".join(parts)).strip()


INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)


def _tree(text: str) -> html.HtmlElement:
    source = _LONG_TAG.sub(_without_attributes, _CONTROL.sub("\ufffd", text.replace("\x00", "")))
    tree = _parse(source)
    if tree is None or _too_deep(tree):
        # libxml2 gives up beyond 2048 levels; browsers flatten beyond 512 and show all of the text.
        tree = _parse(_flatten(source))
    return tree if tree is not None else html.document_fromstring("<html><body></body></html>")


def _parse(source: str) -> html.HtmlElement | None:
    """None for an empty document and for one whose parse was broken off."""
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
    parser.set_element_class_lookup(_CLASSES)
    try:
        tree = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    broken = any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log)
    return None if broken else tree


def _too_deep(tree: html.HtmlElement) -> bool:
    return bool(tree.xpath("boolean(" + "/*" * MAX_DEPTH + ")"))


def _without_attributes(tag: re.Match[str]) -> str:
    # libxml2 compares each attribute with all before it: 100,000 of them would take seconds.
    many = tag[0].count("=") > _MAX_ATTRIBUTES or len(tag[0].split(maxsplit=_MAX_ATTRIBUTES + 1)) > _MAX_ATTRIBUTES
    return f"<{tag[1]}>" if many else tag[0]


def _flatten(source: str) -> str:
    """The source without the tags of elements that stand deeper than half of MAX_DEPTH; their text stays."""
    return "".join(_shallow(source))


def _shallow(source: str) -> Iterable[str]:
    open_tags: list[str] = []
    at = 0
    raw = None
    for tag in _TAG.finditer(source):
        name, closing = tag[2].lower(), bool(tag[1])
        if raw is not None and not (closing and name == raw):
            continue
        raw = name if name in _RAW and not closing else None
        yield source[at : tag.start()]
        at = tag.end()
        keep = name in _VOID or name in _RAW or name == "p" or len(open_tags) < MAX_DEPTH // 2
        if name not in _VOID and name != "p":
            if not closing and not tag[3].endswith("/"):
                open_tags.append(name)
            elif closing and name in open_tags[-MAX_DEPTH:]:
                keep = len(open_tags) <= MAX_DEPTH // 2
                while open_tags.pop() != name:
                    pass
        if keep:
            yield tag[0]
        elif name not in INLINE:
            yield " "
    yield source[at:]
