"""Finding articles of like text: fingerprints, the postings that lead to them, and lines that many stories share."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import delete, func, select

from storage import posting_pages
from storage.columns import Utc
from storage.database import Tx, prepared
from storage.records import Boilerplate, Fingerprint, Neighbour
from storage.retention import Step
from storage.tables import article, fingerprint, posting

MOST_POSTINGS = 64
"""A hash with so many articles leads nowhere: it stops being asked and added to."""
POSTINGS = 14
"""By how many of its keys an article is found."""
LEAST_SHARED = 2
CANDIDATES = 8
FIRST = posting_pages.FIRST
"""The least hash of a posting."""
_MOST_EQUAL = 64
_SLOTS = 1 << 18
_COMMON = 4
"""Clusters that share a line of boilerplate."""
_MOST_COUNTED = 64
"""A line that is gone for good gives way after so many others wanted its slot."""


def boilerplate(tx: Tx, lines: Sequence[int]) -> Boilerplate:
    """What is known of a text's lines, by their hashes."""
    slots = sorted({line % _SLOTS for line in lines})
    rows = prepared(tx, _sql(tx, "lines"), {"slots": _list(tx, slots)}) if slots else ()
    held = {slot: (hash_, clusters, last) for slot, hash_, clusters, last in rows}
    common = (line for line in lines if _count(held, line) >= _COMMON)
    return Boilerplate(lines=tuple(lines), held=held, common=frozenset(common))


def note(tx: Tx, known: Boilerplate, cluster_id: int) -> None:
    """Count the lines for a cluster, once for each time that it is not the one that showed the line last.

    Each line has one slot, held by the hash that came more often of late (after Boyer and Moore's majority vote): a
    rare line that wants a common line's slot wears it off, and the table never grows.
    """
    changed: dict[int, tuple[int, int, int]] = {}
    for line in known.lines:
        slot = line % _SLOTS
        row = changed.get(slot) or known.held.get(slot)
        now = _noted(row, line, cluster_id)
        if now != row:
            changed[slot] = now
    if changed:
        names = ("hash", "clusters", "cluster_id")
        rows = [{"slot": slot, **dict(zip(names, row, strict=True))} for slot, row in sorted(changed.items())]
        prepared(tx, _sql(tx, "note"), rows)


def neighbours(tx: Tx, print_: Fingerprint) -> tuple[list[Neighbour], tuple[int, ...]]:
    """The articles that may tell the same story, by id, and the keys by which the new one is to be found.

    These are articles of equal text, and of the others those that share most keys, two at least. Keys that many
    articles have are left out.
    """
    if tx.dialect.name == "postgresql":
        lists, equal = posting_pages.find(tx, print_.keys, print_.exact, _MOST_EQUAL)
    else:
        lists, equal = _find(tx, print_)
    full = {key for key, ids in lists.items() if len(ids) >= MOST_POSTINGS}
    shared = Counter(chain.from_iterable(ids for key, ids in lists.items() if key not in full))
    ranked = sorted((-count, one) for one, count in shared.items() if count >= LEAST_SHARED)
    wanted = sorted({*equal, *(one for _, one in ranked[:CANDIDATES])})
    rows = prepared(tx, _sql(tx, "prints"), {"ids": _list(tx, wanted)}) if wanted else ()
    return [_neighbour(tx, row) for row in rows], tuple(key for key in print_.keys if key not in full)[:POSTINGS]


def index(tx: Tx, article_id: int, print_: Fingerprint, keys: Sequence[int]) -> None:
    """Keep an article's fingerprint, and let it be found by these keys.

    The keys of an earlier text stay: they lead to the new print, which decides.
    """
    values = {"id": article_id, "algorithm": print_.algorithm, "exact": print_.exact, "marks": print_.marks}
    prepared(tx, _sql(tx, "keep"), values)
    if keys and tx.dialect.name == "postgresql":
        posting_pages.add(tx, article_id, keys)
    elif keys:
        prepared(tx, _POST, {"id": article_id, "keys": _json(sorted(keys))})


def forget(tx: Tx, before: datetime, *, after: int = FIRST, limit: int = 20_000, dry: bool = False) -> Step:
    """Let articles that did not change since `before` be found no more by likeness, looking at about `limit` postings.

    Prints and exact hashes stay. A dry step only counts.
    """
    if tx.dialect.name == "postgresql":
        return posting_pages.forget(tx, before, after=after, limit=limit, dry=dry)
    upto = select(posting.c.hash).where(posting.c.hash >= after).order_by(posting.c.hash).offset(limit).limit(1)
    end = tx.execute(upto).scalar()
    if end == after:  # so many postings of one hash: it goes as a whole
        end += 1
    recent = select(article.c.id).where(article.c.id == posting.c.article_id, article.c.updated_at >= before)
    piece = posting.c.hash >= after if end is None else posting.c.hash.between(after, end - 1)
    old = (piece, ~recent.exists())
    if dry:
        gone = tx.execute(select(func.count()).select_from(posting).where(*old)).scalar_one()
    else:
        gone = tx.execute(delete(posting).where(*old)).rowcount
    return Step(gone=int(gone), after=None if end is None else int(end))


def drop(tx: Tx, article_id: int) -> None:
    """Forget an article's fingerprint: nothing will be compared with it."""
    tx.execute(delete(fingerprint).where(fingerprint.c.article_id == article_id))


