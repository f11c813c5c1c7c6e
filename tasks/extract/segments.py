"""Cuts a page's tree into blocks of text in reading order, and remembers the elements that each block stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.records import Block, BlockKind
from tasks.extract.document import INLINE, Document
from tasks.extract.lexicon import squash

SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "input",
        "select",
        "option",
        "textarea",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "canvas",
        "head",
        "button",
        "datalist",
        "map",
        "progress",
        "meter",
    ]
)
"""Elements whose text is no reader's text."""
_LEAKY = frozenset(("svg", "math", "button", "select", "object", "video", "audio", "canvas", "map"))
"""Elements that swallow the rest of a page if their end tag is missing or misplaced."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_KINDS = {
    "li": BlockKind.LIST,
    "dd": BlockKind.LIST,
    "dt": BlockKind.LIST,
    "blockquote": BlockKind.QUOTE,
    "pre": BlockKind.CODE,
    "table": BlockKind.TABLE,
} | dict.fromkeys(HEADINGS, BlockKind.HEADING)
FLAGS = {
    tag: 1 << place
    for place, tag in enumerate(
        [
            "article",
            "main",
            "aside",
            "nav",
            "footer",
            "header",
            "form",
            "figure",
            "figcaption",
            "table",
            "ul",
            "ol",
            "li",
            "section",
            "blockquote",
            "dialog",
            "details",
            "hidden",
            "embed",
            "p",
        ]
    )
}
"""A bit for each element that colours all that stands in it; `hidden` and `embed` are read from attributes."""
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_EMBED = re.compile(r"twitter-tweet|instagram-media|tiktok-embed|fb-post|bluesky-embed|embedly-card")
_BOLD = frozenset(("b", "strong", "em", "i"))
_NAMES = ("class", "id", "role", "itemprop")
_NONE: Mapping[str, str] = {}
_EMBED_BIT, _HIDDEN_BIT = FLAGS["embed"], FLAGS["hidden"]


@dataclass(slots=True)
class Container:
    """A block-level element with text in it; its blocks are `first` up to but without `end`."""

    tag: str
    names: str
    """Its class, id, role and itemprop."""
    parent: int
    flags: int
    depth: int
    first: int
    end: int = 0


@dataclass(slots=True)
class Segment:
    """A block of text and how it was written."""

    text: str
    kind: BlockKind
    level: int
    container: int
    """The index of the innermost container."""
    links: int
    linked: int
    """Characters inside links, before white space is collapsed."""
    bold: int
    lead: str
    """The names of the inline element that the block begins with."""

    @property
    def block(self) -> Block:
        """The record of it."""
        return Block(kind=self.kind, text=self.text, level=self.level)


@dataclass(slots=True)
class Segments:
    """A page as blocks inside containers, both in page order."""

    blocks: list[Segment] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)


def segment(document: Document) -> Segments:
    """Cut a page. Its tree's depth is bounded (`document.MAX_DEPTH`): this recurses."""
    cutter = _Cutter(document.elements.attributes)
    cutter.enter(document.tree, -1, 0, 0, BlockKind.PARAGRAPH, 0)
    return _filled(cutter.done)


def _filled(page: Segments) -> Segments:
    """The page without the containers that hold no block."""
    places: dict[int, int] = {-1: -1}
    filled: list[Container] = []
    for at, box in enumerate(page.containers):
        if box.end > box.first:
            places[at] = len(filled)
            box.parent = places[box.parent]
            filled.append(box)
    for block in page.blocks:
        block.container = places[block.container]
    return Segments(page.blocks, filled)


