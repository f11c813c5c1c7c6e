"""Filing articles: the article, its version, its cluster, its fingerprint and the change row, in one transaction."""

import sys
from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, func, select, update

from storage import changes
from storage.codec import to_plain
from storage.database import Tx, insert
from storage.errors import NotFound
from storage.records import Access, ChangeKind, DecisionKind, Filing, Fingerprint, Known
from storage.tables import article, article_version, cluster, fingerprint, posting

_CANDIDATES = 8


def known_at(tx: Tx, url: str) -> Known | None:
    """The article filed under a canonical key, ready to be compared."""
    row = tx.execute(_known().where(article.c.url == url)).mappings().first()
    return _known_record(row) if row else None


def known(tx: Tx, article_id: int) -> Known | None:
    """The article of that id, ready to be compared; None for one that was withdrawn."""
    row = tx.execute(_known().where(article.c.id == article_id)).mappings().first()
    return _known_record(row) if row else None


def is_withdrawn(tx: Tx, url: str) -> bool:
    """Whether the article under a canonical key was withdrawn: nothing may be filed there again."""
    query = select(article.c.id).where(article.c.url == url, article.c.withdrawn_at.is_not(None))
    return tx.execute(query).first() is not None


def candidates(tx: Tx, print_: Fingerprint, limit: int = _CANDIDATES) -> list[Known]:
    """Articles that may tell the same story: those of equal text, then those that share most hashes, at least two."""
    equal = (
        select(fingerprint.c.article_id).where(fingerprint.c.exact == print_.exact).order_by(fingerprint.c.article_id)
    )
    ids = list(tx.execute(equal.limit(limit)).scalars())
    if print_.sketch and len(ids) < limit:
        shared = func.count().label("shared")
        query = (
            select(posting.c.article_id, shared).where(posting.c.hash.in_(print_.sketch)).group_by(posting.c.article_id)
        )
        ranked = query.having(func.count() >= 2).order_by(shared.desc(), posting.c.article_id).limit(limit)
        ids += [row.article_id for row in tx.execute(ranked) if row.article_id not in ids]
    rows = tx.execute(_known().where(article.c.id.in_(ids[:limit])).order_by(article.c.id)).mappings()
    return [_known_record(row) for row in rows]


def page_of(tx: Tx, article_id: int) -> int:
    """The id of the page that an article is read from. Raises NotFound."""
    found = tx.execute(select(article.c.page_id).where(article.c.id == article_id)).scalar()
    if found is None:
        raise NotFound(f"no article has id {article_id}")
    return int(found)


def adopt(tx: Tx, article_id: int, page_id: int) -> None:
    """Let an article be read from another page from now on: its own address has turned up."""
    tx.execute(update(article).where(article.c.id == article_id).values(page_id=page_id))


def file(tx: Tx, filing: Filing, now: datetime) -> int:
    """Write what was decided of a page; returns the id of the article that it is, repeats or changes."""
    if filing.decision.kind is DecisionKind.NEW:
        return _found(tx, filing, now)
    article_id = filing.decision.article_id
    if article_id is None:
        raise ValueError(f"decision {filing.decision.kind} for page {filing.page.id} names no article")
    if filing.decision.kind is DecisionKind.VERSION:
        _revise(tx, article_id, filing, now)
    return article_id


def _found(tx: Tx, filing: Filing, now: datetime) -> int:
    joined = filing.decision.cluster_id
    cluster_id = joined or _insert_cluster(tx, now)
    values = {
        "page_id": filing.page.id,
        "url": filing.clean.url,
        "site": filing.page.site,
        "source_id": filing.page.source_id,
        "cluster_id": cluster_id,
        "version": 1,
        "first_seen": filing.page.discovered_at,
        "updated_at": now,
    }
    article_id = int(tx.execute(article.insert().values(**values).returning(article.c.id)).scalar_one())
    _insert_version(tx, article_id, 1, filing, now)
    _index(tx, article_id, filing.fingerprint)
    changed = _choose_primary(tx, cluster_id, article_id, filing.clean.published_at)
    told = [(ChangeKind.CREATED, article_id, 1, cluster_id)]
    told += [(ChangeKind.CLUSTERED, other, version, cluster_id) for other, version in changed]
    changes.append(tx, told, now)
    return article_id


