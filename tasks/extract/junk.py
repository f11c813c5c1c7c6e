"""Takes out of an article's blocks what pages print between them: calls, pointers, credits, the headline once more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from storage.records import Block, BlockKind
from tasks.extract.lexicon import fold, lexicon
from tasks.extract.people import split_names

_EDGE = " .:!?›»>→–—-|·•…*\"'"
_PHOTO = re.compile(r"^(?:photo|foto|photograph|image|picture|bild|credit|fot|фото|写真|ph)s?\s*[.:/(©]")
_PAGER = re.compile(r"^(?:page|seite|página|pagina|strona)\s+\d+\s+(?:of|von|de|di|van|z)\s+\d+\b.{0,60}$")
_RIGHTS = re.compile(r"^(?:copyright|©|\(c\))\s*(?:©|\(c\))?\s*(?:19|20)\d\d\b")
_DATE_ONLY = re.compile(r"^[\W\d]*(?:[^\W\d_]+[\W\d]+){0,6}$")
_POINTING = "[(（【 *»>–—-→➡►▶👉\ufe0f"
_MOST_POINTER = 250
_MOST_CREDIT = 120
_MOST_NOTICE = 450
_MOST_OFFERS = 5
"""Short blocks that may follow such a line as parts of the offer."""
_PARAGRAPH = 60
_FEWEST_TWICE = 5
"""Paragraphs that stand twice from which it is no refrain."""


def without_junk(blocks: Sequence[Block], repeated: Iterable[str]) -> tuple[Block, ...]:
    """The blocks without boilerplate; `repeated` are texts that stand elsewhere in the record (title, standfirst)."""
    known = {fold(text) for text in repeated if text}
    kept = [
        clean for block in _given(blocks) if (clean := _cleaned(block)) is not None and fold(clean.text) not in known
    ]
    while kept and _is_lead_in(kept[0]):
        kept.pop(0)
    kept = _cut(kept)
    while kept and kept[-1].kind is BlockKind.HEADING:
        kept.pop()
    return tuple(kept)


def without_repeats(blocks: Sequence[Block], repeated: Iterable[str]) -> tuple[Block, ...]:
    """The blocks without `repeated` texts, a byline on top, and a heading with nothing under it at the end."""
    known = {fold(text) for text in repeated if text}
    kept = [
        block
        for block in _given(printed_once(blocks))
        if not _is_rights(block) and not _is_call(block) and fold(block.text) not in known
    ]
    while kept and _is_lead_in(kept[0]):
        kept.pop(0)
    while kept and kept[-1].kind is BlockKind.HEADING:
        kept.pop()
    return tuple(kept)


def printed_once(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks; of a page that prints much of its text twice (one copy for small screens), the first copy alone."""
    texts = [block.text for block in blocks if len(block.text) > _PARAGRAPH]
    twice = len(texts) - len(set(texts))
    if twice < _FEWEST_TWICE or twice < len(texts) * 0.3:
        return blocks
    first = {block.text: at for at, block in reversed(list(enumerate(blocks)))}
    return [block for at, block in enumerate(blocks) if first[block.text] == at]


def is_junk(text: str) -> bool:
    """Whether one line is boilerplate: a fixed phrase, or a short line that begins like a call or a pointer."""
    folded = fold(text).lstrip(_POINTING)
    return (
        is_phrase(folded)
        or _is_credit(folded)
        or _is_notice(folded)
        or (len(folded) < _MOST_POINTER and opens_junk(folded))
    )


def _is_credit(folded: str) -> bool:
    """Whether a line says who holds the rights, in the text or in a picture."""
    return bool(_RIGHTS.match(folded)) or (folded.startswith("©") and len(folded) < _MOST_CREDIT)


def _is_notice(folded: str) -> bool:
    """Whether a line says how the newsroom earns by it, or that it must not be copied."""
    return len(folded) < _MOST_NOTICE and any(phrase in folded for phrase in lexicon().notice)


def is_phrase(folded: str) -> bool:
    """Whether a folded line is a fixed phrase of boilerplate, a page's number or no words at all."""
    bare = folded.strip(_EDGE)
    return not bare or bare in lexicon().line or bool(_PAGER.match(folded))


def opens_junk(folded: str) -> bool:
    """Whether a folded line begins like a call, a pointer to another story or a picture's credit."""
    words = lexicon()
    return bool((folded[:2] in words.opener_starts and words.opener.match(folded)) or _PHOTO.match(folded))


def _cleaned(block: Block) -> Block | None:
    if block.kind is BlockKind.LIST:
        items = [line for line in block.text.split("\n") if not is_junk(line)]
        return Block(kind=block.kind, text="\n".join(items)) if items else None
    return None if block.kind is not BlockKind.CODE and is_junk(block.text) else block


def _is_call(block: Block) -> bool:
    """Whether a block is a call in brackets ("[Subscribe to our newsletter]"): a voice of the desk, not of the text."""
    text = block.text
    return text.startswith("[") and text.endswith("]") and len(text) < _MOST_POINTER and is_junk(text)


def _is_rights(block: Block) -> bool:
    """Whether a block states who holds the rights in the text."""
    return (
        block.kind is BlockKind.PARAGRAPH and len(block.text) < _MOST_POINTER and bool(_RIGHTS.match(fold(block.text)))
    )


def _is_lead_in(block: Block) -> bool:
    """Whether the first block is a byline or a date line."""
    text = block.text
    if len(text) > 140 or block.kind is not BlockKind.PARAGRAPH:
        return False
    folded = fold(text)
    words = lexicon()
    if words.byline.match(folded) and split_names(text) and not text.rstrip().endswith((".", "!", "?", "。")):
        return True
    labelled = words.published.match(folded) or words.updated.match(folded)
    return (
        bool(re.search(r"\d", text))
        and (bool(labelled) or (len(text) < 60 and bool(_DATE_ONLY.match(folded))))
        and not re.search(r"[.!?]$", text)
    )


def _given(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks up to the line that asks for a subscription, with the offers that follow it; prose after it stays."""
    for at, block in enumerate(blocks):
        if len(block.text) < _MOST_POINTER and lexicon().gate.search(fold(block.text)):
            rest = blocks[at + 1 :]
            offers = len(rest) <= _MOST_OFFERS and all(len(other.text) < _MOST_POINTER for other in rest)
            return blocks[:at] if offers else [*blocks[:at], *_given(rest)]
    return blocks


def _cut(blocks: list[Block]) -> list[Block]:
    """Cut at a heading that opens a list of other stories, if only short lines follow."""
    total = sum(len(block.text) for block in blocks)
    for at, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING and fold(block.text).strip(_EDGE) in lexicon().line:
            rest = blocks[at + 1 :]
            size = sum(len(other.text) for other in rest)
            if size < total * 0.35 and size < 150 * max(1, len(rest)):
                return blocks[:at]
    return blocks
