"""Which of several readings of one page agrees most with the others: their medoid."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

_WORD = re.compile(r"\w+")
_COMPARED = 60_000
"""Characters of each text that are compared: more of a very long one decides nothing, and would cost much memory."""
Grams = Counter[tuple[str, ...]]


def medoid(texts: Mapping[str, str], trust: Mapping[str, float]) -> str | None:
    """The name of the text that is most like all the others, each weighed by its trust, itself included.

    None without any text. The first of equals wins.
    """
    grams = {name: _grams(text) for name, text in texts.items() if text and name in trust}
    if not grams:
        return None

    def agreement(name: str) -> float:
        others = (trust[other] * _overlap(grams[name], grams[other]) for other in grams if other != name)
        return trust[name] + sum(others)

    return max(grams, key=agreement)


def _grams(text: str) -> Grams:
    words = _WORD.findall(text[:_COMPARED])
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False)) or Counter([tuple(words)])


def _overlap(one: Grams, other: Grams) -> float:
    """Dice's coefficient of the two bags."""
    small, large = sorted((one, other), key=len)
    both = sum(min(count, large[gram]) for gram, count in small.items() if gram in large)
    return 2 * both / (one.total() + other.total())
