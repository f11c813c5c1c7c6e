"""What a body says that the record says elsewhere: the standfirst, the byline and who that is, a quote set large."""

import re
from collections.abc import Collection, Sequence

from storage.records import Block, BlockKind
from tasks.words import fold

_TOP = 3
"""Blocks among which a byline stands."""
_LONGEST_BYLINE = 140
_END = 3
"""Blocks among which an author is introduced."""
_SIGNED = re.compile(r"[-–—(\[©]|\w+ (?:by|von|par|por|di|av|af|door) ", re.IGNORECASE)
"""How a line at the end begins that says whose text it is; a name alone is a signature."""
_LONGEST_BIO = 600
_LONGEST_CALL = 200
"""Characters of a line that says how a writer is reached."""
_FEWEST_QUOTED = 8
"""Words from which a quotation that a paragraph has too is no chance."""
_JOINERS = frozenset((
    "by", "and", "reporting", "von", "und", "par", "et", "por", "y", "e", "de", "di", "da", "van", "en", "door", "av",
    "af", "og", "och",
))  # fmt: skip
"""What stands between names in a byline."""


def told_once(blocks: Sequence[Block], subtitle: str, names: Collection[str]) -> tuple[Block, ...]:
    """The blocks without what the record says elsewhere, or another block.

    That is the subtitle, a line at the top or at the end that holds these names only, what introduces one of these
    persons at the end, and quotes that a paragraph has too. Where nothing else would be left, they stay.
    """
    blocks = _without_bios(blocks, names)
    last = len(blocks) - 1
    own = _JOINERS.union(*(fold(name).split() for name in names)) if names else frozenset()
    kept = tuple(
        block
        for at, block in enumerate(blocks)
        if not (
            _is(block, subtitle)
            or ((at < _TOP or (at == last and _SIGNED.match(block.text))) and _is_byline(block, own))
            or (block.kind is BlockKind.QUOTE and _is_in_another(block, blocks))
        )
    )
    return kept or tuple(blocks)


def _without_bios(blocks: Sequence[Block], names: Collection[str]) -> Sequence[Block]:
    """Nobody is a stranger in an article of their own: a paragraph at its end with a writer's name first is a bio."""
    whole = [name for one in names if " " in (name := fold(one))]
    end = max(1, len(blocks) - _END)
    return [block for at, block in enumerate(blocks) if at < end or not _is_bio(block, whole)] if whole else blocks


def _is_bio(block: Block, names: Sequence[str]) -> bool:
    """Whether a block begins with one of these names, or holds the address of somebody who has its last word."""
    if block.kind is BlockKind.HEADING or len(block.text) > _LONGEST_BIO:
        return False
    addresses = (
        [word.casefold() for word in block.text.split() if "@" in word] if len(block.text) < _LONGEST_CALL else []
    )
    begins = fold(block.text).startswith(tuple(f"{name} " for name in names))
    return begins or any(name.split()[-1] in address for name in names for address in addresses)


def _is(block: Block, subtitle: str) -> bool:
    """Whether a block says the subtitle; most are much longer or shorter, and need no folding to see that."""
    near = abs(len(block.text) - len(subtitle)) <= len(subtitle) // 4
    return bool(subtitle) and near and fold(block.text) == fold(subtitle)


def _is_byline(block: Block, own: Collection[str]) -> bool:
    if not own or block.kind is not BlockKind.PARAGRAPH or len(block.text) > _LONGEST_BYLINE:
        return False
    words = fold(block.text).split()
    return words != [] and all(word in own for word in words)


def _is_in_another(quote: Block, blocks: Sequence[Block]) -> bool:
    words = f" {fold(quote.text)} "
    paragraphs = (
        block for block in blocks if block.kind is BlockKind.PARAGRAPH and len(block.text) > len(quote.text) // 2
    )
    return len(words.split()) >= _FEWEST_QUOTED and any(words in f" {fold(block.text)} " for block in paragraphs)
