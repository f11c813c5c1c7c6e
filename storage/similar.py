"""Finding articles of like text: fingerprints, the postings that lead to them, and lines that many stories share."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select

from storage import pairs, posting_pages, recent_postings
from storage.columns import Utc
from storage.database import Tx, prepared, stand_in_line
from storage.posting_pages import array
from storage.records import Boilerplate, Fingerprint, Neighbour
from storage.retention import Step
from storage.tables import article, fingerprint, posting

MOST_POSTINGS = 64
"""A hash with so many articles leads nowhere: it stops being asked and added to."""
POSTINGS = 14
"""By how many of its keys an article is found."""
LEAST_SHARED = 2
CANDIDATES = 8
FIRST = pairs.FIRST
"""The least hash of a posting."""
_MOST_EQUAL = 64
_SLOTS = 1 << 18
_COMMON = 4
"""Clusters that share a line of boilerplate."""
_MOST_COUNTED = 64
"""A line that is gone for good gives way after so many others wanted its slot."""
Held = Mapping[int, tuple[int, int, int]]
"""By slot: the hash of a line, in how many clusters it was seen, and the last of these."""


def boilerplate(tx: Tx, lines: Sequence[int]) -> Boilerplate:
    """What is known of a text's lines, by their hashes."""
    slots = sorted({line % _SLOTS for line in lines})
    rows = prepared(tx, _sql(tx, "lines"), {"slots": _list(tx, slots)}) if slots else ()
    held = {slot: (hash_, clusters, last) for slot, hash_, clusters, last in rows}
    return boilerplate_among(lines, held)


def boilerplate_among(lines: Sequence[int], held: Held) -> Boilerplate:
    """The same, where what the slots of these lines hold is known."""
    common = (line for line in lines if _count(held, line) >= _COMMON)
    return Boilerplate(lines=tuple(lines), held=held, common=frozenset(common))


def note(tx: Tx, known: Boilerplate, cluster_id: int) -> None:
    """Count the lines for a cluster."""
    hold(tx, noted(known, cluster_id))


