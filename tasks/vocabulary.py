"""Remembers the hash of each word that came lately: most words of an article were in the articles before it."""

from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.hashing import BASE, Hashes, mixed, slices

MOST = 1 << 17
"""Words that are remembered: some 20 MB."""
_SPACE = 32
_PLANE = 0x10000
_ZERO = np.zeros(1, np.int64)


class Kind(IntEnum):
    """What a word shows before its case is lost."""

    PLAIN = 0
    CAPITAL = 1
    DIGIT = 2
    BREAK = 3


class Vocabulary:
    """Hashes and kinds of words. What it has forgotten it works out again, to the same values."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._clear()

    def look_up(self, words: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.uint8]]:
        """For each word, none of them empty, its hash (blind to case) and its kind (`Kind`)."""
        with self._lock:
            places = np.fromiter(map(self._places.__getitem__, words), np.intp, len(words))
            if self._places.new:
                self._learn(self._places.new)
            found = self._hashes[places], self._kinds[places]
            if len(self._places) > self._most:
                self._clear()
        return found

    def _clear(self) -> None:
        self._places = _Places()
        self._hashes, self._kinds = np.zeros(0, np.uint64), np.zeros(0, np.uint8)

    def _learn(self, words: list[str]) -> None:
        known = len(self._places) - len(words)
        if len(self._places) > len(self._hashes):
            self._hashes, self._kinds = (_longer(of, len(self._places)) for of in (self._hashes, self._kinds))
        self._hashes[known : len(self._places)], self._kinds[known : len(self._places)] = hashed(words)
        self._places.new = []


class _Places(dict[str, int]):
    """The place of each word; one that is asked for the first time gets the next."""

    def __init__(self) -> None:
        self.new: list[str] = []

    def __missing__(self, word: str) -> int:
        self[word] = place = len(self)
        self.new.append(word)
        return place


def hashed(words: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.uint8]]:
    """The hash and the kind of each word."""
    codes = _codes(" ".join(words).casefold())
    gaps = (codes == _SPACE).nonzero()[0]
    hashes = mixed(slices(codes, np.concatenate((_ZERO, gaps + 1)), np.append(gaps, len(codes)), BASE))
    initials = _codes("".join([word[0] for word in words]))
    return hashes, kinds()[np.minimum(initials, _PLANE - 1)]


def _longer(values: npt.NDArray[Any], least: int) -> npt.NDArray[Any]:
    return np.concatenate((values, np.zeros(max(least, 4096, len(values)), values.dtype)))


def _codes(text: str) -> Hashes:
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.uint64)


@cache
def kinds() -> npt.NDArray[np.uint8]:
    """The kind of a word that begins with each character of the basic plane."""
    return np.array([_kind(character) for character in map(chr, range(_PLANE))], np.uint8)


def _kind(initial: str) -> Kind:
    if initial == "\n":
        return Kind.BREAK
    if initial.isupper() or initial.istitle():
        return Kind.CAPITAL
    return Kind.DIGIT if initial.isdecimal() or initial in "+-" else Kind.PLAIN