def _revise(tx: Tx, article_id: int, filing: Filing, now: datetime) -> None:
    current = select(article.c.version, article.c.cluster_id).where(article.c.id == article_id)
    version, cluster_id = tx.execute(current).one()
    _insert_version(tx, article_id, version + 1, filing, now)
    tx.execute(update(article).where(article.c.id == article_id).values(version=version + 1, updated_at=now))
    _index(tx, article_id, filing.fingerprint)
    changes.append(tx, [(ChangeKind.UPDATED, article_id, version + 1, cluster_id)], now)


def _insert_cluster(tx: Tx, now: datetime) -> int:
    values = {"primary_reason": "only_member", "created_at": now}
    return int(tx.execute(cluster.insert().values(**values).returning(cluster.c.id)).scalar_one())


def _choose_primary(tx: Tx, cluster_id: int, newcomer: int, published: datetime | None) -> list[tuple[int, int]]:
    """Point the cluster at its primary: the earliest published; returns (article, version) of who lost that place."""
    present = tx.execute(select(cluster.c.primary_article_id).where(cluster.c.id == cluster_id)).scalar()
    if present is None:
        _set_primary(tx, cluster_id, newcomer, "only_member")
        return []
    holder = tx.execute(
        select(article.c.version, article_version.c.published_at)
        .join(
            article_version,
            (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version),
        )
        .where(article.c.id == present)
    ).one()
    if published is None or (holder.published_at is not None and holder.published_at <= published):
        _set_primary(tx, cluster_id, present, "earliest")
        return []
    _set_primary(tx, cluster_id, newcomer, "earliest")
    return [(present, holder.version)]


def _set_primary(tx: Tx, cluster_id: int, article_id: int, reason: str) -> None:
    tx.execute(
        update(cluster).where(cluster.c.id == cluster_id).values(primary_article_id=article_id, primary_reason=reason)
    )


def _insert_version(tx: Tx, article_id: int, version: int, filing: Filing, now: datetime) -> None:
    clean, decision = filing.clean, filing.decision
    columns = {column.name for column in article_version.c}
    values: dict[str, Any] = {name: getattr(clean, name) for name in clean.__slots__ if name in columns}
    values |= {name: to_plain(getattr(clean, name)) for name in ("authors", "keywords", "blocks", "provenance")}
    values |= {"article_id": article_id, "version": version, "created_at": now, "snapshot_id": filing.page.snapshot_id}
    values |= {"change_class": decision.change_class, "reason": decision.reason, "similarity": decision.similarity}
    values |= {"content_hash": filing.content_hash, "word_count": filing.word_count}
    tx.execute(article_version.insert().values(**values))


def _index(tx: Tx, article_id: int, print_: Fingerprint) -> None:
    values = {"algorithm": print_.algorithm, "exact": print_.exact, "sketch": _to_bytes(print_.sketch)}
    statement = insert(tx, fingerprint).values(article_id=article_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["article_id"], set_=values))
    tx.execute(delete(posting).where(posting.c.article_id == article_id))
    if print_.sketch:
        tx.execute(
            posting.insert(), [{"hash": hash_, "article_id": article_id} for hash_ in sorted(set(print_.sketch))]
        )


def _known() -> Any:
    current = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)
    return (
        select(
            article.c.id.label("article_id"),
            article.c.url,
            article.c.site,
            article.c.cluster_id,
            article.c.version,
            fingerprint.c.algorithm,
            fingerprint.c.exact,
            fingerprint.c.sketch,
            article_version.c.text,
            article_version.c.title,
            article_version.c.access,
            article_version.c.published_at,
        )
        .join(article_version, current)
        .join(fingerprint, fingerprint.c.article_id == article.c.id)
        .where(article.c.withdrawn_at.is_(None))
    )


def _known_record(row: RowMapping) -> Known:
    print_ = Fingerprint(algorithm=row["algorithm"], exact=row["exact"], sketch=_from_bytes(row["sketch"]))
    same = {name: row[name] for name in Known.__slots__ if name not in ("fingerprint", "access")}
    return Known(fingerprint=print_, access=Access(row["access"]), **same)


def _to_bytes(sketch: Sequence[int]) -> bytes:
    packed = array("I", sketch)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _from_bytes(raw: bytes) -> tuple[int, ...]:
    packed = array("I", raw)
    if sys.byteorder == "big":
        packed.byteswap()
    return tuple(packed)
