"""Reading articles: whole canonical records, by id, by address, in lists, with their versions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, literal, select, tuple_

from storage import clusters
from storage.codec import from_plain, to_plain
from storage.database import Tx, chunks, plan_anew
from storage.errors import NotFound
from storage.filters import Filter
from storage.records import Access, Article, Block, ChangeClass, Clean, Precision, Provenance
from storage.snapshots import pointer
from storage.tables import article, article_version, cluster, snapshot, source

SCHEMA_VERSION = 1
"""Of the canonical record's JSON form."""
_FEW = 5_000
_PRESENT = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)


def get(tx: Tx, article_id: int) -> Article:
    """The article at its current version. Raises NotFound."""
    row = tx.execute(_current().where(article.c.id == article_id)).mappings().first()
    if row is None:
        raise NotFound(f"no article has id {article_id}")
    return _record(row)


def at(tx: Tx, url: str) -> Article | None:
    """The article filed under a canonical key."""
    row = tx.execute(_current().where(article.c.url == url)).mappings().first()
    return _record(row) if row else None


def listed(
    tx: Tx, *, after: int = 0, limit: int = 100, source_name: str | None = None, having: Filter | None = None
) -> list[Article]:
    """Articles with an id above `after`, by id; those withdrawn are left out."""
    having = replace(having or Filter(), source=source_name) if source_name else having or Filter()
    start = after or _before_those_of_its_time(tx, having)
    return some(tx, _ids(tx, lambda column: column > start, limit, having))


def newest(tx: Tx, *, before: int | None = None, limit: int = 100, having: Filter | None = None) -> list[Article]:
    """Articles with an id below `before`, the highest first; those withdrawn are left out."""
    end = 2**53 if before is None else before
    return some(tx, _ids(tx, lambda column: column < end, limit, having or Filter(), down=True))[::-1]


def some(tx: Tx, ids: list[int]) -> list[Article]:
    """The articles of those ids, by id; missing ones are left out."""
    rows = tx.execute(_current().where(article.c.id.in_(ids)).order_by(article.c.id)).mappings()
    return [_record(row) for row in rows]


def versions(tx: Tx, article_id: int) -> list[Article]:
    """The article as it was at each of its versions, first to last."""
    query = _select(article_version.c.article_id == article.c.id).where(article.c.id == article_id)
    return [_record(row) for row in tx.execute(query.order_by(article_version.c.version)).mappings()]


def at_versions(tx: Tx, pairs: Sequence[tuple[int, int]], having: Filter | None = None) -> list[Article]:
    """Articles as they were at those versions, by (id, version); missing ones are left out."""
    found: list[Article] = []
    for some_pairs in chunks(list(pairs), 200):
        chosen = tuple_(article_version.c.article_id, article_version.c.version).in_(some_pairs)
        query = _select(article_version.c.article_id == article.c.id).where(chosen)
        query = query.where(*having.conditions()) if having else query
        found += [_record(row) for row in tx.execute(query).mappings()]
    return found


def members(tx: Tx, cluster_id: int) -> list[Article]:
    """The articles of a cluster, by id; of one that was merged into another, those of its successor."""
    query = _current().where(article.c.cluster_id == clusters.current(tx, cluster_id)).order_by(article.c.id)
    return [_record(row) for row in tx.execute(query).mappings()]


def decision(tx: Tx, article_id: int) -> dict[str, Any]:
    """What the current version was decided from: reason, similarity, evidence, credit; its cluster and who leads it.

    Raises NotFound.
    """
    query = (
        select(
            article_version.c.reason,
            article_version.c.similarity,
            article_version.c.evidence,
            article_version.c.credit,
            article.c.cluster_id,
            cluster.c.primary_article_id,
            cluster.c.primary_reason,
        )
        .join(
            article, (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)
        )
        .join(cluster, cluster.c.id == article.c.cluster_id)
        .where(article.c.id == article_id)
    )
    row = tx.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no article has id {article_id}")
    return dict(row)


def counts(tx: Tx) -> dict[str, int]:
    """How many articles, versions and clusters of more than one article there are."""
    shared = select(article.c.cluster_id).group_by(article.c.cluster_id).having(func.count() > 1).subquery()
    queries = {
        "articles": select(func.count()).select_from(article),
        "versions": select(func.count()).select_from(article_version),
        "shared_clusters": select(func.count()).select_from(shared),
    }
    return {name: int(tx.execute(query).scalar_one()) for name, query in queries.items()}


