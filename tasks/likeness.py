"""Measures how alike two articles are by their marks, and how likely it is that they tell one story in one text."""

import math
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.marks import SHORT_WORDS, SKETCH_SIZE, Marks

Weights = npt.NDArray[np.float64] | None

_MANY_NUMBERS, _MANY_NAMES = 10, 20
"""With so many facts their agreement says all that it can say."""
_LONG = 3.0
"""Natural logarithm of how many times a text must be longer than a short one for its length to say no more."""


class Likeness(NamedTuple):
    """How two articles agree, each measure from 0 to 1 but `size` (0 to 3); the order of the two does not matter."""

    jaccard: float
    """Shared trigrams among all trigrams of both."""
    containment: float
    """Shared trigrams among those of the text that has fewer: near 1 for a copy that was cut short."""
    length: float
    """Words of the shorter text for each word of the longer one."""
    numbers: float
    """Share of the numbers of the text with fewer of them that the other text has too."""
    all_numbers: float
    """Shared numbers among those of both."""
    names: float
    """Like `numbers`, for words always written with a capital."""
    all_names: float
    title: float
    """Like `numbers`, for the words of the titles."""
    all_title: float
    many_numbers: float
    """How much the agreement of the numbers says: 0 if one text has none, 1 if both have ten."""
    many_names: float
    """Likewise of names, with twenty."""
    size: float
    """Logarithm of how often the shorter text would hold a short one."""


NAMES = Likeness._fields


def likeness(a: Marks, b: Marks) -> Likeness:
    """The measures of a pair."""
    jaccard, containment = _trigrams(a, b)
    fewer = min(a.words, b.words)
    numbers, all_numbers = _agreement(a.numbers, b.numbers)
    names, all_names = _agreement(a.names, b.names)
    title, all_title = _agreement(a.title, b.title)
    return Likeness(
        jaccard=jaccard,
        containment=containment,
        length=fewer / max(a.words, b.words, 1),
        numbers=numbers,
        all_numbers=all_numbers,
        names=names,
        all_names=all_names,
        title=title,
        all_title=all_title,
        many_numbers=min(len(a.numbers), len(b.numbers), _MANY_NUMBERS) / _MANY_NUMBERS,
        many_names=min(len(a.names), len(b.names), _MANY_NAMES) / _MANY_NAMES,
        size=min(max(math.log(max(fewer, 1) / SHORT_WORDS), 0.0), _LONG),
    )


def probabilities(pairs: Sequence[Likeness], weights: Weights = None) -> list[float]:
    """How likely each pair is one of near-duplicates, by a logistic regression over the measures and their products."""
    if not pairs:
        return []
    scores = terms(pairs) @ (learned() if weights is None else weights)
    chances: list[float] = (1 / (1 + np.exp(-np.clip(scores, -30, 30)))).tolist()
    return chances


def terms(pairs: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    """A row for each pair: 1, the measures, and the product of each two of them (squares too)."""
    values = np.asarray(pairs, np.float64)
    first, second = _products()
    return np.concatenate((np.ones((len(values), 1)), values, values[:, first] * values[:, second]), axis=1)


def term_names() -> tuple[str, ...]:
    """The names of the terms, in their order."""
    return ("one", *NAMES, *(f"{a} {b}" for a, b in combinations_with_replacement(NAMES, 2)))


@cache
def learned() -> npt.NDArray[np.float64]:
    """The weights of the terms as trained (tasks/data/likeness.toml)."""
    table: Mapping[str, float] = tomllib.loads((files("tasks") / "data" / "likeness.toml").read_text("utf-8"))[
        "weights"
    ]
    return np.array([table[name] for name in term_names()])


@cache
def _products() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return np.triu_indices(len(NAMES))


def _trigrams(a: Marks, b: Marks) -> tuple[float, float]:
    bits = min(a.bits, b.bits)
    one, other = _cut(a, bits), _cut(b, bits)
    # A full sketch says nothing of what lies above its largest hash; below that, both are a fair sample.
    full = [hashes[-1] for hashes, of in ((one, a), (other, b)) if of.trigrams > SKETCH_SIZE and hashes]
    if full:
        limit = min(full)
        one, other = one[: bisect_right(one, limit)], other[: bisect_right(other, limit)]
    first, second = set(one), set(other)
    both = len(first & second)
    return both / max(len(first) + len(second) - both, 1), both / max(min(len(first), len(second)), 1)


def _cut(marks: Marks, bits: int) -> Sequence[int]:
    spare = marks.bits - bits
    return [value >> spare for value in marks.sketch] if spare else marks.sketch


def _agreement(a: frozenset[int], b: frozenset[int]) -> tuple[float, float]:
    """The share of the smaller set and of the union that both have; 1 if a set is empty: nothing contradicts."""
    if not a or not b:
        return 1.0, 1.0
    both = len(a & b)
    return both / min(len(a), len(b)), both / (len(a) + len(b) - both)
