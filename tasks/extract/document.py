"""One parse of a page, shared by all that look at it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from tasks.extract import jsonld
from tasks.extract.meta import Meta, read_meta

MAX_DEPTH = 200
"""Levels of elements that a tree may have: the libraries that walk it recurse, and real pages stay below 60."""
_MAX_ATTRIBUTES = 500
_LONGEST_TITLE = 5_000
# None of these reaches past the next "<": a page of nothing but those would take the square of its length.
_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s<>/]*+)([^<>]*+)>")
_LONG_TEXT = re.compile(rb"<[^<>]{4000}")  # half the time of the next one
_LONG_TAG = re.compile(rb"<([a-zA-Z][^\s<>/]*+)[^<>]{4000,}+>")
_ENDS = (b"</body", b"</html", b"</BODY", b"</HTML")
_END = re.compile(rb"</(?:body|html)\s*+>", re.IGNORECASE)
_CONTENT = re.compile(rb"<(?:p|div|article|section|main|h[1-6])\b", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_CONTROL = bytes(byte for byte in range(256) if not _CONTROL.match(chr(byte)))
_ACCENTS = b"\xcc"
"""How the accents that stand by themselves begin in UTF-8 (U+0300 to U+033F)."""
_FEWEST_ACCENTS = 5
_APART = re.compile(rb"(?:[A-Za-z]|[\xc3-\xd4][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2})(?:\xcc[\x80-\xbf])+")
"""A letter with accents behind it: the signs of markup are none, which a stroke would make others of."""
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_CLASSES = etree.ElementDefaultClassLookup(element=html.HtmlElement, comment=html.HtmlComment)
"""One class for all elements: lxml.html's own choice of a class is a Python call for each element looked at."""
_IN_HEAD = frozenset(
    ["base", "basefont", "bgsound", "link", "meta", "noscript", "script", "style", "template", "title"]
)
_RAW = frozenset(("script", "style", "textarea", "title"))


class Elements:
    """All elements of a page, gathered in one walk; held as long as the page is, which makes later walks cheaper."""

    __slots__ = ("all", "attributes", "by_tag", "named", "names")

    def __init__(self, tree: Any) -> None:
        self.all: list[Any] = []
        """Every element in page order."""
        self.by_tag: dict[str, list[Any]] = {}
        self.attributes: dict[Any, dict[str, str]] = {}
        """The attributes of each element that has any, in page order."""
        self.named: list[tuple[Any, str]] = []
        """The elements that have a class or an id, each with both: class, space, id."""
        for element in tree.iter("*"):
            self.all.append(element)
            tag = element.tag
            if tag in self.by_tag:
                self.by_tag[tag].append(element)
            else:
                self.by_tag[tag] = [element]
            if items := element.items():
                self.attributes[element] = attributes = dict(items)
                names, identity = attributes.get("class"), attributes.get("id")
                if names or identity:
                    self.named.append((element, f"{names or ''} {identity or ''}"))
        self.names = frozenset(names for _, names in self.named)

    def called(self, test: Callable[[str], bool]) -> Iterator[Any]:
        """The elements whose class and id pass a test, in page order; each wording is tested once."""
        passed = {names for names in self.names if test(names)}
        return (element for element, names in self.named if names in passed) if passed else iter(())

    def bearing(self, attribute: str) -> list[Any]:
        """The elements that have an attribute, in page order."""
        return [element for element, attributes in self.attributes.items() if attribute in attributes]

    def tagged(self, tag: str) -> list[Any]:
        """The elements of a tag in page order."""
        return self.by_tag.get(tag, [])


@dataclass(frozen=True)
class Document:
    """A parsed page."""

    tree: html.HtmlElement
    """The root element; nobody changes it (who must, copies it)."""
    url: str
    base: str
    """The address that relative links start from (HTML: document base URL)."""
    source: bytes
    """The page as it was parsed: in UTF-8, whatever it came in."""
    jsonld: tuple[dict[str, Any], ...]
    """The JSON-LD nodes that may describe the page, in page order."""
    meta: Meta

    @cached_property
    def elements(self) -> Elements:
        """The page's elements by tag and by name: one walk for all that look for some."""
        return Elements(self.tree)

    def line(self, element: Any) -> str:
        """The text of an element that several look at (`text_of`), gathered once."""
        if element not in self._lines:
            self._lines[element] = text_of(element)
        return self._lines[element]

    @cached_property
    def _lines(self) -> dict[Any, str]:
        return {}

    @cached_property
    def title(self) -> str:
        """The text of the title element in the head, as it stands there; empty without one."""
        return next((title.text_content()[:_LONGEST_TITLE] for title in self.tree.xpath("/html/head/title")), "")


def parse(text: str, url: str) -> Document:
    """Parse a page of any size and shape. Never raises: hopeless markup gives an empty tree."""
    source = _composed(_encoded(text))
    tree = _tree(source)
    bases = tree.xpath("//base[@href]/@href")
    base = join(url, bases[0]) if bases else url
    return Document(
        tree=tree, url=url, base=base or url, source=source, jsonld=jsonld.nodes(tree), meta=read_meta(tree)
    )


