"""Clusters of articles that tell one story: founding, merging, and which member stands for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, or_, select, update

from storage.database import Tx
from storage.records import Precision
from storage.tables import article, article_version, cluster

_ALONE = "only_member"
_FOUND = cluster.insert().returning(cluster.c.id)
_LATEST = datetime.max.replace(tzinfo=UTC)
DECLARES = 3
"""Standing of an article that names another site's address as its canonical one: it stands behind all others."""
CANONICAL = "canonical"
"""The entry of its evidence that has the address, as a canonical key."""
_AHEAD = timedelta(days=1)
"""A publication time so far after the page was fetched is an error of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """What the choice of a primary looks at."""

    article_id: int
    version: int
    url: str
    standing: int
    published: datetime
    words: int


def found(tx: Tx, now: datetime) -> int:
    """Begin a cluster; returns its id."""
    values = {"primary_reason": _ALONE, "created_at": now}
    return int(tx.execute(_FOUND, values).scalar_one())


def alone(cluster_id: int, article_id: int, now: datetime) -> dict[str, Any]:
    """The row of a cluster of one article: there is nobody to compare it with."""
    return {"id": cluster_id, "primary_article_id": article_id, "primary_reason": _ALONE, "created_at": now}


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
    # Of the others those suffice that led till now, and who names an original: it may be the newcomer, or one of them.
    declares = _declared(tx, into) if before else frozenset()
    members = _members(tx, article.c.id.in_([*before, newcomer]) | _named(into, declares))
    best = _crown(tx, into, members, declares)
    # Whoever held the place in the cluster that stays, or got it, is told so, unless it is told of its move already.
    places = [m for m in members if (m is best) is (before.get(m.article_id) != into)]
    told = dict(moved) | {one.article_id: one.version for one in places}
    told.pop(newcomer, None)
    return sorted(told.items())


def lead(tx: Tx, cluster_id: int) -> list[tuple[int, int]]:
    """Choose the primary anew among all members that are not withdrawn.

    Returns (article, version) of who got the place, and of who lost it and is still there.
    """
    rows = tx.execute(_LED, {"of": cluster_id}).mappings().all()
    if not rows:
        return []  # the last primary stands for what was there
    members = [_member(row) for row in rows]
    before, reason = rows[0]["primary_article_id"], rows[0]["primary_reason"]
    if len(members) == 1 and (before, reason) == (members[0].article_id, _ALONE):
        return []
    best = _crown(tx, cluster_id, members, _declared(tx, cluster_id) if len(members) > 1 else frozenset())
    if best.article_id == before:
        return []
    return sorted((one.article_id, one.version) for one in members if one is best or one.article_id == before)


def _crown(tx: Tx, cluster_id: int, members: Sequence[_Member], declared: Collection[str]) -> _Member:
    """Make the best of the members the cluster's primary, with the reason."""
    ranks = {one.article_id: _rank(one, declared) for one in members}
    best = min(members, key=lambda one: ranks[one.article_id])
    reason = _reason(ranks.pop(best.article_id), ranks.values())
    values = {"primary_article_id": best.article_id, "primary_reason": reason}
    tx.execute(update(cluster).where(cluster.c.id == cluster_id).values(**values))
    return best


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


def _declared(tx: Tx, cluster_id: int) -> frozenset[str]:
    """The addresses that members of a cluster declare to be those of the original."""
    query = (
        select(article_version.c.evidence)
        .join(article, _CURRENT)
        .where(article.c.cluster_id == cluster_id, article_version.c.standing == DECLARES)
        .where(article.c.withdrawn_at.is_(None))
    )
    return frozenset(filter(None, (evidence.get(CANONICAL) for evidence in tx.execute(query).scalars())))


def _named(cluster_id: int, urls: Collection[str]) -> ColumnElement[bool]:
    return and_(article.c.cluster_id == cluster_id, article.c.url.in_(sorted(urls)))


_CURRENT = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)


_MEMBERS = (
    select(article.c.id, article.c.url, article.c.version)
    .add_columns(*article_version.c["standing", "published_at", "published_precision", "fetched_at", "word_count"])
    .join(article_version, _CURRENT)
    .where(article.c.withdrawn_at.is_(None))
)
_LED = (
    _MEMBERS.add_columns(cluster.c.primary_article_id, cluster.c.primary_reason)
    .join(cluster, cluster.c.id == article.c.cluster_id)
    .where(article.c.cluster_id == bindparam("of"))
)


def _members(tx: Tx, which: ColumnElement[bool]) -> list[_Member]:
    return [_member(row) for row in tx.execute(_MEMBERS.where(which)).mappings()]


def _member(row: RowMapping) -> _Member:
    published = row["published_at"]
    credible = published is not None and published <= row["fetched_at"] + _AHEAD
    # A day is as late as its end: a report of half past nine is earlier than one that only names the day.
    late = timedelta(days=1) if row["published_precision"] == Precision.DAY else timedelta()
    return _Member(
        article_id=row["id"],
        version=row["version"],
        url=row["url"],
        standing=row["standing"],
        published=published + late if credible else _LATEST,
        words=row["word_count"],
    )


_Rank = tuple[bool, int, datetime, int, int]


def _rank(one: _Member, declared: Collection[str]) -> _Rank:
    # Two that name each other name nobody.
    original = one.url in declared and one.standing != DECLARES
    return not original, one.standing, one.published, -one.words, one.article_id


def _reason(best: _Rank, others: Collection[_Rank]) -> str:
    """By what the primary stands before the next best."""
    if not others:
        return _ALONE
    names = ("canonical", "credited", "earliest", "most_complete", "first_filed")
    pairs = zip(names, best, min(others), strict=True)
    return next(name for name, mine, theirs in pairs if mine != theirs)
