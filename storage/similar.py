"""Finding articles of like text: fingerprints, the postings that lead to them, and lines that many stories share."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from sqlalchemy import delete, select

from storage.columns import Utc
from storage.database import Tx, insert, prepared
from storage.records import Boilerplate, Fingerprint, Neighbour
from storage.tables import article, fingerprint, horizon, posting

MOST_POSTINGS = 64
"""A hash with so many articles leads nowhere: it stops being asked and added to."""
POSTINGS = 14
"""By how many of its keys an article is found."""
LEAST_SHARED = 2
CANDIDATES = 8
_MOST_EQUAL = 64
_ROUND, _BETWEEN_ROUNDS = "postings", timedelta(days=1)
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
    found = {"keys": _list(tx, print_.keys), "exact": print_.exact}
    lists: dict[int | None, str] = {key: ids for key, ids in prepared(tx, _sql(tx, "keys"), found) if ids}
    equal = map(int, filter(None, lists.pop(None, "").split(",")))
    full = {key for key, ids in lists.items() if ids.count(",") + 1 >= MOST_POSTINGS}
    telling = ",".join(ids for key, ids in lists.items() if key not in full)
    shared = Counter(map(int, telling.split(",") if telling else ()))
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
    if keys:
        prepared(tx, _sql(tx, "post"), {"id": article_id, "keys": _list(tx, sorted(keys))})


def forget_next(tx: Tx, now: datetime, *, days: int, limit: int = 20_000) -> bool:
    """The next step of a round of forgetting, which goes through all postings once a day; False while there is none."""
    mark = tx.execute(select(horizon.c.after, horizon.c.at).where(horizon.c.name == _ROUND)).first()
    if mark is not None and mark.after is None and now - mark.at < _BETWEEN_ROUNDS:
        return False
    after = forget(tx, now - timedelta(days=days), after=mark.after if mark else None, limit=limit)
    values = {"after": after, "at": now}
    put = insert(tx, horizon).values(name=_ROUND, **values)
    tx.execute(put.on_conflict_do_update(index_elements=["name"], set_=values))
    return True


def forget(tx: Tx, before: datetime, *, after: int | None = None, limit: int = 20_000) -> int | None:
    """Let articles that did not change since `before` be found no more by likeness, looking at about `limit` postings.

    Prints and exact hashes stay. `after` is what the step before returned; None begins, and is returned at the end.
    """
    begin = -(1 << 31) if after is None else after
    upto = select(posting.c.hash).where(posting.c.hash >= begin).order_by(posting.c.hash).offset(limit).limit(1)
    end = tx.execute(upto).scalar()
    if end == begin:  # so many postings of one hash: it goes as a whole
        end += 1
    recent = select(article.c.id).where(article.c.id == posting.c.article_id, article.c.updated_at >= before)
    piece = posting.c.hash >= begin if end is None else posting.c.hash.between(begin, end - 1)
    tx.execute(delete(posting).where(piece, ~recent.exists()))
    return None if end is None else int(end)


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
_KEYS = """
SELECT hash, {ids} AS ids FROM posting WHERE hash {within} GROUP BY hash
UNION ALL
SELECT NULL, {ids} FROM (SELECT article_id FROM fingerprint WHERE exact = :exact ORDER BY article_id LIMIT {most}) AS e
"""
_PRINTS = """
SELECT f.article_id, f.algorithm, f.exact, f.marks, a.url, a.site, a.cluster_id, v.published_at
FROM fingerprint AS f
JOIN article AS a ON a.id = f.article_id AND a.withdrawn_at IS NULL
LEFT JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version
WHERE f.article_id {within} ORDER BY f.article_id
"""
_KEEP = """
INSERT INTO fingerprint (article_id, algorithm, exact, marks) VALUES (:id, :algorithm, :exact, :marks)
ON CONFLICT (article_id) DO UPDATE SET algorithm = excluded.algorithm, exact = excluded.exact, marks = excluded.marks
"""
_POST = "INSERT INTO posting (hash, article_id) SELECT {each}, :id {source} ON CONFLICT DO NOTHING"
_LINES = "SELECT slot, hash, clusters, cluster_id FROM line WHERE slot {within}"
_NOTE = """
INSERT INTO line (slot, hash, clusters, cluster_id) VALUES (:slot, :hash, :clusters, :cluster_id)
ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, clusters = excluded.clusters, cluster_id = excluded.cluster_id
"""


_PARAMETER = re.compile(r"(?<!:):(\w+)")


def _statements(*, postgresql: bool) -> dict[str, str]:
    ids = "string_agg(article_id::text, ',')" if postgresql else "group_concat(article_id)"

    def within(name: str, kind: str = "int") -> str:
        # No values go into the text: `name` and `kind` are constants of this function.
        return f"= ANY(CAST(:{name} AS {kind}[]))" if postgresql else f"IN (SELECT value FROM json_each(:{name}))"  # noqa: S608

    each, source = ("unnest(CAST(:keys AS int[]))", "") if postgresql else ("value", "FROM json_each(:keys) WHERE TRUE")
    made = {
        "keys": _KEYS.format(ids=ids, within=within("keys"), most=_MOST_EQUAL),
        "prints": _PRINTS.format(within=within("ids", "bigint")),
        "keep": _KEEP,
        "post": _POST.format(each=each, source=source),
        "lines": _LINES.format(within=within("slots")),
        "note": _NOTE,
    }
    return {name: _PARAMETER.sub(r"%(\1)s", sql) if postgresql else sql for name, sql in made.items()}


_SQL = {name: _statements(postgresql=name == "postgresql") for name in ("postgresql", "sqlite")}


def _sql(tx: Tx, name: str) -> str:
    return _SQL[tx.dialect.name][name]


def _list(tx: Tx, values: Sequence[int]) -> Any:
    return list(values) if tx.dialect.name == "postgresql" else dumps(values)
