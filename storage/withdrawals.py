"""Withdrawn articles: gone from their site. Readers no longer see them, the text stays in the store, and may return."""

from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, update

from storage import changes, clusters
from storage.database import Tx
from storage.errors import NotFound
from storage.records import ChangeClass, ChangeKind
from storage.tables import article, article_version

GONE = "gone_"
"""How the reasons begin that stand for what a site did; all others are an operator's own words."""
RETRACTED = f"{GONE}retracted"
"""The reason where a notice that the text is withdrawn stands in its place."""
RETURNED = "returned"


def mark(tx: Tx, article_id: int, reason: str, now: datetime) -> bool:
    """Let an article count as withdrawn, and tell the change feed; False where it does already. Raises NotFound.

    What its site did makes a version of the class `retraction`, with the text that was there.
    """
    row = tx.execute(select(article).where(article.c.id == article_id)).mappings().first()
    if row is None:
        raise NotFound(f"no article has id {article_id}")
    if row["withdrawn_at"] is not None:
        return False
    if reason.startswith(GONE):
        _repeat(tx, article_id, row["version"], ChangeClass.RETRACTION, reason, now)
    hide(tx, article_id, reason, now)
    return True


def hide(tx: Tx, article_id: int, reason: str, now: datetime) -> None:
    """Take an article from the readers at its present version. Another member of its cluster takes its place there."""
    values = {"withdrawn_at": now, "withdrawn_reason": reason, "updated_at": now}
    place = (article.c.version, article.c.cluster_id)
    row = tx.execute(update(article).where(article.c.id == article_id).values(**values).returning(*place)).one()
    _tell(tx, ChangeKind.WITHDRAWN, article_id, row, now)


def is_retracted(tx: Tx, article_id: int) -> bool:
    """Whether it is withdrawn because a notice of that stands in the place of its text."""
    query = select(article.c.id).where(article.c.id == article_id, article.c.withdrawn_reason == RETRACTED)
    return tx.execute(query).first() is not None


def restore(tx: Tx, article_id: int, now: datetime) -> bool:
    """An article that was gone is back: readers see it again, in a version of its own that the change feed tells.

    False where it was not gone. What an operator withdrew stays withdrawn.
    """
    gone = (article.c.id == article_id, article.c.withdrawn_reason.startswith(GONE, autoescape=True))
    back = update(article).where(*gone).values(withdrawn_at=None, withdrawn_reason=None, updated_at=now)
    row = tx.execute(back.returning(article.c.version, article.c.cluster_id)).first()
    if row is None:
        return False
    version = _repeat(tx, article_id, row.version, ChangeClass.EDIT, RETURNED, now)
    _tell(tx, ChangeKind.UPDATED, article_id, (version, row.cluster_id), now)
    return True


def _repeat(tx: Tx, article_id: int, version: int, change: ChangeClass, reason: str, now: datetime) -> int:
    """A version that says what became of the article, with the content of the one before; returns its number."""
    fresh: dict[str, Any] = {"version": version + 1, "change_class": change, "reason": reason, "created_at": now}
    columns = [
        literal(fresh[column.name], column.type) if column.name in fresh else column for column in article_version.c
    ]
    same = (article_version.c.article_id == article_id, article_version.c.version == version)
    names = [column.name for column in article_version.c]
    tx.execute(article_version.insert().from_select(names, select(*columns).where(*same)))
    tx.execute(update(article).where(article.c.id == article_id).values(version=version + 1))
    return version + 1


def _tell(tx: Tx, kind: ChangeKind, article_id: int, place: Any, now: datetime) -> None:
    """Tell of the article itself, and of others that lead its cluster now, or no more."""
    version, cluster_id = place
    others = [one for one in clusters.lead(tx, cluster_id) if one[0] != article_id]
    rows = [(ChangeKind.CLUSTERED, other, at, cluster_id) for other, at in others]
    changes.append(tx, [(kind, article_id, version, cluster_id), *rows], now)
