"""Postings packed into rows, for PostgreSQL: in a row of its own each would cost it ten times what it says.

A page holds the postings of all hashes from its `low` up to the next page's, in any order: 4 bytes of the hash and 5 of
the article's id, both big-endian. One that grows too long is split in two, as in a B-tree. Writers stand in line, so a
page has one writer at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, select, update

from storage.database import Tx, chunks, prepared, stand_in_line
from storage.retention import Step
from storage.tables import article, posting_page

FIRST = -(1 << 31)
"""The least hash of a posting, and the `low` of the first page, which is never deleted."""
MOST = 64
"""Postings of a page before it is split, but those of one hash stay together."""
_PAIR = np.dtype([("hash", ">i4"), ("high", "u1"), ("low", ">u4")])
_Pairs = npt.NDArray[np.int64]
"""Of a hash and an article in each row."""

_FIND = """
SELECT p.low, p.data, NULL FROM unnest(CAST(%(keys)s AS int[])) AS k
CROSS JOIN LATERAL (SELECT low, data FROM posting_page WHERE low <= k ORDER BY low DESC LIMIT 1) AS p
UNION ALL
SELECT NULL, NULL, article_id
FROM (SELECT article_id FROM fingerprint WHERE exact = %(exact)s ORDER BY article_id LIMIT %(most)s) AS e
"""
_ADD = f"""
UPDATE posting_page AS page SET data = page.data || new.data FROM (
    SELECT p.low, string_agg(int4send(k) || substring(int8send(%(id)s) FROM 4), CAST('' AS bytea)) AS data
    FROM unnest(CAST(%(keys)s AS int[])) AS k
    CROSS JOIN LATERAL (SELECT low FROM posting_page WHERE low <= k ORDER BY low DESC LIMIT 1) AS p GROUP BY p.low
) AS new WHERE page.low = new.low
RETURNING page.low, CASE WHEN length(page.data) > {MOST * _PAIR.itemsize} THEN page.data END
"""  # noqa: S608 - the text is made of constants
_PUT = """
INSERT INTO posting_page (low, data) VALUES (%(low)s, %(data)s) ON CONFLICT (low) DO UPDATE SET data = excluded.data
"""


def find(tx: Tx, keys: Sequence[int], exact: int, most: int) -> tuple[Mapping[int, list[int]], list[int]]:
    """For each key that has postings their articles, and `most` articles at most whose text has that exact hash."""
    rows = prepared(tx, _FIND, {"keys": list(keys), "exact": exact, "most": most})
    pages = {low: data for low, data, _ in rows if low is not None}
    pairs = _unpacked(b"".join(pages.values()))
    found: dict[int, list[int]] = {}
    for key, one in set(map(tuple, pairs[np.isin(pairs[:, 0], keys)].tolist())):
        found.setdefault(key, []).append(one)
    return found, [one for _, _, one in rows if one is not None]


def add(tx: Tx, article_id: int, keys: Sequence[int]) -> None:
    """Let an article be found by these keys. A posting that is there already does no harm."""
    grown = prepared(tx, _ADD, {"id": article_id, "keys": list(keys)})
    if not grown:
        _put(tx, FIRST, np.array([(key, article_id) for key in keys], np.int64))
    for low, data in grown:
        if data is not None:
            _put(tx, low, _unpacked(data))


def forget(tx: Tx, before: datetime, *, after: int, limit: int, dry: bool) -> Step:
    """Take out the postings of articles that did not change since then, from about `limit` postings on from a hash."""
    if not dry:
        stand_in_line(tx)
    pages = max(limit // MOST, 1)
    query = select(posting_page).where(posting_page.c.low >= after).order_by(posting_page.c.low).limit(pages + 1)
    rows = [(row.low, _sorted(_unpacked(row.data))) for row in tx.execute(query)]
    here, gone = rows[:pages], 0
    recent = _recent(tx, np.concatenate([_unpacked(b""), *(pairs for _, pairs in here)])[:, 1], before)
    for low, pairs in here:
        kept = pairs[np.isin(pairs[:, 1], recent)]
        gone += len(pairs) - len(kept)
        if not dry and len(kept) < len(pairs):
            _replace(tx, low, kept)
    return Step(gone=gone, after=rows[pages][0] if len(rows) > pages else None)


def _recent(tx: Tx, articles: npt.NDArray[np.int64], before: datetime) -> list[int]:
    ids = np.unique(articles).tolist()
    query = select(article.c.id).where(article.c.updated_at >= before)
    parts = (tx.execute(query.where(article.c.id.in_(part))).scalars() for part in chunks(ids, 5_000))
    return [one for part in parts for one in part]


def _replace(tx: Tx, low: int, pairs: _Pairs) -> None:
    page = posting_page.c.low == low
    if len(pairs) or low == FIRST:
        tx.execute(update(posting_page).where(page).values(data=_packed(pairs)))
    else:  # what would be in it belongs to the page before from now on
        tx.execute(delete(posting_page).where(page))


def _put(tx: Tx, low: int, pairs: _Pairs) -> None:
    prepared(tx, _PUT, [{"low": at, "data": _packed(part)} for at, part in _split(low, _sorted(pairs))])


def _split(low: int, pairs: _Pairs) -> Iterator[tuple[int, _Pairs]]:
    """The pages that hold these pairs, which are in order; no hash is in two of them."""
    if len(pairs) > MOST:
        starts = np.flatnonzero(pairs[1:, 0] != pairs[:-1, 0]) + 1
        if len(starts):
            middle = int(starts[np.abs(starts - len(pairs) // 2).argmin()])
            yield from _split(low, pairs[:middle])
            yield from _split(int(pairs[middle, 0]), pairs[middle:])
            return
    yield low, pairs


def _sorted(pairs: _Pairs) -> _Pairs:
    return np.unique(pairs, axis=0)


def _unpacked(data: bytes) -> _Pairs:
    held = np.frombuffer(data, _PAIR)
    articles = (held["high"].astype(np.int64) << 32) | held["low"]
    return np.stack((held["hash"].astype(np.int64), articles), axis=1)


def _packed(pairs: _Pairs) -> bytes:
    held = np.empty(len(pairs), _PAIR)
    held["hash"], held["high"], held["low"] = pairs[:, 0], pairs[:, 1] >> 32, pairs[:, 1] & 0xFFFFFFFF
    return held.tobytes()
