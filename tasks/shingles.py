"""Hashes a text's words, trigrams, paragraphs, numbers and names at once, with numpy; the same on every platform."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.words import written

Hashes = npt.NDArray[np.uint64]

_BASE, _RUN_BASE = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
"""Odd, so that they have an inverse modulo 2**64: a prefix sum then gives the hash of every slice."""
_THIRD, _NINTH = (np.uint64(pow(_BASE, power, 1 << 64)) for power in (3, 9))
_ZERO, _FIRST = np.zeros(1, np.uint64), np.zeros(1, np.int64)
_BREAK, _SPACE = 10, 32
_PLANE = 0x10000
PART = 100_000
"""Characters of a text that are hashed at once, to the end of the line."""


@dataclass(frozen=True, slots=True)
class Shingled:
    """A text as hashes of its words, with what is known of each word before case is lost."""

    words: Hashes
    lines: npt.NDArray[np.int32]
    """For each word the number of its line."""
    line_hashes: Hashes
    """For each line that has words a hash of 32 bits."""
    capital: npt.NDArray[np.bool_]
    digit: npt.NDArray[np.bool_]

    def without(self, lines: npt.NDArray[np.bool_]) -> "Shingled":
        """The text without those lines."""
        if not lines.any():
            return self
        kept = ~lines[self.lines]
        return Shingled(self.words[kept], self.lines[kept], self.line_hashes, self.capital[kept], self.digit[kept])

    def after(self, count: int) -> "Shingled":
        """The text without its first line, which has that many words."""
        if not count:
            return self
        flags = (self.capital[count:], self.digit[count:])
        return Shingled(self.words[count:], self.lines[count:] - np.int32(1), self.line_hashes[1:], *flags)

    def runs(self) -> Hashes:
        """The hashes, of 32 bits each, of all runs of three words, in the order of the text."""
        w = self.words
        if len(w) < 3:
            return w[:0]
        hashes: Hashes = w[1:-1] * _THIRD  # in place from here: a long text would need many arrays of its length
        hashes += w[:-2]
        hashes += w[2:] * _NINTH
        hashes = mixed(hashes)
        hashes >>= np.uint64(32)
        return hashes

    def numbers(self) -> Hashes:
        """The distinct numbers; digits that follow each other are one number, so that 4.1 is not 4 and 1."""
        if not self.digit.any():
            return self.words[:0]
        first = np.flatnonzero(self.digit & ~np.concatenate(([False], self.digit[:-1])))
        last = np.flatnonzero(self.digit & ~np.concatenate((self.digit[1:], [False]))) + 1
        return distinct(mixed(_slices(self.words, first, last, _RUN_BASE)))

    def names(self) -> Hashes:
        """The distinct words that are always written with a capital; none in scripts without case."""
        capital = distinct(self.words[self.capital])
        lower = self.words[~self.capital]
        lower.sort()
        if not len(lower):
            return capital
        places = np.minimum(np.searchsorted(lower, capital), len(lower) - 1)
        found: Hashes = capital[lower[places] != capital]
        return found


def shingled(text: str) -> Shingled:
    """Hash a text. Lines are told apart by line breaks; nothing else of white space or punctuation counts."""
    parts = [_part(text[start:end]) for start, end in _cuts(text)]  # a list of all words takes 50 times their size
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(part.line_hashes) for part in parts)])
    return Shingled(
        words=np.concatenate([part.words for part in parts]),
        lines=np.concatenate([part.lines + np.int32(first) for part, first in zip(parts, before, strict=False)]),
        line_hashes=np.concatenate([part.line_hashes for part in parts]),
        capital=np.concatenate([part.capital for part in parts]),
        digit=np.concatenate([part.digit for part in parts]),
    )


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """Where to cut a long text: at the first line break after each so many characters."""
    start = 0
    while len(text) - start > PART and (end := text.find("\n", start + PART)) >= 0:
        yield start, end
        start = end
    yield start, len(text)


def _part(text: str) -> Shingled:
    pieces = written(text)
    codes = _codes(" ".join(pieces).casefold())
    gaps = np.flatnonzero(codes == _SPACE)
    starts, ends = (
        np.concatenate((_FIRST, gaps + 1))[: len(pieces)],
        np.concatenate((gaps, [len(codes)]))[: len(pieces)],
    )
    is_word = codes[starts] != _BREAK
    words = mixed(_slices(codes, starts[is_word], ends[is_word], _BASE))
    lines, line_hashes = _lines(words, np.cumsum(~is_word)[is_word])
    initials = _codes("".join([piece[0] for piece in pieces]))[is_word]
    flags = _flags()[np.minimum(initials, _PLANE - 1)]
    return Shingled(words, lines, line_hashes, flags == 1, flags == 2)


def _lines(words: Hashes, breaks_before: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], Hashes]:
    """For each word the number of its line, empty lines not counted; and the hash of each line."""
    starts_line = np.diff(breaks_before, prepend=-1) > 0
    first = np.flatnonzero(starts_line)
    hashes: Hashes = mixed(_slices(words, first, np.append(first[1:], len(words)), _RUN_BASE)) >> np.uint64(32)
    return np.cumsum(starts_line, dtype=np.int32) - np.int32(1), hashes


def distinct(values: Hashes) -> Hashes:
    """The values ascending, each once; they are sorted in place.

    (numpy.unique does the same, and much more, in three times the time.)
    """
    values.sort()
    return values[np.concatenate(([True], values[1:] != values[:-1]))] if len(values) else values


def mixed(values: Hashes) -> Hashes:
    """Every bit of each value spread over all of it (the finalizer of SplitMix64, Steele et al. 2014)."""
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _codes(text: str) -> Hashes:
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.uint64)


def _slices(values: Hashes, starts: npt.NDArray[Any], ends: npt.NDArray[Any], base: int) -> Hashes:
    """A polynomial hash, modulo 2**64, of each slice of the values; the place of a slice does not matter."""
    powers, inverses = _powers(base, 1 << len(values).bit_length())
    sums = np.concatenate((_ZERO, np.cumsum((values + np.uint64(1)) * powers[: len(values)])))
    hashes: Hashes = (sums[ends] - sums[starts]) * inverses[starts]
    return hashes


@cache
def _powers(base: int, count: int) -> tuple[Hashes, Hashes]:
    return _ladder(base, count), _ladder(pow(base, -1, 1 << 64), count)


def _ladder(base: int, count: int) -> Hashes:
    steps = np.full(count, base, np.uint64)
    steps[0] = 1
    return np.cumprod(steps)


@cache
def _flags() -> npt.NDArray[np.uint8]:
    """For each character of the basic plane: 1 a capital, 2 a digit or a sign before one, 0 anything else."""
    signs = "+-"
    return np.array(
        [1 if c.isupper() or c.istitle() else 2 if c.isdecimal() or c in signs else 0 for c in map(chr, range(_PLANE))],
        np.uint8,
    )
