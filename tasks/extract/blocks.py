"""Typed blocks out of elements: paragraphs, headings, lists, quotes, tables and code, in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from lxml import etree, html

from storage.records import Block, BlockKind
from tasks.extract.document import INLINE
from tasks.extract.lexicon import squash

_SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "form",
        "button",
        "input",
        "select",
        "textarea",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "canvas",
        "figcaption",
        "nav",
        "aside",
        "footer",
        "dialog",
        "head",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_KINDS = {
    "li": BlockKind.LIST,
    "dd": BlockKind.LIST,
    "dt": BlockKind.LIST,
    "blockquote": BlockKind.QUOTE,
    "pre": BlockKind.CODE,
    "tr": BlockKind.TABLE,
}
_CELLS = frozenset(("td", "th"))


def from_html(element: Any) -> tuple[Block, ...]:
    """The blocks of an HTML element."""
    return joined(_walk(element))


def from_markup(markup: str) -> tuple[Block, ...]:
    """The blocks of a piece of HTML, or of plain text with line breaks between its paragraphs."""
    if not re.search(r"<(?:p|br|div|li|h\d|ul|blockquote|table)\b", markup, re.IGNORECASE):
        return from_text(html.fromstring(f"<div>{markup}</div>").text_content() if "<" in markup else markup)
    return from_html(html.fromstring(f"<div>{markup}</div>"))


def from_text(text: str) -> tuple[Block, ...]:
    """One paragraph a line."""
    return tuple(
        Block(kind=BlockKind.PARAGRAPH, text=line)
        for raw in re.split(r"[\r\n\u2028\u2029]+", text)
        if (line := squash(raw))
    )


def from_trafilatura(body: Any) -> tuple[Block, ...]:
    """The blocks of trafilatura's output tree (its TEI-like element names)."""
    return joined(block for child in body if isinstance(child.tag, str) for block in _tei(child))


def plain(blocks: Iterable[Block]) -> str:
    """The blocks as text, one a line."""
    return "\n".join(block.text for block in blocks)


def joined(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks with the items of a list, the rows of a table and the parts of a quote made one block."""
    found: list[Block] = []
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        members = list(group)
        if kind in (BlockKind.LIST, BlockKind.TABLE, BlockKind.QUOTE):
            found.append(Block(kind=kind, text="\n".join(block.text for block in members)))
        else:
            found.extend(members)
    return tuple(found)


def _tei(element: Any) -> Iterator[Block]:
    if element.tag == "head":
        level = re.sub(r"\D", "", element.get("rend") or "") or "2"
        yield from _block(BlockKind.HEADING, element, int(level[0]))
    elif element.tag == "list":
        yield from (block for item in element.iterchildren("item") for block in _block(BlockKind.LIST, item))
    elif element.tag == "table":
        rows = (
            " | ".join(filter(None, (squash("".join(cell.itertext())) for cell in row.iter("cell"))))
            for row in element.iter("row")
        )
        yield from (Block(kind=BlockKind.TABLE, text=row) for row in rows if row)
    elif element.tag == "code":
        text = "".join(element.itertext()).strip("\n")
        yield from [Block(kind=BlockKind.CODE, text=text)] if text.strip() else []
    else:
        kind = BlockKind.QUOTE if element.tag == "quote" else BlockKind.PARAGRAPH
        yield from (Block(kind=kind, text=line) for line in _lines(element))


def _lines(element: Any) -> list[str]:
    parts = [element.text or ""]
    for node in element.iterdescendants():
        if node.tag in ("lb", "p", "head", "item", "quote"):
            parts.append("\n")
        parts += [
            node.text or "" if isinstance(node.tag, str) else "",
            "\n" if node.tag in ("p", "head", "item", "quote") else "",
            node.tail or "",
        ]
    return [line for raw in "".join(parts).split("\n") if (line := squash(raw))]


def _block(kind: BlockKind, element: Any, level: int = 0) -> Iterator[Block]:
    text = " ".join(_lines(element))
    if text:
        yield Block(kind=kind, text=text, level=level)


class _Writer:
    """Gathers inline text and closes a block wherever a block element begins or ends."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.parts: list[str] = []
        self.open: list[str] = []
        self.skipped: Any = None

    def start(self, node: Any) -> Iterator[Block]:
        if self.skipped is not None:
            return
        if node.tag in _SKIPPED:
            self.skipped = node
            return
        if node.tag not in INLINE and node.tag != "br" and node.tag not in _CELLS:
            yield from self.close()
            self.open.append(node.tag)
        self.parts.append(node.text or "")

    def end(self, node: Any) -> Iterator[Block]:
        if node is self.skipped:
            self.skipped = None
        elif self.skipped is None and isinstance(node.tag, str) and node.tag not in INLINE:
            yield from self.leave(node)
        if self.skipped is None and node is not self.root:
            self.parts.append(node.tail or "")

    def leave(self, node: Any) -> Iterator[Block]:
        if node.tag in _CELLS:
            self.parts.append(" | ")
        elif node.tag != "br":
            yield from self.close()
            self.open.pop()
        elif _doubled(node):  # two line breaks in a row end a paragraph in pages that know no p
            yield from self.close()
        else:
            self.parts.append("\n" if "pre" in self.open else " ")

    def close(self) -> Iterator[Block]:
        text = "".join(self.parts)
        self.parts.clear()
        text = text.strip("\n") if "pre" in self.open else squash(text)
        if text.strip():
            tag = next((tag for tag in reversed(self.open) if tag in _HEADINGS or tag in _KINDS), "")
            kind = BlockKind.HEADING if tag in _HEADINGS else _KINDS.get(tag, BlockKind.PARAGRAPH)
            row = text.removesuffix(" |") if kind is BlockKind.TABLE else text
            yield Block(kind=kind, text=row, level=_HEADINGS.get(tag, 0))


def _walk(element: Any) -> Iterator[Block]:
    writer = _Writer(element)
    for event, node in etree.iterwalk(element, events=("start", "end", "comment")):
        yield from writer.start(node) if event == "start" else writer.end(node)
    yield from writer.close()


def _doubled(node: Any) -> bool:
    following = node.getnext()
    return following is not None and following.tag == "br" and not (node.tail or "").strip()
