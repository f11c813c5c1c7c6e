"""Notes in which a newsroom says that it corrected or withdrew an article."""

from tasks.phrases import phrases
from tasks.words import fold

KINDS = ("corrections", "retractions")
"""The lists of phrases that such notes begin with."""


def notes(text: str, kind: str) -> set[str]:
    """The folded lines of a text that are notes of that kind."""
    lines = {fold(line) for line in text.splitlines()}
    return {line for line in lines if any(f"{line} ".startswith(f"{phrase} ") for phrase in phrases(kind))}


def is_note(line: str) -> bool:
    """Whether a line is a note of any kind."""
    return any(notes(line, kind) for kind in KINDS)
