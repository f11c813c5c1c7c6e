"""What a body says that the record says elsewhere: the standfirst, the byline, a paragraph's quote set large."""

from collections.abc import Collection, Sequence

from storage.records import Block, BlockKind
from tasks.words import fold

_TOP = 3
"""Blocks among which a byline stands."""
_LONGEST_BYLINE = 140
_FEWEST_QUOTED = 8
"""Words from which a quotation that a paragraph has too is no chance."""
_JOINERS = frozenset(
    (
        "by",
        "and",
        "von",
        "und",
        "par",
        "et",
        "por",
        "y",
        "e",
        "de",
        "di",
        "da",
        "van",
        "en",
        "door",
        "av",
        "af",
        "og",
        "och",
    )
)
"""What stands between names in a byline."""


def told_once(blocks: Sequence[Block], subtitle: str, names: Collection[str]) -> tuple[Block, ...]:
    """The blocks without the subtitle, a line at the top that holds these names only, and quotes that are repeated.

    Where nothing else would be left, they stay.
    """
    folded = [fold(block.text) for block in blocks]
    own = _JOINERS.union(*(fold(name).split() for name in names))
    kept = tuple(
        block
        for at, block in enumerate(blocks)
        if not (
            (subtitle and folded[at] == fold(subtitle))
            or (at < _TOP and names and _is_byline(block, folded[at], own))
            or (block.kind is BlockKind.QUOTE and _is_in_another(at, blocks, folded))
        )
    )
    return kept or tuple(blocks)


def _is_byline(block: Block, folded: str, own: Collection[str]) -> bool:
    short = block.kind is BlockKind.PARAGRAPH and len(block.text) <= _LONGEST_BYLINE
    return short and folded != "" and all(word in own for word in folded.split())


def _is_in_another(at: int, blocks: Sequence[Block], folded: Sequence[str]) -> bool:
    quote = f" {folded[at]} "
    if len(quote.split()) < _FEWEST_QUOTED:
        return False
    others = (text for block, text in zip(blocks, folded, strict=True) if block.kind is BlockKind.PARAGRAPH)
    return any(quote in f" {text} " for text in others)
