"""Postings that came lately, kept together until many of them go to one page of the index at once.

An article's postings belong to a dozen places of the index, and one that is written there by itself costs the writing
of a page. So those of a transaction are kept in one row, and a hand goes around over the hashes: with each posting that
comes it moves on, and what it passes goes to its place, from all rows. After a round a row has nothing left that is
nowhere else, and goes. Until then it is found here.

Rows never change, so each process remembers those that it has read. Writers stand in line.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from sqlalchemy import Engine, RootTransaction

from storage.database import Tx, prepared
from storage.pairs import FIRST, Pairs, packed, unpacked

Pair = tuple[int, int]
"""A hash, and an article that has it."""
_KEPT = 1 << 17
"""How many are kept: in a large index a few for each page, in memory 3 MB."""
_ROUND = 1 << 32
_STEP = _ROUND // _KEPT
_FEW = 4_096
_MOST_FULL = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """What is kept. Each row is named by where the hand stood when it had come; the hand never goes back."""

    first: int
    last: int
    most: Pairs
    """Hashes in their order, and below them the articles and the rows' names."""
    rest: Pairs
    """Likewise of a few rows that came since: these change with each transaction."""
    full: set[int]
    """Keys that were found to have as many articles as can be: so they stay until postings are taken out."""

    def find(self, keys: Collection[int]) -> list[Pair]:
        """Those of these keys that articles have here, with the articles; some may come twice."""
        wanted = np.array(sorted(keys), np.int64)
        return [pair for part in (self.most, self.rest) for pair in self._pairs(part, wanted, wanted + 1)]

    def between(self, low: int, high: int) -> list[Pair]:
        """What has a hash from one to below another."""
        return [
            pair for part in (self.most, self.rest) for pair in self._pairs(part, np.array([low]), np.array([high]))
        ]

    def _pairs(self, part: Pairs, lows: Pairs, highs: Pairs) -> Iterator[Pair]:
        starts, ends = np.searchsorted(part[0], lows), np.searchsorted(part[0], highs)
        counts = ends - starts
        places = np.repeat(ends - counts.cumsum(), counts) + np.arange(counts.sum())
        hashes, articles, names = part[:, places]
        kept = names >= self.first  # rows that are gone may still be remembered
        return zip(hashes[kept].tolist(), articles[kept].tolist(), strict=True)


_known: WeakKeyDictionary[Engine, Recent] = WeakKeyDictionary()
_writing: WeakSet[RootTransaction] = WeakSet()
"""Transactions in which rows were written, which may be taken back."""


def read(tx: Tx) -> Recent:
    """What is kept now: rows that are remembered, and those that came since."""
    old = _known.get(tx.engine) or _nothing()
    rows = prepared(tx, _sql(tx, "rows"), {"last": old.last})
    first, last = next((low or 0, high or 0) for low, high, data in rows if data is None)
    if last < old.last:  # no database that we know
        _known.pop(tx.engine, None)
        return read(tx)
    now = _grown(old, first, last, [(name, bytes(data)) for name, _, data in rows if data is not None])
    if tx.get_transaction() in _writing:
        return replace(now, full=set(now.full))
    _known[tx.engine] = now
    return now


def add(tx: Tx, pairs: Sequence[Pair]) -> list[Pair]:
    """Keep some; returns those that are to be put in their places now, ascending."""
    recent = read(tx)
    last = recent.last + len(pairs) * _STEP
    _write(tx, last, packed(np.array(sorted(pairs), np.int64)))
    if recent.first <= last - _ROUND:
        prepared(tx, _sql(tx, "drop"), {"last": last - _ROUND})
    if last - recent.last >= _ROUND:
        return sorted(set(recent.between(FIRST, -FIRST)))
    low, high = recent.last % _ROUND + FIRST, last % _ROUND + FIRST
    ranges = [(low, high)] if low < high else [(FIRST, high), (low, -FIRST)]
    return sorted({pair for ends in ranges for pair in recent.between(*ends)})


def settle(tx: Tx) -> list[Pair]:
    """Keep none, and have every process forget which keys are full; returns what is to be put in its place now."""
    recent = read(tx)
    prepared(tx, _sql(tx, "drop"), {"last": recent.last})
    _write(tx, recent.last + 1, b"")  # where the hand stands must not be forgotten
    return sorted(set(recent.between(FIRST, -FIRST)))


def kept(tx: Tx) -> Pairs:
    """Those that are nowhere else: the hand has not passed them yet."""
    recent = read(tx)
    held = np.concatenate((recent.most, recent.rest), axis=1)
    ahead = (held[0] - FIRST - held[2]) % _ROUND >= recent.last - held[2]
    return np.unique(held[:2, ahead & (held[2] >= recent.first)].T, axis=0)


def _write(tx: Tx, name: int, data: bytes) -> None:
    this = tx.get_transaction()
    if this is not None:
        _writing.add(this)
    prepared(tx, _sql(tx, "keep"), {"name": name, "data": data})


def _nothing() -> Recent:
    none = np.empty((3, 0), np.int64)
    return Recent(0, 0, none, none, set())


def _grown(old: Recent, first: int, last: int, rows: Sequence[tuple[int, bytes]]) -> Recent:
    afresh = len(old.full) > _MOST_FULL or any(not data for _, data in rows)  # these are of a `settle`
    full = set[int]() if afresh else old.full
    if not rows:
        return Recent(first, last, old.most, old.rest, full)
    pairs = [(unpacked(data), name) for name, data in rows]
    names = np.repeat([name for _, name in pairs], [len(held) for held, _ in pairs])
    new = np.concatenate((np.concatenate([held for held, _ in pairs]).T, names[None]))
    most, rest = old.most, _merged(old.rest, new)
    if rest.shape[1] > _FEW:
        most, rest = _merged(most[:, most[2] >= first], rest), rest[:, :0]
    return Recent(first, last, most, rest, full)


def _merged(one: Pairs, other: Pairs) -> Pairs:
    both = np.concatenate((one, other), axis=1)
    return both[:, both[0].argsort(kind="stable")]


_SQLITE = {
    "rows": """
SELECT (SELECT min(name) FROM posting_recent), (SELECT max(name) FROM posting_recent), NULL
UNION ALL SELECT name, 0, data FROM posting_recent WHERE name > :last
""",
    "keep": "INSERT INTO posting_recent (name, data) VALUES (:name, :data)",
    "drop": "DELETE FROM posting_recent WHERE name <= :last",
}
_SQL = {
    "sqlite": _SQLITE,
    "postgresql": {name: re.sub(r":(\w+)", r"%(\1)s", sql) for name, sql in _SQLITE.items()},
}


def _sql(tx: Tx, name: str) -> str:
    return _SQL[tx.dialect.name][name]
