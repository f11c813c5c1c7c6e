"""Postings as bytes: for each 4 bytes of the hash and 5 of the article's id, both big-endian."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

Pairs = npt.NDArray[np.int64]
"""Of a hash and an article in each row."""
PAIR = np.dtype([("hash", ">i4"), ("high", "u1"), ("low", ">u4")])
FIRST = -(1 << 31)
"""The least hash of a posting."""


def unpacked(data: bytes, keys: Collection[int] = ()) -> Pairs:
    """The postings in these bytes; of these keys only, if there are any."""
    held = np.frombuffer(data, PAIR)
    if keys:
        wanted = np.array(sorted(keys), np.int32)
        hashes = held["hash"].astype(np.int32)
        held = held[wanted[np.searchsorted(wanted[1:], hashes, "right")] == hashes]
    articles = (held["high"].astype(np.int64) << 32) | held["low"]
    return np.stack((held["hash"].astype(np.int64), articles), axis=1)


def packed(pairs: Pairs) -> bytes:
    """The bytes of these postings."""
    held = np.empty(len(pairs), PAIR)
    held["hash"], held["high"], held["low"] = pairs[:, 0], pairs[:, 1] >> 32, pairs[:, 1] & 0xFFFFFFFF
    return held.tobytes()
