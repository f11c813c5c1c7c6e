"""Postings packed into rows, for PostgreSQL: in a row of its own each would cost it ten times what it says.

A page holds the postings of all hashes from its `low` up to the next page's, in any order: 4 bytes of the hash and 5 of
the article's id, both big-endian. One that grows too long is split in two, as in a B-tree. Writers stand in line, so a
page has one writer at a time.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
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
SELECT e, NULL, f.article_id FROM unnest(CAST(%(exact)s AS bigint[])) AS e
CROSS JOIN LATERAL (SELECT article_id FROM fingerprint WHERE exact = e ORDER BY article_id LIMIT %(most)s) AS f
"""
_ADD = f"""
UPDATE posting_page AS page SET data = page.data || new.data FROM (
    SELECT p.low, string_agg(int4send(k) || substring(int8send(id) FROM 4), CAST('' AS bytea)) AS data
    FROM unnest(CAST(%(keys)s AS int[]), CAST(%(ids)s AS bigint[])) AS new (k, id)
    CROSS JOIN LATERAL (SELECT low FROM posting_page WHERE low <= k ORDER BY low DESC LIMIT 1) AS p GROUP BY p.low
) AS new WHERE page.low = new.low
RETURNING page.low, CASE WHEN length(page.data) > {MOST * _PAIR.itemsize} THEN page.data END
"""  # noqa: S608 - the text is made of constants
_PUT = """
INSERT INTO posting_page (low, data) VALUES (%(low)s, %(data)s) ON CONFLICT (low) DO UPDATE SET data = excluded.data
"""


def find(
    tx: Tx, keys: Collection[int], exact: Collection[int], most: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Keys with the articles that have them; exact hashes with the articles of such a text, `most` at most of each."""
    rows = prepared(tx, _FIND, {"keys": array(keys), "exact": array(exact), "most": most})
    pages = {low: data for low, data, _ in rows if data is not None}  # several keys may be in one
    pairs = _unpacked(b"".join(pages.values()), keys).tolist()
    return sorted(set(map(tuple, pairs))), [(hash_, one) for hash_, data, one in rows if data is None]


def add(tx: Tx, article_id: int, keys: Sequence[int]) -> None:
    """Let an article be found by these keys. A posting that is there already does no harm."""
    add_all(tx, [(article_id, keys)])


def add_all(tx: Tx, rows: Sequence[tuple[int, Sequence[int]]]) -> None:
    """The same for several articles, each with its keys."""
    pairs = [(key, one) for one, keys in rows for key in keys]
    grown = prepared(tx, _ADD, {"keys": array(key for key, _ in pairs), "ids": array(one for _, one in pairs)})
    if not grown:
        grown = [(FIRST, _packed(np.array(pairs, np.int64)))]
    full = [(low, _unpacked(data)) for low, data in grown if data is not None]
    parts = [part for low, held in full for part in _split(low, _sorted(held))]
    if parts:
        prepared(tx, _PUT, [{"low": low, "data": _packed(part)} for low, part in parts])


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


def array(values: Iterable[int]) -> str:
    """An array as PostgreSQL writes it: the driver takes several times as long for a list."""
    return f"{{{','.join(map(str, values))}}}"


def _unpacked(data: bytes, keys: Collection[int] = ()) -> _Pairs:
    """The postings of some pages; of these keys only, if there are any."""
    held = np.frombuffer(data, _PAIR)
    if keys:
        wanted = np.array(sorted(keys), np.int32)
        hashes = held["hash"].astype(np.int32)
        held = held[wanted[np.searchsorted(wanted[1:], hashes, "right")] == hashes]
    articles = (held["high"].astype(np.int64) << 32) | held["low"]
    return np.stack((held["hash"].astype(np.int64), articles), axis=1)


def _packed(pairs: _Pairs) -> bytes:
    held = np.empty(len(pairs), _PAIR)
    held["hash"], held["high"], held["low"] = pairs[:, 0], pairs[:, 1] >> 32, pairs[:, 1] & 0xFFFFFFFF
    return held.tobytes()
