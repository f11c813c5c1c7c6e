"""Filing articles: the article, its version, its cluster, its fingerprint and the change row, in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, select, update

from storage import changes, clusters, similar, withdrawals
from storage.codec import to_plain
from storage.database import Tx
from storage.errors import NotFound
from storage.records import Access, ChangeClass, ChangeKind, DecisionKind, Filing, Fingerprint, Known
from storage.tables import article, article_version, fingerprint

# Built once: for each article that would take as long as to run them.
_OF = article.c.id == bindparam("of")
_NEW = article.insert().returning(article.c.id)
_PRESENT = select(article.c.version, article.c.cluster_id).where(_OF)
_GROWN = update(article).where(_OF).values(version=bindparam("version"), updated_at=bindparam("updated_at"))


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
    article_id = int(tx.execute(_NEW, values).scalar_one())
    _insert_version(tx, article_id, 1, filing, now)
    _index(tx, article_id, filing, cluster_id)
    changed: list[tuple[int, int]] = []
    if joined is None and not merges:
        clusters.begin(tx, cluster_id, article_id)
    else:
        changed = clusters.join(tx, cluster_id, merges, article_id)
    told = [(ChangeKind.CREATED, article_id, 1, cluster_id)]
    told += [(ChangeKind.CLUSTERED, other, version, cluster_id) for other, version in changed]
    changes.append(tx, told, now)
    return article_id


def _revise(tx: Tx, article_id: int, filing: Filing, now: datetime) -> None:
    version, cluster_id = tx.execute(_PRESENT, {"of": article_id}).one()
    _insert_version(tx, article_id, version + 1, filing, now)
    tx.execute(_GROWN, {"of": article_id, "version": version + 1, "updated_at": now})
    _index(tx, article_id, filing, cluster_id)
    if filing.decision.change_class is ChangeClass.RETRACTION:
        withdrawals.hide(tx, article_id, withdrawals.RETRACTED, now)
    else:
        places = [one for one in clusters.lead(tx, cluster_id) if one[0] != article_id]
        told = [(ChangeKind.UPDATED, article_id, version + 1, cluster_id)]
        told += [(ChangeKind.CLUSTERED, other, at, cluster_id) for other, at in places]
        changes.append(tx, told, now)


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


def _insert_version(tx: Tx, article_id: int, version: int, filing: Filing, now: datetime) -> None:
    clean, decision = filing.clean, filing.decision
    columns = {column.name for column in article_version.c}
    values: dict[str, Any] = {name: getattr(clean, name) for name in clean.__slots__ if name in columns}
    values |= {name: to_plain(getattr(clean, name)) for name in ("authors", "keywords", "blocks", "provenance")}
    values |= {"article_id": article_id, "version": version, "created_at": now, "snapshot_id": filing.page.snapshot_id}
    values |= {"change_class": decision.change_class, "reason": decision.reason, "similarity": decision.similarity}
    values |= {"evidence": dict(decision.evidence), "standing": filing.standing}
    values |= {"content_hash": filing.content_hash, "word_count": filing.word_count}
    tx.execute(article_version.insert(), values)


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