class _Cutter:
    """Gathers inline text and closes a block wherever a block element begins or ends."""

    def __init__(self, attributes: Mapping[Any, Mapping[str, str]]) -> None:
        self.attributes = attributes
        self.done = Segments()
        self.parts: list[str] = []
        self.links = self.linked = self.bold = 0
        self.in_link = self.in_bold = 0
        self.lead = ""

    def enter(self, node: Any, parent: int, flags: int, depth: int, kind: BlockKind, level: int) -> None:
        """Walk a block element."""
        tag = node.tag
        flags |= FLAGS.get(tag, 0)
        names = ""
        attributes = self.attributes.get(node)
        if attributes:
            names, flags = _read_names(tag, attributes, flags)
        kind, level = (_KINDS[tag], HEADINGS.get(tag, 0)) if tag in _KINDS else (kind, level)
        if flags & _EMBED_BIT:
            kind = BlockKind.EMBED
        container = Container(tag, names, parent, flags, depth, len(self.done.blocks))
        index = len(self.done.containers)
        self.done.containers.append(container)
        text = node.text
        if text and (self.parts or not text.isspace()):
            self.add(text)
        if len(node):
            self.inside(node, index, flags, depth, kind, level, row=tag == "tr" and _is_row(node))
        self.close(index, kind, level)
        container.end = len(self.done.blocks)

    def inside(self, node: Any, index: int, flags: int, depth: int, kind: BlockKind, level: int, *, row: bool) -> None:
        """Walk the children of an element."""
        for child in node:
            tag = child.tag
            if tag in INLINE:
                self.inline(child, tag, index, flags, depth, kind, level)
                if row:
                    self.parts.append(" | ")
            elif type(tag) is not str or (tag in SKIPPED and not _has_leaked(child)):
                pass
            elif tag == "br":
                if _doubled(child):  # two line breaks in a row end a paragraph in pages that know no p
                    self.close(index, kind, level)
                else:
                    self.parts.append("\n" if kind is BlockKind.CODE else " ")
            elif row:
                self.inline(child, tag, index, flags, depth, kind, level)
                self.parts.append(" | ")
            else:
                self.close(index, kind, level)
                self.enter(child, index, flags, depth + 1, kind, level)
            tail = child.tail
            if tail and (self.parts or not tail.isspace()):
                self.add(tail)

    def inline(self, node: Any, tag: str, index: int, flags: int, depth: int, kind: BlockKind, level: int) -> None:
        """Walk an inline element."""
        link, bold = tag == "a", tag in _BOLD
        if not self.parts and not self.lead:
            attributes = self.attributes.get(node, _NONE)
            self.lead = f"{attributes.get('class', '')} {attributes.get('itemprop', '')}".strip()
        self.in_link += link
        self.in_bold += bold
        self.links += link
        text = node.text
        if text and (self.parts or not text.isspace()):
            self.add(text)
        if len(node):
            self.inside(node, index, flags, depth, kind, level, row=False)
        self.in_link -= link
        self.in_bold -= bold

    def add(self, text: str) -> None:
        """Take in a piece of text; a block does not begin with white space alone."""
        self.parts.append(text)
        if self.in_link:
            self.linked += len(text)
        if self.in_bold:
            self.bold += len(text)

    def close(self, index: int, kind: BlockKind, level: int) -> None:
        """End the block, if there is one."""
        if self.parts:
            text = "".join(self.parts)
            text = text.strip("\n") if kind is BlockKind.CODE else squash(text)
            if kind is BlockKind.TABLE:
                text = text.strip(" |")
            if text.strip():
                self.done.blocks.append(
                    Segment(text, kind, level, index, self.links, self.linked, self.bold, self.lead)
                )
            self.parts = []
        self.links = self.linked = self.bold = 0
        self.lead = ""


def _read_names(tag: str, attributes: Mapping[str, str], flags: int) -> tuple[str, int]:
    names = " ".join([attributes[name] for name in _NAMES if attributes.get(name)])
    styled = "style" in attributes and _HIDDEN.search(attributes["style"])
    if styled or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        flags |= _HIDDEN_BIT
    if tag == "blockquote" and _EMBED.search(names):
        flags |= _EMBED_BIT
    return names, flags


def _has_leaked(node: Any) -> bool:
    return (
        node.tag in _LEAKY and next(node.iter("p"), None) is not None and next(node.iter("h1", "div"), None) is not None
    )


def _is_row(row: Any) -> bool:
    """Whether a table row holds data, and not the columns of a page's layout."""
    return all(
        type(child.tag) is not str or child.tag in INLINE or child.tag == "br" for cell in row for child in cell
    ) and all(len(cell.text or "") < 300 for cell in row)


def _doubled(node: Any) -> bool:
    following = node.getnext()
    return following is not None and following.tag == "br" and not (node.tail or "").strip()
