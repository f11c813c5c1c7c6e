"""The hashing arithmetic of prints, with numpy; the same on every platform."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

BASE, RUN_BASE = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
"""Odd, so that they have an inverse modulo 2**64: a prefix sum then gives the hash of every slice."""
_ONE = np.uint64(1)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def distinct(values: Hashes) -> Hashes:
    """The values ascending, each once; they are sorted in place.

    (numpy.unique does the same, and much more, in three times the time.)
    """
    values.sort()
    if len(values) < 2:
        return values
    first = np.empty(len(values), np.bool_)
    first[0] = True
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]


def mixed(values: Hashes) -> Hashes:
    """Every bit of each value spread over all of it (the finalizer of SplitMix64, Steele et al. 2014)."""
    values = values ^ (values >> _SHIFTS[0])
    values *= _FACTORS[0]
    values ^= values >> _SHIFTS[1]
    values *= _FACTORS[1]
    values ^= values >> _SHIFTS[2]
    return values


def slices(values: Hashes, starts: npt.NDArray[Any], ends: npt.NDArray[Any], base: int) -> Hashes:
    """A polynomial hash, modulo 2**64, of each slice of the values; the place of a slice does not matter."""
    powers, inverses = _powers(base, 1 << len(values).bit_length())
    sums = np.zeros(len(values) + 1, np.uint64)
    ((values + _ONE) * powers[: len(values)]).cumsum(out=sums[1:])
    hashes: Hashes = (sums[ends] - sums[starts]) * inverses[starts]
    return hashes


@cache
def _powers(base: int, count: int) -> tuple[Hashes, Hashes]:
    return _ladder(base, count), _ladder(pow(base, -1, 1 << 64), count)


def _ladder(base: int, count: int) -> Hashes:
    steps = np.full(count, base, np.uint64)
    steps[0] = 1
    return np.cumprod(steps)
