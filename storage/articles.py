"""Filing articles: the article, its version, its cluster, its fingerprint and the change row, in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, select, update

from storage import changes, clusters, withdrawals
from storage.batch import Batch
from storage.codec import to_plain
from storage.database import Tx
from storage.errors import NotFound
from storage.records import Access, ChangeClass, ChangeKind, Clean, DecisionKind, Filing, Fingerprint, Known
from storage.tables import article, article_version, cluster, fingerprint

# Built once: for each article that would take as long as to run it.
_GROWN = (
    update(article)
    .where(article.c.id == bindparam("of"))
    .values(version=article.c.version + 1, updated_at=bindparam("updated_at"))
    .returning(article.c.version, article.c.cluster_id)
)

_TOLD = [name for name in Clean.__slots__ if name in article_version.c]


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
    batch = Batch(tx)
    article_id = add(batch, filing, now)
    batch.flush()
    return article_id


def add(batch: Batch, filing: Filing, now: datetime) -> int:
    """The same, together with other pages: a new story of its own is written when the batch is."""
    if filing.decision.kind is DecisionKind.NEW:
        return _found(batch, filing, now)
    article_id = filing.decision.article_id
    if article_id is None:
        raise ValueError(f"decision {filing.decision.kind} for page {filing.page.id} names no article")
    if filing.decision.kind is DecisionKind.VERSION:
        _revise(batch, article_id, filing, now)
    return article_id


def _found(batch: Batch, filing: Filing, now: datetime) -> int:
    joined, merges, article_id = filing.decision.cluster_id, filing.decision.merges, batch.next_id(article)
    cluster_id = batch.next_id(cluster) if joined is None else joined
    row = {
        "id": article_id,
        "page_id": filing.page.id,
        "url": filing.clean.url,
        "site": filing.page.site,
        "source_id": filing.page.source_id,
        "cluster_id": cluster_id,
        "version": 1,
        "first_seen": filing.page.discovered_at,
        "updated_at": now,
    }
    version = _version(article_id, 1, filing, now)
    batch.take(filing.clean.url)
    batch.count(filing.boilerplate or batch.boilerplate(filing.fingerprint.lines), cluster_id)
    if joined is None and not merges:
        batch.found(clusters.alone(cluster_id, article_id, now), row, version, filing.fingerprint, filing.keys)
        batch.tell((ChangeKind.CREATED, article_id, 1, cluster_id, now))
    else:
        batch.flush()
        if joined is None:
            batch.tx.execute(cluster.insert(), clusters.alone(cluster_id, article_id, now))
        batch.tx.execute(article.insert(), row)
        batch.tx.execute(article_version.insert(), version)
        batch.index(article_id, filing.fingerprint, filing.keys)
        changed = clusters.join(batch.tx, cluster_id, merges, article_id)
        told = [(ChangeKind.CREATED, article_id, 1, cluster_id)]
        told += [(ChangeKind.CLUSTERED, other, at, cluster_id) for other, at in changed]
        changes.append(batch.tx, told, now)
    return article_id


def _revise(batch: Batch, article_id: int, filing: Filing, now: datetime) -> None:
    batch.flush()
    tx = batch.tx
    version, cluster_id = tx.execute(_GROWN, {"of": article_id, "updated_at": now}).one()
    tx.execute(article_version.insert(), _version(article_id, version, filing, now))
    batch.index(article_id, filing.fingerprint, filing.keys)
    batch.count(filing.boilerplate or batch.boilerplate(filing.fingerprint.lines), cluster_id)
    if filing.decision.change_class is ChangeClass.RETRACTION:
        withdrawals.hide(tx, article_id, withdrawals.RETRACTED, now)
        return
    batch.tell((ChangeKind.UPDATED, article_id, version, cluster_id, now))
    for other, at in clusters.lead(tx, cluster_id):
        if other != article_id:
            batch.tell((ChangeKind.CLUSTERED, other, at, cluster_id, now))


def restand(tx: Tx, filing: Filing, now: datetime) -> None:
    """Let an article whose text stays stand for its cluster as its page says now: by its credit, its canonical address.

    That makes no version: what a reader calls the article is the same.
    """
    current = and_(article.c.id == filing.decision.article_id, article_version.c.version == article.c.version)
    columns = (article.c.id, article.c.version, article.c.cluster_id, article_version.c.standing)
    query = select(*columns, article_version.c.evidence)
    row = tx.execute(query.join(article_version, article_version.c.article_id == article.c.id).where(current)).one()
    declared = filing.decision.evidence.get(clusters.CANONICAL)
    if (row.standing, row.evidence.get(clusters.CANONICAL)) == (filing.standing, declared):
        return
    evidence = {name: value for name, value in row.evidence.items() if name != clusters.CANONICAL}
    evidence |= {clusters.CANONICAL: declared} if declared else {}
    mine = and_(article_version.c.article_id == row.id, article_version.c.version == row.version)
    tx.execute(update(article_version).where(mine).values(standing=filing.standing, evidence=evidence))
    places = clusters.lead(tx, row.cluster_id)
    changes.append(tx, [(ChangeKind.CLUSTERED, one, at, row.cluster_id) for one, at in places], now)


def _version(article_id: int, version: int, filing: Filing, now: datetime) -> dict[str, Any]:
    clean, decision = filing.clean, filing.decision
    values: dict[str, Any] = {name: getattr(clean, name) for name in _TOLD}
    values |= {name: to_plain(getattr(clean, name)) for name in ("authors", "keywords", "blocks", "provenance")}
    values |= {"article_id": article_id, "version": version, "created_at": now, "snapshot_id": filing.page.snapshot_id}
    values |= {"change_class": decision.change_class, "reason": decision.reason, "similarity": decision.similarity}
    values |= {"evidence": dict(decision.evidence), "standing": filing.standing}
    values |= {"content_hash": filing.content_hash, "word_count": filing.word_count}
    return values


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
