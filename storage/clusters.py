"""Clusters of articles that tell one story: founding, merging, and which member stands for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, or_, select, update

from storage.database import Tx
from storage.records import Precision
from storage.tables import article, article_version, cluster

_LATEST = datetime.max.replace(tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""A publication time so far after the page was fetched is an error of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """What the choice of a primary looks at."""

    article_id: int
    version: int
    standing: int
    published: datetime
    words: int


def found(tx: Tx, now: datetime) -> int:
    """Begin a cluster; returns its id."""
    values = {"primary_reason": "only_member", "created_at": now}
    return int(tx.execute(cluster.insert().values(**values).returning(cluster.c.id)).scalar_one())


def current(tx: Tx, cluster_id: int) -> int:
    """The cluster that this one is today: itself, or the one it was merged into."""
    successor = tx.execute(select(cluster.c.successor_id).where(cluster.c.id == cluster_id)).scalar()
    return int(successor or cluster_id)


def join(tx: Tx, into: int, others: Sequence[int], newcomer: int) -> list[tuple[int, int]]:
    """Let a new member (its article row is there) and whole other clusters join a cluster.

    Returns (article, version) of all other articles for which something changed: their cluster, or their place as its
    primary. A merged cluster keeps its row and points to its successor.
    """
    before = _primaries(tx, [into, *others])
    moved = move(tx, into, others) if others else []
    members = _members(tx, [*before, newcomer])
    best = min(members, key=_rank)
    reason = _reason(best, [one for one in members if one is not best])
    tx.execute(
        update(cluster).where(cluster.c.id == into).values(primary_article_id=best.article_id, primary_reason=reason)
    )
    # Whoever held the place in the cluster that stays, or got it, is told so, unless it is told of its move already.
    places = [m for m in members if m.article_id in before and (m is best) is (before[m.article_id] != into)]
    told = dict(moved) | {one.article_id: one.version for one in places}
    told.pop(newcomer, None)
    return sorted(told.items())


def _primaries(tx: Tx, ids: Sequence[int]) -> dict[int, int]:
    """The cluster that each of those primaries leads."""
    query = select(cluster.c.primary_article_id, cluster.c.id).where(cluster.c.id.in_(ids))
    return {row[0]: row[1] for row in tx.execute(query) if row[0] is not None}


def move(tx: Tx, into: int, others: Sequence[int]) -> list[tuple[int, int]]:
    """Let the members of other clusters move into one; returns (article, version) of each. The others point to it."""
    told = tx.execute(
        update(article)
        .where(article.c.cluster_id.in_(others))
        .values(cluster_id=into)
        .returning(article.c.id, article.c.version)
    )
    moved = [(row.id, row.version) for row in told]
    # Those that were merged into one of them before point on with it, so that a pointer is never two steps long.
    merged = or_(cluster.c.id.in_(others), cluster.c.successor_id.in_(others))
    tx.execute(update(cluster).where(merged).values(successor_id=into))
    return moved


def _members(tx: Tx, ids: Sequence[int]) -> list[_Member]:
    version = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)
    columns = ("standing", "published_at", "published_precision", "fetched_at", "word_count")
    query = (
        select(article.c.id, article.c.version, *(article_version.c[name] for name in columns))
        .join(article_version, version)
        .where(article.c.id.in_(ids), article.c.withdrawn_at.is_(None))
    )
    return [_member(row) for row in tx.execute(query).mappings()]


def _member(row: RowMapping) -> _Member:
    published = row["published_at"]
    credible = published is not None and published <= row["fetched_at"] + _AHEAD
    # A day is as late as its end: a report of half past nine is earlier than one that only names the day.
    late = timedelta(days=1) if row["published_precision"] == Precision.DAY else timedelta()
    return _Member(
        article_id=row["id"],
        version=row["version"],
        standing=row["standing"],
        published=published + late if credible else _LATEST,
        words=row["word_count"],
    )


def _rank(one: _Member) -> tuple[int, datetime, int, int]:
    return one.standing, one.published, -one.words, one.article_id


def _reason(best: _Member, others: Sequence[_Member]) -> str:
    """By what the primary stands before the next best."""
    if not others:
        return "only_member"
    names = ("credited", "earliest", "most_complete", "first_filed")
    pairs = zip(names, _rank(best), _rank(min(others, key=_rank)), strict=True)
    return next(name for name, mine, theirs in pairs if mine != theirs)
