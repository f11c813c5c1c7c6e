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

from storage.database import Tx, chunks, prepared
from storage.pairs import FIRST, Pairs, packed, unpacked
from storage.retention import Step
from storage.tables import article, posting_page

MOST = 64
"""Postings of a page before it is split, but those of one hash stay together."""

_FIND = """
SELECT p.low, p.data, NULL FROM unnest(CAST(%(keys)s AS int[])) AS k
CROSS JOIN LATERAL (SELECT low, data FROM posting_page WHERE low <= k ORDER BY low DESC LIMIT 1) AS p
UNION ALL
SELECT e, NULL, f.article_id FROM unnest(CAST(%(exact)s AS bigint[])) AS e
CROSS JOIN LATERAL (SELECT article_id FROM fingerprint WHERE exact = e ORDER BY article_id LIMIT %(most)s) AS f
"""
_PAGES = """
SELECT DISTINCT ON (p.low) p.low, p.data FROM unnest(CAST(%(keys)s AS int[])) AS k
CROSS JOIN LATERAL (SELECT low, data FROM posting_page WHERE low <= k ORDER BY low DESC LIMIT 1) AS p
"""
_PUT = """
INSERT INTO posting_page (low, data) SELECT * FROM unnest(CAST(%(lows)s AS int[]), CAST(%(data)s AS bytea[]))
ON CONFLICT (low) DO UPDATE SET data = excluded.data
"""


def find(
    tx: Tx, keys: Collection[int], exact: Collection[int], most: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Keys with the articles that have them; exact hashes with the articles of such a text, `most` at most of each."""
    rows = prepared(tx, _FIND, {"keys": array(keys), "exact": array(exact), "most": most})
    pages = {low: data for low, data, _ in rows if data is not None}  # several keys may be in one
    pairs = unpacked(b"".join(pages.values()), keys)
    equal = [(hash_, one) for hash_, data, one in rows if data is None]
    return list(zip(*pairs.T.tolist(), strict=True)), equal


def add(tx: Tx, pairs: Sequence[tuple[int, int]]) -> None:
    """Let articles be found by keys. A posting that is there already does no harm."""
    new = np.array(pairs, np.int64)
    held = sorted(prepared(tx, _PAGES, {"keys": array(np.unique(new[:, 0]).tolist())})) or [(FIRST, b"")]
    lows = [low for low, _ in held]
    # Pages are ranges of hashes, so in order all their postings stand page after page.
    grown = _sorted(np.concatenate((unpacked(b"".join(data for _, data in held)), new)))
    bounds = np.searchsorted(grown[:, 0], lows[1:])
    parts = [part for low, piece in zip(lows, np.split(grown, bounds), strict=True) for part in _split(low, piece)]
    values = {
        "lows": array(low for low, _ in parts),
        "data": array(f'"\\\\x{packed(part).hex()}"' for _, part in parts),
    }
    prepared(tx, _PUT, values)


def forget(tx: Tx, before: datetime, *, after: int, limit: int, dry: bool) -> Step:
    """Take out the postings of articles that did not change since then, from about `limit` postings on from a hash."""
    pages = max(limit // MOST, 1)
    query = select(posting_page).where(posting_page.c.low >= after).order_by(posting_page.c.low).limit(pages + 1)
    rows = [(row.low, _sorted(unpacked(row.data))) for row in tx.execute(query)]
    here, gone = rows[:pages], 0
    recent = recent_among(tx, np.concatenate([unpacked(b""), *(pairs for _, pairs in here)])[:, 1], before)
    for low, pairs in here:
        kept = pairs[np.isin(pairs[:, 1], recent)]
        gone += len(pairs) - len(kept)
        if not dry and len(kept) < len(pairs):
            _replace(tx, low, kept)
    return Step(gone=gone, after=rows[pages][0] if len(rows) > pages else None)


def recent_among(tx: Tx, articles: npt.NDArray[np.int64], before: datetime) -> list[int]:
    """Those of these articles that changed since then."""
    ids = np.unique(articles).tolist()
    query = select(article.c.id).where(article.c.updated_at >= before)
    parts = (tx.execute(query.where(article.c.id.in_(part))).scalars() for part in chunks(ids, 5_000))
    return [one for part in parts for one in part]


def _replace(tx: Tx, low: int, pairs: Pairs) -> None:
    page = posting_page.c.low == low
    if len(pairs) or low == FIRST:
        tx.execute(update(posting_page).where(page).values(data=packed(pairs)))
    else:  # what would be in it belongs to the page before from now on
        tx.execute(delete(posting_page).where(page))


def _split(low: int, pairs: Pairs) -> Iterator[tuple[int, Pairs]]:
    """The pages that hold these pairs, which are in order; no hash is in two of them."""
    if len(pairs) > MOST:
        starts = np.flatnonzero(pairs[1:, 0] != pairs[:-1, 0]) + 1
        if len(starts):
            middle = int(starts[np.abs(starts - len(pairs) // 2).argmin()])
            yield from _split(low, pairs[:middle])
            yield from _split(int(pairs[middle, 0]), pairs[middle:])
            return
    yield low, pairs


def _sorted(pairs: Pairs) -> Pairs:
    """The pairs in order, each once."""
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    again = (ordered[1:] == ordered[:-1]).all(axis=1)
    return ordered[np.concatenate(([True], ~again))[: len(ordered)]]


def array(values: Iterable[int | str]) -> str:
    """An array as PostgreSQL writes it: the driver takes several times as long for a list."""
    return f"{{{','.join(map(str, values))}}}"
