"""The marks by which two articles are compared without their texts, and their packed form of a few hundred bytes."""

import struct
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from tasks.hashing import Hashes
from tasks.shingles import Shingled

SKETCH_SIZE = 256
FACTS = 32
TITLE_WORDS = 16
SHORT_WORDS = 40
"""Below this a text has too few trigrams for a sketch to mean anything."""
_HASH_BITS = 32
_SPARE_BITS = 8
"""A hash keeps so many bits more than the number of trigrams has: one in 2**8 agrees with a stranger's by chance."""
_HEAD = struct.Struct("<HIBBBB")
_MOST_WORDS = 0xFFFF
_LOW_BITS, _BYTE = np.uint64(0xFFFF), np.uint64(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is kept of an article for comparing it. Hashes of trigrams are cut to `bits` bits, all others to 16."""

    words: int
    trigrams: int
    """How many distinct trigrams the text has; the sketch holds all of them or the smallest."""
    bits: int
    sketch: tuple[int, ...]
    numbers: frozenset[int]
    names: frozenset[int]
    title: frozenset[int]


def packed(text: Shingled, trigrams: Hashes, title: Hashes) -> bytes:
    """The marks of a text (with its trigrams, ascending) and its title's words; a short text has an empty sketch.

    About 1.25 bytes for each hash of the sketch, 2 for each other. The sketch is coded after Elias and Fano: the low
    byte of each hash as it is, the high bits as the places of ones.
    """
    bits = min(_HASH_BITS, _SPARE_BITS + max(len(trigrams), 1).bit_length())
    groups = [_smallest(text.numbers(), FACTS), _smallest(text.names(), FACTS), _smallest(title, TITLE_WORDS)]
    head = _HEAD.pack(min(len(text.words), _MOST_WORDS), len(trigrams), bits, *map(len, groups))
    facts = [value for group in groups for value in group]
    kept = trigrams[: 0 if is_short(text) else SKETCH_SIZE] >> np.uint64(_HASH_BITS - bits)
    return head + struct.pack(f"<{len(facts)}H", *facts) + _coded(kept)


def is_short(text: Shingled) -> bool:
    """Whether a text has no sketch."""
    return len(text.words) < SHORT_WORDS


@lru_cache(maxsize=1024)  # a story that many carry is compared with again and again
def unpack(raw: bytes) -> Marks:
    """The marks in these bytes."""
    words, trigrams, bits, *counts = _HEAD.unpack_from(raw)
    facts = np.frombuffer(raw, "<u2", sum(counts), _HEAD.size).tolist()
    names = counts[0] + counts[1]
    count = 0 if words < SHORT_WORDS else min(trigrams, SKETCH_SIZE)
    return Marks(
        words=words,
        trigrams=trigrams,
        bits=bits,
        sketch=_unpacked(raw, _HEAD.size + 2 * len(facts), count),
        numbers=frozenset(facts[: counts[0]]),
        names=frozenset(facts[counts[0] : names]),
        title=frozenset(facts[names:]),
    )


def _smallest(hashes: Hashes, count: int) -> list[int]:
    cut = (hashes & _LOW_BITS).astype(np.uint16)
    cut.sort()
    return sorted(set(cut[:count].tolist()))


def _coded(hashes: Hashes) -> bytes:
    if not len(hashes):
        return b""
    high = (hashes >> _BYTE).astype(np.intp) + _places()[: len(hashes)]
    ones = np.zeros(int(high[-1]) + 1, np.uint8)
    ones[high] = 1
    return hashes.astype(np.uint8).tobytes() + np.packbits(ones).tobytes()


@cache
def _places() -> npt.NDArray[np.intp]:
    return np.arange(SKETCH_SIZE)


def _unpacked(raw: bytes, start: int, count: int) -> tuple[int, ...]:
    if not count:
        return ()
    low = np.frombuffer(raw, np.uint8, count, start)
    ones = np.unpackbits(np.frombuffer(raw, np.uint8, offset=start + count)).nonzero()[0]
    return tuple((((ones - _places()[:count]) << 8) | low).tolist())
