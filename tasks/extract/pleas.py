"""Finds the boxes in which a newsroom asks its readers for money: elements that are named so and say so."""

from collections.abc import Sequence
from functools import lru_cache

from tasks.extract.lexicon import fold, lexicon
from tasks.extract.prune import parts_of
from tasks.extract.segments import Segments

_NO_BOX = frozenset(("html", "body", "main", "article"))


def pleas(page: Segments) -> Sequence[bool]:
    """For each block of a page whether it stands in such a box."""
    inside: list[bool] = []
    for box in page.containers:
        around = box.parent >= 0 and inside[box.parent]
        named = bool(box.names) and box.tag not in _NO_BOX and _is_named(box.names)
        inside.append(around or (named and any(_asks(block.text) for block in page.blocks[box.first : box.end])))
    return [inside[block.container] for block in page.blocks]


@lru_cache(maxsize=2_000)
def _is_named(names: str) -> bool:
    return not lexicon().plea_names.isdisjoint(part for name in names.split() for part in parts_of(name))


def _asks(text: str) -> bool:
    return lexicon().plea.search(fold(text)) is not None
