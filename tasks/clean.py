"""Cleans what a page says: characters, and the scraps that a template leaves around the body."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from storage.characters import storable
from storage.records import Block, BlockKind, Extracted, Finding
from tasks.phrases import phrases
from tasks.text import clean_address, clean_line, clean_text
from tasks.words import fold, tokens

_ADDRESSES = frozenset({"image", "canonical_url", "license", "tdm"})
_STRUCTURED = frozenset({BlockKind.LIST, BlockKind.QUOTE, BlockKind.TABLE, BlockKind.CODE, BlockKind.EMBED})
_START = 60
_TAIL_WORDS = 25
"""A label with the title of another article after it is not longer than this."""


def clean(extracted: Extracted) -> Extracted:
    """The same findings with every string clean, empty ones left out, and each body freed of template scraps."""
    cleaned = {spec.name: _field(spec.name, getattr(extracted, spec.name)) for spec in fields(extracted)}
    titles = {fold(finding.value) for finding in cleaned["title"]} - {""}
    bodies = (replace(body, value=tidy(body.value, titles)) for body in cleaned["blocks"])
    cleaned["blocks"] = tuple(body for body in bodies if body.value)
    return Extracted(**cleaned)


def tidy(blocks: Iterable[Block], titles: Iterable[str]) -> tuple[Block, ...]:
    """The blocks without repeats of a neighbour, the headline (folded `titles`) on top and a dangling end."""
    kept = _without_repeats(blocks)
    # Repeats go first: a headline that stands twice is then one block, and what hangs at the end hangs once.
    known = frozenset(titles)
    while kept and fold(kept[0].text) in known:
        del kept[0]
    while kept and _dangles(kept[-1]):
        del kept[-1]
    return tuple(kept)


def _field(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        cleaned = (_finding(name, finding) for finding in value)
        return tuple(finding for finding in cleaned if finding.value not in ("", ()))
    return clean_address(value) if isinstance(value, str) and name in ("next_page", "previous_page") else value


def _finding(name: str, finding: Finding[Any]) -> Finding[Any]:
    cleaner = clean_address if name in _ADDRESSES else clean_line
    # What stood there stays as it stood: only what a database refuses is taken out of it.
    return replace(
        finding, value=_value(finding.value, cleaner), raw=storable(finding.raw), source=storable(finding.source)
    )


def _value(value: Any, cleaner: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        # An enumeration (the access state) is a string too, and must stay what it is.
        return cleaner(value) if type(value) is str else value
    if isinstance(value, Block):
        return _block(value)
    if isinstance(value, tuple):
        cleaned = (_value(item, cleaner) for item in value)
        return tuple(item for item in cleaned if item not in ("", None))
    return value


def _block(block: Block) -> Block | None:
    text = clean_text(block.text) if block.kind in _STRUCTURED else clean_line(block.text)
    if text == block.text:
        return block if text else None
    return Block(kind=block.kind, text=text, level=block.level) if text else None


def _without_repeats(blocks: Iterable[Block]) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if not kept or not _repeats(kept[-1], block):
            kept.append(block)
    return kept


def _repeats(one: Block, other: Block) -> bool:
    # Folding a line of stars or a dash leaves nothing; such lines are equal only if they are the same.
    if one.text == other.text:
        return True
    if _differ(one.text[:1], other.text[:1]):
        return False
    first, second = tokens(one.text[:_START]), tokens(other.text[:_START])
    # Most neighbours differ in their first word: only the others are folded in full (a cut may go through a word).
    return (first[:1] == second[:1] or min(len(first), len(second)) < 2) and fold(one.text) == fold(other.text) != ""


def _differ(one: str, other: str) -> bool:
    """Whether two characters begin different words: most neighbours' do."""
    return one.isascii() and other.isascii() and one.isalnum() and other.isalnum() and one.lower() != other.lower()


def _dangles(block: Block) -> bool:
    """Whether a last block belongs to the page around the text: by its structure first, by its words second."""
    if block.kind is BlockKind.HEADING:
        return True  # a heading with nothing under it announces what the extraction left out
    label, colon, _ = block.text.replace("：", ":").partition(":")
    if fold(block.text) in phrases("tails"):
        return True
    return bool(colon) and len(tokens(block.text)) <= _TAIL_WORDS and fold(label) in phrases("tails")