def _find(tx: Tx, print_: Fingerprint) -> tuple[Mapping[int, list[int]], list[int]]:
    rows = prepared(tx, _KEYS, {"keys": _json(print_.keys), "exact": print_.exact})
    lists: dict[int | None, list[int]] = {key: list(map(int, ids.split(","))) for key, ids in rows if ids}
    equal = lists.pop(None, [])
    return {key: ids for key, ids in lists.items() if key is not None}, equal


def _noted(row: tuple[int, int, int] | None, line: int, cluster_id: int) -> tuple[int, int, int]:
    if row is None:
        return line, 1, cluster_id
    holder, clusters, last = row
    if holder == line:
        return row if last == cluster_id else (line, min(clusters + 1, _MOST_COUNTED), cluster_id)
    return (holder, clusters - 1, last) if clusters > 1 else (line, 1, cluster_id)


def _count(held: Mapping[int, tuple[int, int, int]], line: int) -> int:
    hash_, clusters, _ = held.get(line % _SLOTS, (None, 0, 0))
    return clusters if hash_ == line else 0


def _neighbour(tx: Tx, row: tuple[Any, ...]) -> Neighbour:
    article_id, algorithm, exact, marks, url, site, cluster_id, published_at = row
    return Neighbour(
        article_id=article_id,
        url=url,
        site=site,
        cluster_id=cluster_id,
        fingerprint=Fingerprint(algorithm=algorithm, exact=exact, marks=bytes(marks)),
        published_at=_UTC.process_result_value(published_at, tx.dialect),
    )


_UTC = Utc()

# Plain SQL, prepared once: these run for every article, and building them would take longer than running them. A list
# is one parameter, so that the text of a statement never changes.
_KEYS = f"""
SELECT hash, group_concat(article_id) FROM posting WHERE hash IN (SELECT value FROM json_each(:keys)) GROUP BY hash
UNION ALL
SELECT NULL, group_concat(article_id)
FROM (SELECT article_id FROM fingerprint WHERE exact = :exact ORDER BY article_id LIMIT {_MOST_EQUAL})
"""  # noqa: S608 - the text is made of constants
_PRINTS = """
SELECT f.article_id, f.algorithm, f.exact, f.marks, a.url, a.site, a.cluster_id, v.published_at
FROM fingerprint AS f
JOIN article AS a ON a.id = f.article_id AND a.withdrawn_at IS NULL
LEFT JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version
WHERE f.article_id IN (SELECT value FROM json_each(:ids)) ORDER BY f.article_id
"""
# PostgreSQL keeps the plan of a prepared statement: made while a table was small, it would read all of it when it is
# large. One row at a time by its key can be planned in one way only.
_PRINTS_ONE_BY_ONE = """
SELECT f.article_id, f.algorithm, f.exact, f.marks, a.url, a.site, a.cluster_id, v.published_at
FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM fingerprint WHERE article_id = wanted.id LIMIT 1) AS f
CROSS JOIN LATERAL (SELECT * FROM article WHERE id = wanted.id LIMIT 1) AS a
LEFT JOIN LATERAL (
    SELECT published_at FROM article_version WHERE article_id = a.id AND version = a.version LIMIT 1
) AS v ON TRUE
WHERE a.withdrawn_at IS NULL ORDER BY f.article_id
"""
_KEEP = """
INSERT INTO fingerprint (article_id, algorithm, exact, marks) VALUES (:id, :algorithm, :exact, :marks)
ON CONFLICT (article_id) DO UPDATE SET algorithm = excluded.algorithm, exact = excluded.exact, marks = excluded.marks
"""
_POST = """
INSERT INTO posting (hash, article_id) SELECT value, :id FROM json_each(:keys) WHERE TRUE ON CONFLICT DO NOTHING
"""
_LINES = "SELECT slot, hash, clusters, cluster_id FROM line WHERE slot IN (SELECT value FROM json_each(:slots))"
_LINES_ONE_BY_ONE = """
SELECT l.slot, l.hash, l.clusters, l.cluster_id FROM unnest(CAST(:slots AS int[])) AS wanted (slot)
CROSS JOIN LATERAL (SELECT * FROM line WHERE slot = wanted.slot LIMIT 1) AS l
"""
_NOTE = """
INSERT INTO line (slot, hash, clusters, cluster_id) VALUES (:slot, :hash, :clusters, :cluster_id)
ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, clusters = excluded.clusters, cluster_id = excluded.cluster_id
"""


_PARAMETER = re.compile(r"(?<!:):(\w+)")


_SQLITE = {"prints": _PRINTS, "lines": _LINES, "keep": _KEEP, "note": _NOTE}
_POSTGRESQL = {"prints": _PRINTS_ONE_BY_ONE, "lines": _LINES_ONE_BY_ONE, "keep": _KEEP, "note": _NOTE}
_SQL = {
    "sqlite": _SQLITE,
    "postgresql": {name: _PARAMETER.sub(r"%(\1)s", sql) for name, sql in _POSTGRESQL.items()},
}


def _sql(tx: Tx, name: str) -> str:
    return _SQL[tx.dialect.name][name]


def _list(tx: Tx, values: Sequence[int]) -> Any:
    return list(values) if tx.dialect.name == "postgresql" else _json(values)


def _json(values: Sequence[int]) -> str:
    return str(list(values))  # what json.dumps makes of whole numbers, in a third of the time
