"""Computes what is compared instead of a text: an exact hash, a sketch, and the hash of a version's content."""

import hashlib
import heapq
from collections.abc import Iterable, Sequence

from storage.records import Clean, Fingerprint
from tasks.words import fold, tokens

ALGORITHM = 1
"""Raised with any change of the arithmetic below; prints of different algorithms are never compared."""
SKETCH_SIZE = 32
SHORT_WORDS = 40
"""Below this a text has too few trigrams for a sketch to mean anything."""


def fingerprint(clean: Clean) -> Fingerprint:
    """The fingerprint of an article, the same in every process and on every platform."""
    return Fingerprint(algorithm=ALGORITHM, exact=exact_hash(clean.title, clean.text), sketch=sketch(clean.text))


def exact_hash(title: str, text: str) -> str:
    """`1:` and a SHA-256 of title and text, blind to case, white space, punctuation and empty fields."""
    return _hash({"title": fold(title), "text": fold(text)}.items())


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
    return _hash((name, " ".join(value.split())) for name, value in named.items())


def sketch(text: str) -> tuple[int, ...]:
    """The smallest 32-bit hashes of the word trigrams, ascending (Broder 1997, 'bottom-k'); () for a short text."""
    words = tokens(text)
    if len(words) < SHORT_WORDS:
        return ()
    return tuple(heapq.nsmallest(SKETCH_SIZE, {_hash32(shingle) for shingle in trigrams(words)}))


def trigrams(words: Sequence[str]) -> set[str]:
    """All runs of three words."""
    return {" ".join(run) for run in zip(words, words[1:], words[2:], strict=False)}


def similarity(a: Fingerprint, b: Fingerprint) -> float:
    """An estimate of the share of trigrams that two texts have in common (Jaccard, 0 to 1); symmetric.

    The smallest hashes of the union are a fair sample of it. Without a sketch on either side the answer is 1 for
    equal texts and else 0; the same for prints of different algorithms, which have nothing to compare.
    """
    if a.algorithm != b.algorithm:
        return 0.0
    if not a.sketch or not b.sketch:
        return float(a.exact == b.exact)
    one, other = set(a.sketch), set(b.sketch)
    union = sorted(one | other)
    # A sketch that is not full holds all hashes of its text; two of them give the exact value.
    sample = union if max(len(one), len(other)) < SKETCH_SIZE else union[:SKETCH_SIZE]
    return len(one & other & set(sample)) / len(sample)


def _hash(fields: Iterable[tuple[str, str]]) -> str:
    # A field that is empty leaves no trace, so that a new field changes no hash that was stored without it.
    lines = (f"{name}={value}\n" for name, value in fields if value)
    return f"{ALGORITHM}:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def _hash32(shingle: str) -> int:
    return int.from_bytes(hashlib.blake2b(shingle.encode(), digest_size=4).digest(), "big")
