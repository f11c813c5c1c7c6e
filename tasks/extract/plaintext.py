"""Reads a plain text file: a headline line, then paragraphs."""

from __future__ import annotations

import re

from storage.records import Block, BlockKind
from tasks.extract.junk import without_junk
from tasks.extract.lexicon import fold, squash

_LONGEST_TITLE = 300


def read(text: str) -> tuple[str | None, tuple[Block, ...]]:
    """The headline, and the blocks without it: it may stand twice, and paragraphs may be wrapped over lines."""
    paragraphs = _paragraphs(text)
    if not paragraphs:
        return None, ()
    title = paragraphs[0] if len(paragraphs) > 1 and len(paragraphs[0]) <= _LONGEST_TITLE else None
    rest = paragraphs[1:] if title else paragraphs
    while title and rest and fold(rest[0]) == fold(title):
        rest = rest[1:]
    return title, without_junk([Block(kind=BlockKind.PARAGRAPH, text=paragraph) for paragraph in rest], [title or ""])


def _paragraphs(text: str) -> list[str]:
    """Pieces between empty lines; in a text without empty lines after the first, every line is one."""
    lines = re.split(r"\r\n|\r|\n", text.replace("\x00", "\ufffd"))
    pieces = [piece for raw in re.split(r"\n[ \t]*\n", "\n".join(lines)) if (piece := raw.strip())]
    if not pieces:
        return []
    # A wrapped paragraph's lines are about equally long; lines that end sentences are paragraphs of their own.
    out: list[str] = []
    for piece in pieces:
        parts = [part for part in piece.split("\n") if part.strip()]
        own = (
            len(parts) > 1 and sum(bool(re.search(r"[.!?:”\"'。]\s*$", part)) for part in parts[:-1]) == len(parts) - 1
        )
        first = not out and len(parts) > 1 and not re.search(r"[.,;]\s*$", parts[0])
        if own or len(pieces) == 1:
            out += [squash(part) for part in parts]
        elif first:
            out += [squash(parts[0]), squash(" ".join(parts[1:]))]
        else:
            out.append(squash(" ".join(parts)))
    return out
