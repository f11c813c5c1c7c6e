"""Computes what is compared instead of a text: an exact hash, marks, and the hash of a version's content."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from storage.records import Clean, Fingerprint
from tasks.hashing import Hashes, distinct
from tasks.likeness import likeness
from tasks.marks import Marks, is_short, packed, unpack
from tasks.shingles import Shingled, shingled
from tasks.words import fold, tokens

ALGORITHM = 2
"""Raised with any change of the arithmetic of prints; prints of different algorithms are never compared."""
CONTENT_VERSION = 1
"""Raised with any change of `content_hash`."""
KEYS = 24
"""How many of the smallest hashes lead to candidates."""
_LEAST_WORDS = 20
"""A text that is nearly all boilerplate is compared as it is."""
_SIGN = 1 << 31
_MOST_LINES = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """All of a fingerprint that can be worked out before the store has said which lines are boilerplate."""

    text: Shingled
    title: Hashes
    """The hashes of the title's words."""

    def lines(self) -> tuple[int, ...]:
        """The hashes of the text's lines, each once; of a long text those of its ends, where boilerplate stands."""
        hashes = dict.fromkeys(self.text.line_hashes.tolist())
        lines = [value - _SIGN for value in hashes]
        return tuple(lines if len(lines) <= _MOST_LINES else lines[: _MOST_LINES // 2] + lines[-_MOST_LINES // 2 :])


def draft(title: str, text: str) -> Draft:
    """Hash a title and a text."""
    title = " ".join(title.split())
    both, count = shingled(f"{title}\n{text}"), len(tokens(title))  # at once: half of the cost is one of each call
    return Draft(both.after(count), both.words[:count])


def finish(drafted: Draft, boilerplate: Collection[int] = ()) -> Fingerprint:
    """The fingerprint of a text without those of its lines (by their hashes) that many stories share."""
    text = _without(drafted.text, boilerplate)
    runs = distinct(text.runs())
    keys = runs[: 0 if is_short(text) else KEYS].astype(np.int64) - _SIGN
    return Fingerprint(
        algorithm=ALGORITHM,
        exact=exact_hash(drafted.text),
        marks=packed(text, runs, drafted.title),
        keys=tuple(keys.tolist()),
        lines=drafted.lines(),
    )


def fingerprint(clean: Clean) -> Fingerprint:
    """The fingerprint of an article, nothing being known of boilerplate."""
    return finish(draft(clean.title, clean.text))


def exact_hash(text: Shingled) -> int:
    """A signed hash of 64 bits of a text's words, blind to case, white space and punctuation."""
    return int.from_bytes(
        hashlib.blake2b(text.words.astype("<u8").tobytes(), digest_size=8).digest(), "little", signed=True
    )


def content_hash(clean: Clean) -> str:
    """`1:` and a SHA-256 of what a reader would call the article: title, subtitle, authors and text.

    White space does not count, a changed comma does. Dates, keywords, section, image and access are left out: sites
    touch them without touching the article, and a reader who is told of a change wants one.
    """
    named = {
        "title": clean.title,
        "subtitle": clean.subtitle or "",
        "authors": "\n".join(clean.authors),
        "text": clean.text,
    }
    return _hash((name, _squashed(value)) for name, value in named.items())


def _squashed(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())  # a list of all words takes many times their size
    return " ".join(line for line in lines if line)


def common_lines(text: str, boilerplate: Collection[int]) -> frozenset[str]:
    """Those lines of a text, folded, whose hashes are these."""
    if not boilerplate:
        return frozenset()
    lines = [line for line in map(fold, text.splitlines()) if line]
    hashes = (shingled("\n".join(lines)).line_hashes.astype(np.int64) - _SIGN).tolist()
    return frozenset(line for line, hash_ in zip(lines, hashes, strict=True) if hash_ in boilerplate)


def marks_of(print_: Fingerprint) -> Marks:
    """The marks in a fingerprint."""
    return unpack(print_.marks)


def similarity(a: Fingerprint, b: Fingerprint) -> float:
    """An estimate of the share of trigrams that two texts have in common (Jaccard, 0 to 1); symmetric.

    Without a sketch on either side the answer is 1 for equal texts and else 0; the same for prints of different
    algorithms, which have nothing to compare.
    """
    if a.algorithm != b.algorithm:
        return 0.0
    one, other = marks_of(a), marks_of(b)
    if not one.sketch or not other.sketch:
        return float(a.exact == b.exact)
    return likeness(one, other).jaccard


def _without(text: Shingled, boilerplate: Collection[int]) -> Shingled:
    if not boilerplate:
        return text
    common = [value - _SIGN in boilerplate for value in text.line_hashes.tolist()]
    rest = text.without(np.array(common, np.bool_))
    return rest if len(rest.words) >= _LEAST_WORDS else text


def _hash(fields: Iterable[tuple[str, str]]) -> str:
    # A field that is empty leaves no trace, so that a new field changes no hash that was stored without it.
    lines = (f"{name}={value}\n" for name, value in fields if value)
    return f"{CONTENT_VERSION}:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"
