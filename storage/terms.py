"""Words as the search index knows them: folded, stemmed by language, and pairs of characters where no spaces are."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_MARKED = "\u0900-\u0963\u0966-\u0dff\u0f00-\u0fff"
"""Scripts of India and Tibet, whose vowel signs Python does not count among the letters of a word."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters."""
_WORD = re.compile(rf"(?P<run>[{_UNSPACED}]+)|(?:[^\W_]|[{_MARKED}\u0300-\u036f\u064b-\u0652\u0640])+")
_PART = re.compile(rf"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_DROPPED = re.compile("[\u0300-\u036f\u064b-\u0652\u0640]")
"""Accents, Arabic vowel signs and the Arabic stretcher."""

STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""The Snowball stemmer of each language (https://snowballstem.org); words of other languages are folded only."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text in the form that is looked for, and where it stands."""

    key: str
    start: int
    end: int


def terms(text: str, language: str | None = None) -> Iterator[Term]:
    """The terms of a text in their order. A run of a script without spaces gives each pair of its characters."""
    for word in _WORD.finditer(text):
        for part in _PART.finditer(word[0]):
            at = word.start() + part.start()
            if word["run"] or _is_unspaced(part[0]):
                yield from _pairs(part[0], at)
            elif key := stem(part[0], language):
                yield Term(key, at, at + len(part[0]))


def stem(word: str, language: str | None) -> str:
    """A word's form in the index."""
    return _stem(word, STEMMERS.get((language or "")[:2].lower(), ""))


def fold(text: str) -> str:
    """The text without case and accents (Unicode: NFKC case folding, combining marks dropped)."""
    plain = _DROPPED.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain)


def _is_unspaced(text: str) -> bool:
    return re.match(f"[{_UNSPACED}]", text) is not None


def _pairs(run: str, at: int) -> Iterator[Term]:
    for place in range(max(1, len(run) - 1)):
        pair = run[place : place + 2]
        yield Term(fold(pair), at + place, at + place + len(pair))


@lru_cache(100_000)
def _stem(word: str, algorithm: str) -> str:
    return fold(_stemmer(algorithm).stemWord(word.casefold()) if algorithm else word)


@lru_cache(64)
def _stemmer(algorithm: str) -> Any:
    import snowballstemmer  # noqa: PLC0415 - 30 languages that only searching needs

    return snowballstemmer.stemmer(algorithm)