def noted(known: Boilerplate, cluster_id: int) -> dict[int, tuple[int, int, int]]:
    """The slots that change as lines are counted: once for each time that the cluster did not show the line last.

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
    return changed


def hold(tx: Tx, changed: Held) -> None:
    """Let slots hold something else."""
    rows = [
        {"slot": slot, "hash": hash_, "clusters": clusters, "cluster_id": last}
        for slot, (hash_, clusters, last) in sorted(changed.items())
    ]
    if rows and tx.dialect.name == "postgresql":  # where each row by itself would be a way there and back
        prepared(tx, _sql(tx, "note"), {name: array(row[name] for row in rows) for name in rows[0]})
    elif rows:
        prepared(tx, _sql(tx, "note"), rows)


@dataclass(slots=True)
class Found:
    """Which articles are found by the keys and by the exact hashes of some prints."""

    lists: dict[int, list[int]] = field(default_factory=dict)
    """By each key that was asked for; of one that is full perhaps none."""
    equal: dict[int, list[int]] = field(default_factory=dict)
    """By each exact hash, 64 articles at most."""
    full: set[int] = field(default_factory=set)
    """Keys of so many articles that they lead nowhere."""

    def has(self, print_: Fingerprint) -> bool:
        """Whether all that leads to an article like this one was asked for."""
        return print_.exact in self.equal and all(key in self.lists for key in print_.keys)

    def add(self, article_id: int, print_: Fingerprint, keys: Sequence[int]) -> None:
        """An article was filed with this print under these keys: what is found is as if asked for after that."""
        for key in keys:
            if key in self.lists and key not in self.full and article_id not in self.lists[key]:
                self.lists[key].append(article_id)
                if len(self.lists[key]) >= MOST_POSTINGS:
                    self.full.add(key)
        for exact in [exact for exact, ids in self.equal.items() if article_id in ids or exact == print_.exact]:
            if len(self.equal[exact]) >= _MOST_EQUAL:  # others may stand in line behind those: asked anew
                del self.equal[exact]
            else:
                self.equal[exact] = [one for one in self.equal[exact] if one != article_id]
        if print_.exact in self.equal:
            self.equal[print_.exact].append(article_id)


def look_up(tx: Tx, prints: Sequence[Fingerprint]) -> Found:
    """What leads to articles like any of these, asked for at once."""
    found = Found({key: [] for one in prints for key in one.keys}, {one.exact: [] for one in prints})
    if not prints:
        return found
    recent = recent_postings.read(tx)  # first: it may know less than the rest then, but nothing that is no more
    found.full = recent.full.intersection(found.lists)
    keys = [key for key in found.lists if key not in found.full]
    _ask(tx, found, keys)
    for key, one in recent.find(keys):
        if one not in found.lists[key]:
            found.lists[key].append(one)
    full = {key for key in keys if len(found.lists[key]) >= MOST_POSTINGS}
    recent.full.update(full)
    found.full |= full
    return found


def _ask(tx: Tx, found: Found, keys: Sequence[int]) -> None:
    """Fill the lists of these keys and of all exact hashes, without what came lately."""
    if tx.dialect.name == "postgresql":
        postings, equal = posting_pages.find(tx, keys, found.equal, _MOST_EQUAL)
        for key, one in postings:
            found.lists[key].append(one)
        for exact, one in equal:
            found.equal[exact].append(one)
        return
    given = {"keys": _list(tx, keys), "exact": _list(tx, list(found.equal))}
    for is_key, one, ids in prepared(tx, _FIND, given):
        if ids:
            (found.lists if is_key else found.equal)[one] = list(map(int, ids.split(",")))


def neighbours(tx: Tx, print_: Fingerprint, found: Found | None = None) -> tuple[list[Neighbour], tuple[int, ...]]:
    """The articles that may tell the same story, by id, and the keys by which the new one is to be found.

    These are articles of equal text, and of the others those that share most keys, two at least. Keys that many
    articles have are left out. `found` is what was looked up for it and for others.
    """
    found = found or look_up(tx, [print_])
    keys = [key for key in print_.keys if key not in found.full]
    wanted = {*found.equal[print_.exact], *_sharing([ids for key in keys if (ids := found.lists[key])])}
    rows = prepared(tx, _sql(tx, "prints"), {"ids": _list(tx, sorted(wanted))}) if wanted else ()
    return [_neighbour(tx, row) for row in rows], tuple(keys[:POSTINGS])


def _sharing(lists: Sequence[list[int]]) -> list[int]:
    """The articles that are in most of the lists, in two at least."""
    if len(lists) < LEAST_SHARED:
        return []
    shared = Counter(chain.from_iterable(lists))
    ranked = sorted((-count, one) for one, count in shared.items() if count >= LEAST_SHARED)
    return [one for _, one in ranked[:CANDIDATES]]


def index(tx: Tx, article_id: int, print_: Fingerprint, keys: Sequence[int]) -> None:
    """Keep an article's fingerprint, and let it be found by these keys.

    The keys of an earlier text stay: they lead to the new print, which decides.
    """
    index_all(tx, [(article_id, print_, keys)])


def index_all(tx: Tx, rows: Sequence[tuple[int, Fingerprint, Sequence[int]]]) -> None:
    """The same for several articles."""
    prints = [
        {"id": one, "algorithm": print_.algorithm, "exact": print_.exact, "marks": print_.marks}
        for one, print_, _ in rows
    ]
    prepared(tx, _sql(tx, "keep"), prints)
    postings = [(key, one) for one, _, keys in rows for key in keys]
    if postings:
        _post(tx, recent_postings.add(tx, postings))


def _post(tx: Tx, postings: Sequence[tuple[int, int]]) -> None:
    """Put postings in their places."""
    if postings and tx.dialect.name == "postgresql":
        posting_pages.add(tx, postings)
    elif postings:
        prepared(tx, _POST, [{"hash": hash_, "id": one} for hash_, one in postings])


def forget(tx: Tx, before: datetime, *, after: int = FIRST, limit: int = 20_000, dry: bool = False) -> Step:
    """Let articles that did not change since `before` be found no more by likeness, looking at about `limit` postings.

    Prints and exact hashes stay. A dry step only counts.
    """
    step = posting_pages.forget if tx.dialect.name == "postgresql" else _forget
    if not dry:  # at each step, as what was full before it may not be so after it
        stand_in_line(tx)
        _post(tx, recent_postings.settle(tx))
    done = step(tx, before, after=after, limit=limit, dry=dry)
    if not dry or after != FIRST:
        return done
    articles = recent_postings.kept(tx)[:, 1]
    old = ~np.isin(articles, posting_pages.recent_among(tx, articles, before))
    return replace(done, gone=done.gone + int(old.sum()))


def _forget(tx: Tx, before: datetime, *, after: int, limit: int, dry: bool) -> Step:
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


def _noted(row: tuple[int, int, int] | None, line: int, cluster_id: int) -> tuple[int, int, int]:
    if row is None:
        return line, 1, cluster_id
    holder, clusters, last = row
    if holder == line:
        return row if last == cluster_id else (line, min(clusters + 1, _MOST_COUNTED), cluster_id)
    return (holder, clusters - 1, last) if clusters > 1 else (line, 1, cluster_id)


def _count(held: Held, line: int) -> int:
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
_FIND = f"""
SELECT 1, hash, group_concat(article_id) FROM posting WHERE hash IN (SELECT value FROM json_each(:keys)) GROUP BY hash
UNION ALL
SELECT 0, e.value, (
    SELECT group_concat(article_id)
    FROM (SELECT article_id FROM fingerprint WHERE exact = e.value ORDER BY article_id LIMIT {_MOST_EQUAL})
) FROM json_each(:exact) AS e
"""  # noqa: S608 - the text is made of constants
_PRINTS = """
SELECT f.article_id, f.algorithm, f.exact, f.marks, a.url, a.site, a.cluster_id, v.published_at
FROM fingerprint AS f
JOIN article AS a ON a.id = f.article_id AND a.withdrawn_at IS NULL
LEFT JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version
WHERE f.article_id IN (SELECT value FROM json_each(:ids)) ORDER BY f.article_id
"""
# PostgreSQL keeps the plan of a prepared statement: made while a table was small, it would read all of it when it is
# large. One row at a time by its key can be planned in one way only; as long as it does not see how many are wanted, it
# takes that one for all.
_PRINTS_ONE_BY_ONE = """
SELECT f.article_id, f.algorithm, f.exact, f.marks, a.url, a.site, a.cluster_id, v.published_at
FROM unnest((SELECT CAST(:ids AS bigint[]))) AS wanted (id)
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
_POST = "INSERT INTO posting (hash, article_id) VALUES (:hash, :id) ON CONFLICT DO NOTHING"
_LINES = "SELECT slot, hash, clusters, cluster_id FROM line WHERE slot IN (SELECT value FROM json_each(:slots))"
_LINES_ONE_BY_ONE = """
SELECT l.slot, l.hash, l.clusters, l.cluster_id FROM unnest(CAST(:slots AS int[])) AS wanted (slot)
CROSS JOIN LATERAL (SELECT * FROM line WHERE slot = wanted.slot LIMIT 1) AS l
"""
_NOTE = """
INSERT INTO line (slot, hash, clusters, cluster_id) VALUES (:slot, :hash, :clusters, :cluster_id)
ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, clusters = excluded.clusters, cluster_id = excluded.cluster_id
"""

