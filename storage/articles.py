"""Filing articles: the article, its version, its cluster, its fingerprint and the change row, in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, update

from storage import changes, clusters, similar, withdrawals
from storage.codec import to_plain
from storage.database import Tx
from storage.errors import NotFound
from storage.records import Access, ChangeClass, ChangeKind, DecisionKind, Filing, Fingerprint, Known
from storage.tables import article, article_version, fingerprint


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
    joined, merges = filing.decision.cluster_id, filing.decision.merges
    cluster_id = joined or clusters.found(tx, now)
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
    _index(tx, article_id, filing, cluster_id)
    changed = clusters.join(tx, cluster_id, merges, article_id)
    told = [(ChangeKind.CREATED, article_id, 1, cluster_id)]
    told += [(ChangeKind.CLUSTERED, other, version, cluster_id) for other, version in changed]
    changes.append(tx, told, now)
    return article_id


def _revise(tx: Tx, article_id: int, filing: Filing, now: datetime) -> None:
    current = select(article.c.version, article.c.cluster_id).where(article.c.id == article_id)
    version, cluster_id = tx.execute(current).one()
    _insert_version(tx, article_id, version + 1, filing, now)
    tx.execute(update(article).where(article.c.id == article_id).values(version=version + 1, updated_at=now))
    _index(tx, article_id, filing, cluster_id)
    if filing.decision.change_class is ChangeClass.RETRACTION:
        withdrawals.hide(tx, article_id, withdrawals.RETRACTED, now)
    else:
        changes.append(tx, [(ChangeKind.UPDATED, article_id, version + 1, cluster_id)], now)


def _insert_version(tx: Tx, article_id: int, version: int, filing: Filing, now: datetime) -> None:
    clean, decision = filing.clean, filing.decision
    columns = {column.name for column in article_version.c}
    values: dict[str, Any] = {name: getattr(clean, name) for name in clean.__slots__ if name in columns}
    values |= {name: to_plain(getattr(clean, name)) for name in ("authors", "keywords", "blocks", "provenance")}
    values |= {"article_id": article_id, "version": version, "created_at": now, "snapshot_id": filing.page.snapshot_id}
    values |= {"change_class": decision.change_class, "reason": decision.reason, "similarity": decision.similarity}
    values |= {"evidence": dict(decision.evidence), "credit": filing.credit, "standing": filing.standing}
    values |= {"content_hash": filing.content_hash, "word_count": filing.word_count}
    tx.execute(article_version.insert().values(**values))


def _index(tx: Tx, article_id: int, filing: Filing, cluster_id: int) -> None:
    print_ = filing.fingerprint
    similar.index(tx, article_id, print_, filing.keys)
    similar.note(tx, filing.boilerplate or similar.boilerplate(tx, print_.lines), cluster_id)


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
            fingerprint.c.marks,
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
    print_ = Fingerprint(algorithm=row["algorithm"], exact=row["exact"], marks=bytes(row["marks"]))
    same = {name: row[name] for name in Known.__slots__ if name not in ("fingerprint", "access")}
    return Known(fingerprint=print_, access=Access(row["access"]), **same)