def to_json(found: Article) -> dict[str, Any]:
    """The canonical record as JSON: names after schema.org where it has one, every field always there."""
    content = {name: to_plain(getattr(found.content, name)) for name in Clean.__slots__}
    names = (
        "id",
        "source",
        "cluster_id",
        "is_primary",
        "version",
        "change_class",
        "content_hash",
        "word_count",
        "first_seen",
    )
    place = {name: to_plain(getattr(found, name)) for name in names}
    archive = to_plain(found.archive) if found.archive else None
    withdrawn = to_plain(found.withdrawn_at)
    return {
        "schema": SCHEMA_VERSION,
        **place,
        **content,
        "archive": archive,
        "withdrawn_at": withdrawn,
    }


def _ids(
    tx: Tx, place: Callable[[Any], ColumnElement[bool]], limit: int, having: Filter, *, down: bool = False
) -> list[int]:
    """The ids of a page of a list. They are chosen from narrow rows; only what is shown is read whole."""
    conditions = having.conditions()
    query = select(article.c.id).where(place(article.c.id), article.c.withdrawn_at.is_(None), *conditions)
    if having.asks_versions:  # where both sides know the place, neither is passed through from its end
        query = query.join(article_version, _PRESENT).where(place(article_version.c.article_id))
    if conditions:
        plan_anew(tx)
    order = article.c.id + 0 if _few_then(tx, having) else article.c.id  # an expression: sorted, not walked through
    return list(tx.execute(query.order_by(order.desc() if down else order).limit(limit)).scalars())


def _few_then(tx: Tx, having: Filter) -> bool:
    """Whether few articles are of the time that is asked for.

    Ids rise with time, which PostgreSQL's planner cannot know: it would walk through all that are older.
    """
    times = _times(tx, having)
    found = select(literal(1)).where(*times).limit(_FEW).subquery()
    return bool(times) and int(tx.execute(select(func.count()).select_from(found)).scalar_one()) < _FEW


def _before_those_of_its_time(tx: Tx, having: Filter) -> int:
    """An id below those of all articles of the time that is asked for, 0 at least: to walk from there."""
    times = _times(tx, having)
    column = article_version.c.article_id if having.published() else article.c.id
    lowest = select(func.min(column + 0)).where(*times)  # an expression, again
    return int(tx.execute(lowest).scalar() or 1) - 1 if times else 0


def _times(tx: Tx, having: Filter) -> list[ColumnElement[bool]]:
    """What is asked of a time that an index knows."""
    if tx.dialect.name != "postgresql":
        return []
    return having.published() or having.seen()


def _current() -> Select[Any]:
    return _select(_PRESENT)


def _select(version_join: Any) -> Select[Any]:
    kept = [column for column in article_version.c if column.name != "article_id"]
    place = [snapshot.c.digest, snapshot.c.archive_file, snapshot.c.archive_offset, snapshot.c.archive_length]
    mine = [article.c.id, article.c.url, article.c.cluster_id, article.c.first_seen]
    mine += [article.c.withdrawn_at, article.c.withdrawn_reason]
    primary = cluster.c.primary_article_id.label("primary_id")
    return (
        select(*mine, *kept, *place, primary, source.c.name.label("source"))
        .join(article_version, version_join)
        .join(snapshot, snapshot.c.id == article_version.c.snapshot_id)
        .join(cluster, cluster.c.id == article.c.cluster_id)
        .join(source, source.c.id == article.c.source_id)
    )


def _record(row: RowMapping) -> Article:
    names = ("id", "source", "cluster_id", "version", "content_hash", "word_count", "first_seen", "snapshot_id")
    place = {name: row[name] for name in (*names, "withdrawn_at", "withdrawn_reason", "pruned_at")}
    return Article(
        is_primary=row["primary_id"] == row["id"],
        change_class=ChangeClass(row["change_class"]),
        archive=pointer(row),
        content=_content(row),
        **place,
    )


def _content(row: RowMapping) -> Clean:
    structured = ("authors", "keywords", "blocks", "provenance", "access", "published_precision")
    plain: Mapping[str, Any] = {name: row[name] for name in Clean.__slots__ if name not in structured}
    return Clean(
        authors=tuple(row["authors"]),
        keywords=tuple(row["keywords"]),
        blocks=tuple(from_plain(Block, block) for block in row["blocks"]),
        provenance={name: from_plain(Provenance, value) for name, value in row["provenance"].items()},
        access=Access(row["access"]),
        published_precision=Precision(row["published_precision"]) if row["published_precision"] else None,
        **plain,
    )