_NOTE_AT_ONCE = """
INSERT INTO line (slot, hash, clusters, cluster_id)
SELECT * FROM unnest(
    CAST(:slot AS int[]), CAST(:hash AS int[]), CAST(:clusters AS int[]), CAST(:cluster_id AS bigint[])
)
ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, clusters = excluded.clusters, cluster_id = excluded.cluster_id
"""


_PARAMETER = re.compile(r"(?<!:):(\w+)")


_SQLITE = {"prints": _PRINTS, "lines": _LINES, "keep": _KEEP, "note": _NOTE}
_POSTGRESQL = {"prints": _PRINTS_ONE_BY_ONE, "lines": _LINES_ONE_BY_ONE, "keep": _KEEP, "note": _NOTE_AT_ONCE}
_SQL = {
    "sqlite": _SQLITE,
    "postgresql": {name: _PARAMETER.sub(r"%(\1)s", sql) for name, sql in _POSTGRESQL.items()},
}


def _sql(tx: Tx, name: str) -> str:
    return _SQL[tx.dialect.name][name]


def _list(tx: Tx, values: Sequence[int]) -> str:
    """The values as one parameter: an array of PostgreSQL, or JSON."""
    return array(values) if tx.dialect.name == "postgresql" else _json(values)


def _json(values: Sequence[int]) -> str:
    return str(list(values))  # what json.dumps makes of whole numbers, in a third of the time
