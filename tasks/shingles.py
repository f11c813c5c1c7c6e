"""Hashes a text's words, trigrams, paragraphs, numbers and names at once, with numpy; the same on every platform."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.hashing import BASE, RUN_BASE, Hashes, distinct, mixed, slices
from tasks.letters import latin_words
from tasks.vocabulary import Kind, Vocabulary
from tasks.words import written

_THIRD, _NINTH = (np.uint64(pow(BASE, power, 1 << 64)) for power in (3, 9))
_HALF = np.uint64(32)
_ONE = np.int32(1)
_START = np.zeros(1, np.intp)
_BREAK, _CAPITAL, _DIGIT = map(int, (Kind.BREAK, Kind.CAPITAL, Kind.DIGIT))
_VOCABULARY = Vocabulary()
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
        return Shingled(self.words[count:], self.lines[count:] - _ONE, self.line_hashes[1:], *flags)

    def runs(self) -> Hashes:
        """The hashes, of 32 bits each, of all runs of three words, in the order of the text."""
        w = self.words
        if len(w) < 3:
            return w[:0]
        hashes: Hashes = w[1:-1] * _THIRD  # in place from here: a long text would need many arrays of its length
        hashes += w[:-2]
        hashes += w[2:] * _NINTH
        hashes = mixed(hashes)
        hashes >>= _HALF
        return hashes

    def numbers(self) -> Hashes:
        """The distinct numbers; digits that follow each other are one number, so that 4.1 is not 4 and 1."""
        digits = self.digit.nonzero()[0]
        if not len(digits):
            return self.words[:0]
        gaps = (digits[1:] - digits[:-1] != 1).nonzero()[0] + 1
        bounds = np.concatenate((_START, gaps, np.array([len(digits)])))
        return distinct(mixed(slices(self.words[digits], bounds[:-1], bounds[1:], RUN_BASE)))

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
    words, kinds, breaks = latin_words(text) or _words(text)
    lines, line_hashes = _lines(words, breaks)
    return Shingled(words, lines, line_hashes, kinds == _CAPITAL, kinds == _DIGIT)


def _words(text: str) -> tuple[Hashes, npt.NDArray[np.uint8], npt.NDArray[np.intp]]:
    """The hash and the kind of each word, and how many line breaks come before it; of any script."""
    hashes, kinds = _VOCABULARY.look_up(written(text))
    is_word = kinds != _BREAK
    return hashes[is_word], kinds[is_word], np.cumsum(~is_word)[is_word]


def _lines(words: Hashes, breaks_before: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.int32], Hashes]:
    """For each word the number of its line, empty lines not counted; and the hash of each line."""
    starts_line = np.ones(len(words), np.bool_)
    np.not_equal(breaks_before[1:], breaks_before[:-1], out=starts_line[1:])
    first = starts_line.nonzero()[0]
    ends = np.concatenate((first[1:], np.array([len(words)])))
    hashes: Hashes = mixed(slices(words, first, ends, RUN_BASE)) >> _HALF
    return starts_line.cumsum(dtype=np.int32) - _ONE, hashes
