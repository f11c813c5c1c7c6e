"""Notes in which a newsroom says that it corrected or withdrew an article."""

from functools import cache

from tasks.phrases import phrases
from tasks.words import fold, tokens

KINDS = ("corrections", "retractions")
"""The lists of phrases that such notes begin with."""
_OPENING = 80
"""Characters of a line that hold its first word, whatever stands before it."""


def notes(text: str, kind: str) -> set[str]:
    """The folded lines of a text that are notes of that kind; one that takes the article back may open as any note."""
    lines = {fold(line) for line in text.splitlines() if _may_open(line)}
    return {line for line in lines if any(_opens(part, kind) for part in (line, _body(line, kind)))}


def _may_open(line: str) -> bool:
    """Whether a line's first word begins a note of any kind: few do, and only those are folded."""
    first = tokens(line[:_OPENING])[:1]
    return first[0] in _first_words() if first else len(line) > _OPENING


@cache
def _first_words() -> frozenset[str]:
    return frozenset(phrase.split()[0] for kind in KINDS for phrase in phrases(kind))


def _opens(line: str, kind: str) -> bool:
    return f"{line} ".startswith(_openings(kind))


@cache
def _openings(kind: str) -> tuple[str, ...]:
    """The phrases as whole words: all lines of all articles are compared with all of them."""
    return tuple(f"{phrase} " for phrase in phrases(kind))


def _body(line: str, kind: str) -> str:
    """What follows the opening of a note ("Editor's note:")."""
    if kind != "retractions":
        return ""
    return next((line[len(phrase) + 1 :] for phrase in phrases("corrections") if line.startswith(f"{phrase} ")), "")


def is_note(line: str) -> bool:
    """Whether a line is a note of any kind."""
    return any(notes(line, kind) for kind in KINDS)
