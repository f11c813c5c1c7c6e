"""Withdrawn articles: gone from their site. Readers no longer see them, the text stays in the store, and may return."""

from datetime import datetime

from sqlalchemy import select, update

from storage import changes
from storage.database import Tx
from storage.errors import NotFound
from storage.records import ChangeKind
from storage.tables import article

GONE = "gone_"
"""How the reasons begin that stand for what a site did; all others are an operator's own words."""


def mark(tx: Tx, article_id: int, reason: str, now: datetime) -> bool:
    """Let an article count as withdrawn, and tell the change feed; False where it does already. Raises NotFound."""
    row = tx.execute(select(article).where(article.c.id == article_id)).mappings().first()
    if row is None:
        raise NotFound(f"no article has id {article_id}")
    if row["withdrawn_at"] is not None:
        return False
    values = {"withdrawn_at": now, "withdrawn_reason": reason, "updated_at": now}
    tx.execute(update(article).where(article.c.id == article_id).values(**values))
    changes.append(tx, [(ChangeKind.WITHDRAWN, article_id, row["version"], row["cluster_id"])], now)
    return True


def restore(tx: Tx, article_id: int, now: datetime) -> bool:
    """An article that was gone is back: readers see it again, and the change feed tells of it as an update.

    False where it was not gone. What an operator withdrew stays withdrawn.
    """
    gone = (article.c.id == article_id, article.c.withdrawn_reason.startswith(GONE, autoescape=True))
    back = update(article).where(*gone).values(withdrawn_at=None, withdrawn_reason=None, updated_at=now)
    row = tx.execute(back.returning(article.c.version, article.c.cluster_id)).first()
    if row is None:
        return False
    changes.append(tx, [(ChangeKind.UPDATED, article_id, row.version, row.cluster_id)], now)
    return True
