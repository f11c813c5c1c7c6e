"""What deciding clusters anew reads and writes: prints of an earlier algorithm, articles beside their mates, moves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, update

from storage import changes, clusters
from storage.database import Tx, stand_in_line
from storage.records import ChangeKind, Fingerprint, Neighbour, Record
from storage.tables import article, article_version, fingerprint

EVIDENCE = "recluster"
"""The entry of an article's evidence that says why it was moved to its cluster."""
_CURRENT = and_(article_version.c.article_id == article.c.id, article_version.c.version == article.c.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Record):
    """An article's present text, and when it last changed."""

    article_id: int
    title: str
    text: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Record):
    """An article whose place is decided anew."""

    known: Neighbour
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Record):
    """An article that changes its cluster; `into` is None for a cluster that is still to be founded."""

    article_id: int
    url: str
    before: int
    into: int | None
    similarity: float | None
    reason: str


def stale(tx: Tx, algorithm: int, *, after: int = 0, limit: int = 100) -> list[Text]:
    """Articles with an id above `after` whose print is of another algorithm, by id; withdrawn ones too."""
    columns = (article.c.id, article_version.c.title, article_version.c.text, article.c.updated_at)
    query = _stale(select(*columns), algorithm).join(article_version, _CURRENT).where(article.c.id > after)
    rows = tx.execute(query.order_by(article.c.id).limit(limit))
    return [Text(article_id=row.id, title=row.title, text=row.text, updated_at=row.updated_at) for row in rows]


def count_stale(tx: Tx, algorithm: int) -> int:
    """How many prints are of another algorithm."""
    return int(tx.execute(_stale(select(func.count()), algorithm)).scalar_one())


def subjects(
    tx: Tx, algorithm: int, *, after: int = 0, limit: int = 100, since: datetime | None = None
) -> list[Subject]:
    """Articles with an id above `after`, by id, that have a print of the algorithm and changed at `since` or later.

    Withdrawn ones are left out.
    """
    query = _placed().add_columns(article_version.c.title, article_version.c.text)
    query = query.where(article.c.id > after, *_chosen(algorithm, since)).order_by(article.c.id).limit(limit)
    return [Subject(known=_known(row), title=row.title, text=row.text) for row in tx.execute(query)]


def mates(
    tx: Tx, cluster_ids: Collection[int], algorithm: int, since: datetime | None = None
) -> list[tuple[Neighbour, bool]]:
    """All articles of these clusters that are not withdrawn, by id, and of each whether it is decided anew as well."""
    chosen = and_(*_chosen(algorithm, since)).label("chosen")
    query = _placed().add_columns(chosen).where(article.c.cluster_id.in_(sorted(cluster_ids)))
    return [(_known(row), bool(row.chosen)) for row in tx.execute(query.order_by(article.c.id))]


def apply(tx: Tx, moves: Sequence[Move], now: datetime) -> tuple[int | None, int]:
    """Let articles that go to one cluster move there, if they still are where they were; tell the change feed.

    Returns the cluster, which is founded where `into` says so, and how many moved. A cluster that is left without
    members keeps its row, and points to where the last one went.
    """
    stand_in_line(tx)
    asked = {one.article_id: one for one in moves}
    query = select(article.c.id, article.c.version, article.c.cluster_id)
    held = tx.execute(query.where(article.c.id.in_(sorted(asked)), article.c.withdrawn_at.is_(None)))
    into = clusters.current(tx, moves[0].into) if moves[0].into else None
    here = [row for row in held if row.cluster_id == asked[row.id].before != into]
    if not here:
        return into, 0
    into = into or clusters.found(tx, now)
    ids = [row.id for row in here]
    tx.execute(update(article).where(article.c.id.in_(ids)).values(cluster_id=into))
    told = {row.id: row.version for row in here}
    left = sorted({row.cluster_id for row in here} - {into})
    told |= _close(tx, left, into)
    for each in (into, *left):
        told |= dict(clusters.lead(tx, each))
    _explain(tx, [asked[row.id] for row in here], told, into, now)
    places = dict(tx.execute(select(article.c.id, article.c.cluster_id).where(article.c.id.in_(sorted(told)))).all())
    rows = [(ChangeKind.CLUSTERED, one, version, places[one]) for one, version in sorted(told.items())]
    changes.append(tx, rows, now)
    return into, len(here)


def _close(tx: Tx, left: Sequence[int], into: int) -> Mapping[int, int]:
    """Let the clusters that have nobody left but withdrawn articles end in another one."""
    alive = select(article.c.cluster_id).where(article.c.cluster_id.in_(left), article.c.withdrawn_at.is_(None))
    empty = sorted(set(left) - set(tx.execute(alive).scalars()))
    return dict(clusters.move(tx, into, empty)) if empty else {}


def _explain(tx: Tx, moves: Sequence[Move], versions: Mapping[int, int], into: int, now: datetime) -> None:
    """Keep with each article why it was moved, beside what its version was decided from."""
    named = (article_version.c.article_id, article_version.c.version, article_version.c.evidence)
    query = select(*named).join(article, _CURRENT).where(article.c.id.in_([one.article_id for one in moves]))
    kept = {row.article_id: row.evidence for row in tx.execute(query)}
    for one in moves:
        why = {"from": one.before, "to": into, "reason": one.reason, "similarity": one.similarity}
        evidence = {**kept[one.article_id], EVIDENCE: {**why, "at": now.isoformat()}}
        mine = (article_version.c.article_id == one.article_id, article_version.c.version == versions[one.article_id])
        tx.execute(update(article_version).where(*mine).values(evidence=evidence))


def _stale(query: Select[Any], algorithm: int) -> Select[Any]:
    joined = query.select_from(article).join(fingerprint, fingerprint.c.article_id == article.c.id)
    return joined.where(fingerprint.c.algorithm != algorithm)


def _chosen(algorithm: int, since: datetime | None) -> list[Any]:
    conditions = [fingerprint.c.algorithm == algorithm, article.c.withdrawn_at.is_(None)]
    return conditions if since is None else [*conditions, article.c.updated_at >= since]


def _placed() -> Select[Any]:
    columns = (article.c.id, article.c.url, article.c.site, article.c.cluster_id, article_version.c.published_at)
    prints = (fingerprint.c.algorithm, fingerprint.c.exact, fingerprint.c.marks)
    joined = select(*columns, *prints).join(article_version, _CURRENT)
    return joined.join(fingerprint, fingerprint.c.article_id == article.c.id).where(article.c.withdrawn_at.is_(None))


def _known(row: Row[Any]) -> Neighbour:
    return Neighbour(
        article_id=row.id,
        url=row.url,
        site=row.site,
        cluster_id=row.cluster_id,
        fingerprint=Fingerprint(algorithm=row.algorithm, exact=row.exact, marks=bytes(row.marks)),
        published_at=row.published_at,
    )
