"""Measures how two texts of one address relate: shared trigrams, and what kind of change lies between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tasks.notes import notes
from tasks.phrases import patterns
from tasks.words import fold, has_digit, tokens

_SMALL_CHANGE = 4
"""Words that one corrected spot may have."""
_MOST_SPOTS = 6
_MOST_WORDS = 2_000
"""Of a changed stretch: comparing longer ones word by word takes seconds."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much two texts share, each measure from 0 to 1."""

    resemblance: float
    """Shared trigrams among all trigrams of both."""
    containment: float
    """Shared trigrams among those of the text that has fewer."""
    forward: float
    """Share of the first text's trigrams that the second one has."""


def overlap(one: str, other: str) -> Overlap:
    """The shared trigrams of two texts; all zero if one has none."""
    a, b = trigrams(tokens(one)), trigrams(tokens(other))
    if not a or not b:
        return Overlap(0.0, 0.0, 0.0)
    shared = len(a & b)
    return Overlap(shared / len(a | b), shared / min(len(a), len(b)), shared / len(a))


def trigrams(words: Sequence[str]) -> set[tuple[str, str, str]]:
    """All runs of three words."""
    return set(zip(words, words[1:], words[2:], strict=False))


def is_prefix(one: str, other: str) -> bool:
    """Whether the first text is the beginning of the second and ends before it; a cut last word counts."""
    short, long = tokens(one), tokens(other)
    if not short or len(short) > len(long):
        return False
    return short != long and short[:-1] == long[: len(short) - 1] and long[len(short) - 1].startswith(short[-1])


def settled(text: str) -> str:
    """The folded text without the lines that change by themselves: ages, counters, times of the last update."""
    return " ".join(settled_lines(text))


def settled_lines(text: str) -> list[str]:
    """The lines of that."""
    lines = (fold(line) for line in text.splitlines())
    return [line for line in lines if line and not patterns("volatile").fullmatch(line)]


def announces_correction(new: str, old: str) -> bool:
    """Whether the new text opens a paragraph with a correction note that the old one did not have."""
    return bool(notes(new, "corrections") - notes(old, "corrections"))


def announces_retraction(new: str, old: str = "") -> bool:
    """Whether the new text has a line that says that the article is withdrawn, and the old one has none."""
    return bool(notes(new, "retractions")) and not notes(old, "retractions")


def is_correction(new: str, old: str) -> bool:
    """Whether the texts differ in a few short spots only, and each of them in a number or a name."""
    before, after = old.splitlines(), new.splitlines()
    # Lines first: a paragraph that came or went is no correction, and a long text costs no more than its changed lines.
    if len(before) != len(after):
        return False
    spots = [spot for pair in zip(before, after, strict=True) if pair[0] != pair[1] for spot in _spots(*pair)]
    return 0 < len(spots) <= _MOST_SPOTS and all(_is_fact(*spot) for spot in spots)


def _spots(old: str, new: str) -> list[tuple[Sequence[str], Sequence[str]]]:
    before, after = _changed(_words(old), _words(new))
    if max(len(after), len(before)) > _MOST_WORDS:
        return [(before, after)]
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(before[a:b], after[c:d]) for kind, a, b, c, d in codes if kind != "equal"]


def _words(text: str) -> list[str]:
    # Case stays: it tells names from words.
    return re.findall(r"\w+(?:[.,]\d+)*|[$€£¥%]", text)


def _changed(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Both lists without what they have in common at the beginning and at the end."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _is_fact(before: Sequence[str], after: Sequence[str]) -> bool:
    if not before or not after or max(len(before), len(after)) > _SMALL_CHANGE:
        return False
    return _tells(before) and _tells(after)


def _tells(words: Sequence[str]) -> bool:
    return any(has_digit(word) or word[0].isupper() or word in "$€£¥%" for word in words)
