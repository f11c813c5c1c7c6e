"""What a body says that the record says elsewhere: the standfirst, the byline, a paragraph's quote set large."""

from collections.abc import Collection, Sequence

from storage.records import Block, BlockKind
from tasks.words import fold

_TOP = 3
"""Blocks among which a byline stands."""
_LONGEST_BYLINE = 140
_FEWEST_QUOTED = 8
"""Words from which a quotation that a paragraph has too is no chance."""
_JOINERS = frozenset((
    "by", "and", "von", "und", "par", "et", "por", "y", "e", "de", "di", "da", "van", "en", "door", "av", "af", "og",
    "och",
))  # fmt: skip
"""What stands between names in a byline."""


def told_once(blocks: Sequence[Block], subtitle: str, names: Collection[str]) -> tuple[Block, ...]:
    """The blocks without the subtitle, a line at the top that holds these names only, and quotes that are repeated.

    Where nothing else would be left, they stay.
    """
    own = _JOINERS.union(*(fold(name).split() for name in names)) if names else frozenset()
    kept = tuple(
        block
        for at, block in enumerate(blocks)
        if not (
            _is(block, subtitle)
            or (at < _TOP and _is_byline(block, own))
            or (block.kind is BlockKind.QUOTE and _is_in_another(block, blocks))
        )
    )
    return kept or tuple(blocks)


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
