"""Notes in which a newsroom says that it corrected or withdrew an article."""

from functools import cache

from tasks.phrases import phrases
from tasks.words import fold

KINDS = ("corrections", "retractions")
"""The lists of phrases that such notes begin with."""


def notes(text: str, kind: str) -> set[str]:
    """The folded lines of a text that are notes of that kind; one that takes the article back may open as any note."""
    lines = {fold(line) for line in text.splitlines()}
    return {line for line in lines if any(_opens(part, kind) for part in (line, _body(line, kind)))}


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
