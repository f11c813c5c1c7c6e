"""Hashes the words of a text in Latin letters straight from its characters, with no string for each word.

What it returns is what `tasks.words` and `tasks.vocabulary` say of the same text, in half the time.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.hashing import BASE, Hashes, mixed, slices
from tasks.vocabulary import kinds
from tasks.words import SYMBOLS, compatible, is_latin

END = 0x20D0
"""The character after the last one of the tables."""
_NEWLINE, _PLUS, _MINUS = map(ord, "\n+-")
_Text = npt.NDArray[Any]
_Flags = npt.NDArray[np.bool_]
_APART = "\0"
"""Ends a word, and a sign that follows it belongs to no number, as it would after white space."""


def latin_words(text: str) -> tuple[Hashes, npt.NDArray[np.uint8], npt.NDArray[np.intp]] | None:
    """The hash and the kind of each word, and how many line breaks come before it.

    None for a text with other letters than Latin ones.
    """
    if not text.isascii():
        text = compatible(text).replace("ß", "ss")  # the one letter of Europe whose folded form is longer
        if not is_latin(text) or any(letter in text for letter in _long()):
            return None
    for symbol in SYMBOLS:
        if symbol in text:
            text = text.replace(symbol, f"{_APART}{symbol}{_APART}")
    text = f" {text} "
    codes, letters = _ascii(text) if text.isascii() else _beyond(text)
    if "-" in text or "+" in text:
        letters = letters | _signs(codes)
    edges = (letters[1:] != letters[:-1]).nonzero()[0] + 1
    starts = edges[::2]
    hashes = mixed(slices(_lower()[codes], starts, edges[1::2], BASE))
    breaks = np.searchsorted((codes == _NEWLINE).nonzero()[0], starts)
    return hashes, kinds()[codes[starts]], breaks


def _ascii(text: str) -> tuple[_Text, _Flags]:
    raw = text.encode("ascii")
    return np.frombuffer(raw, np.uint8), np.frombuffer(raw.translate(_ascii_letters()), np.bool_)


def _beyond(text: str) -> tuple[_Text, _Flags]:
    codes = np.frombuffer(text.encode("utf-16-le"), "<u2")  # all of it is in the basic plane
    return codes, _letters()[codes]


def _signs(codes: _Text) -> _Flags:
    """Which characters are the sign of a number: one that a digit follows, after white space or a bracket."""
    signs = (codes == _MINUS) | (codes == _PLUS)
    at = signs.nonzero()[0]
    signs[at] = _digits()[codes[at + 1]] & _openings()[codes[at - 1]]
    found: _Flags = signs
    return found


@cache
def _letters() -> _Flags:
    return _table(lambda character: character.isalnum() or character in SYMBOLS)


@cache
def _ascii_letters() -> bytes:
    return _letters()[:256].tobytes()


@cache
def _digits() -> _Flags:
    return _table(str.isdecimal)


@cache
def _openings() -> _Flags:
    return _table(lambda character: character.isspace() or character == "(")


@cache
def _lower() -> Hashes:
    """The folded form of each character that has one of its own length."""
    folded = (character.casefold() for character in map(chr, range(END)))
    return np.array([ord(one) if len(one) == 1 else 0 for one in folded], np.uint64)


@cache
def _long() -> tuple[str, ...]:
    """The characters of the tables whose folded form is longer."""
    return tuple(one for one in map(chr, range(END)) if len(one.casefold()) > 1 and is_latin(one))


def _table(has: Callable[[str], bool]) -> _Flags:
    return np.array([has(character) for character in map(chr, range(END))], np.bool_)
