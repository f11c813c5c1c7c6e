"""Tells a page that says an article once more from one whose template declares another article's address."""

from storage.records import Known
from tasks.fingerprint import marks_of, similarity
from tasks.pipeline import Read
from tasks.words import tokens

_LIKE = 0.2
"""Share of trigrams from which two texts may be one, though one is cut short; boilerplate alone stays below it."""
_TITLE = 0.5
"""Likewise the share of their titles' words."""


def is_twin(known: Known, read: Read) -> bool:
    """Whether a page that declares an article's address may be that article; of short texts nobody can say it is not.

    RFC 6596 section 3: what a canonical address names is the same content. A template that names one address on each
    page of a site would make all its articles one.
    """
    one, other = known.fingerprint, read.fingerprint
    if not (marks_of(one).sketch and marks_of(other).sketch) or one.algorithm != other.algorithm:
        return True
    return similarity(one, other) >= _LIKE or _shared(known.title, read.clean.title) >= _TITLE


def _shared(one: str, other: str) -> float:
    words, others = set(tokens(one)), set(tokens(other))
    return len(words & others) / max(1, len(words | others))