def _composed(source: bytes) -> bytes:
    """The page with letters and their accents as one character (NFC), as all word lists are written."""
    # What comes out is composed anyway: a few hide no label.
    if _ACCENTS not in source or source.count(_ACCENTS) < _FEWEST_ACCENTS:
        return source
    return _APART.sub(lambda apart: unicodedata.normalize("NFC", apart[0].decode("utf-8", "replace")).encode(), source)


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


def is_brief(element: Any, most: int) -> bool:
    """Whether an element holds at most that many characters of text, scripts left out."""
    left = most
    for node in element.iter(etree.Element):
        if node.tag not in ("script", "style", "noscript", "template"):
            left -= len((node.text or "").strip())
            if left < 0:
                return False
    return True


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


def _tree(page: bytes) -> html.HtmlElement:
    source = _without_early_ends(page)
    source = _LONG_TAG.sub(_without_attributes, source) if _LONG_TEXT.search(source) else source
    tree = _parse(source)
    if tree is None or _too_deep(tree):
        # libxml2 gives up beyond 2048 levels; browsers flatten beyond 512 and show all of the text.
        tree = _parse(_flatten(source))
    if tree is not None and _too_deep(tree):  # libxml2 saw tags where `_flatten` saw the text of an open title
        _cut_off(tree)
    return _with_body(tree if tree is not None else html.document_fromstring("<html><body></body></html>"))


def _without_early_ends(source: bytes) -> bytes:
    """The source without end tags of its body or itself, where more of the page follows them.

    To browsers that is the body's (HTML Living Standard, sections 13.2.6.4.19 and 13.2.6.4.22); libxml2 would lose it.
    """
    ends = [at for end in _ENDS if (at := source.find(end)) >= 0]
    return _END.sub(b"", source) if ends and _CONTENT.search(source, min(ends)) else source


def _with_body(tree: html.HtmlElement) -> html.HtmlElement:
    """The tree with what no head may hold moved into the body.

    libxml2 knows no elements of HTML5: on a page that leaves out its body tag, it takes an article for a part of the
    head, where browsers begin the body (HTML Living Standard, section 13.2.6.4.4, "anything else").
    """
    head = tree.find("head")
    strays = [] if head is None else [one for one in head if not _belongs_in_head(one)]
    if strays:
        body = tree.find("body")
        if body is None:
            body = etree.SubElement(tree, "body")
        body[:0] = strays
    return tree


def _belongs_in_head(element: Any) -> bool:
    return type(element.tag) is not str or element.tag in _IN_HEAD


def _encoded(source: str) -> bytes:
    """The source in UTF-8, with U+FFFD for what no document may hold (XML 1.0, production 2); NUL is left out."""
    try:
        encoded = source.encode()
    except UnicodeEncodeError:  # lone surrogates
        return _storable(source)
    if encoded.translate(None, _NOT_CONTROL) or "\ufffe" in source or "\uffff" in source:
        return _storable(source)
    return encoded


def _storable(source: str) -> bytes:
    return _CONTROL.sub("\ufffd", source.replace("\x00", "").replace("\f", "\n")).encode()


def _parse(source: bytes) -> html.HtmlElement | None:
    """None for an empty document and for one whose parse was broken off."""
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
    parser.set_element_class_lookup(_CLASSES)
    try:
        tree = html.document_fromstring(source, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    broken = any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log)
    return None if broken else tree


def _too_deep(tree: html.HtmlElement) -> bool:
    return bool(tree.xpath("boolean(" + "/*" * MAX_DEPTH + ")"))


def _cut_off(tree: html.HtmlElement) -> None:
    """Leave of each element at half of MAX_DEPTH nothing but its text."""
    for element in tree.xpath("/*" * (MAX_DEPTH // 2)):
        etree.strip_elements(element, "script", "style", with_tail=False)
        element.text, element[:] = _CONTROL.sub("\ufffd", element.xpath("string()")), []


def _without_attributes(tag: re.Match[bytes]) -> bytes:
    # libxml2 compares each attribute with all before it: 100,000 of them would take seconds.
    many = tag[0].count(b"=") > _MAX_ATTRIBUTES or len(tag[0].split(maxsplit=_MAX_ATTRIBUTES + 1)) > _MAX_ATTRIBUTES
    return b"<" + tag[1] + b">" if many else tag[0]


def _flatten(source: bytes) -> bytes:
    """The source without the tags of elements that stand deeper than half of MAX_DEPTH; their text stays."""
    return b"".join(_shallow(source))


def _shallow(source: bytes) -> Iterable[bytes]:
    open_tags: list[str] = []
    at = 0
    raw = None
    for tag in _TAG.finditer(source):
        name, closing = tag[2].decode().lower(), bool(tag[1])
        if raw is not None and not (closing and name == raw):
            continue
        raw = name if name in _RAW and not closing else None
        yield source[at : tag.start()]
        at = tag.end()
        keep = name in _VOID or name in _RAW or name == "p" or len(open_tags) < MAX_DEPTH // 2
        if name not in _VOID and name != "p":
            if not closing and not tag[3].endswith(b"/"):
                open_tags.append(name)
            elif closing and name in open_tags[-MAX_DEPTH:]:
                keep = len(open_tags) <= MAX_DEPTH // 2
                while open_tags.pop() != name:
                    pass
        if keep:
            yield tag[0]
        elif name not in INLINE:
            yield b" "
    yield source[at:]
