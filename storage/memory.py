"""What was learned besides schedules: of a source one JSON value for each topic, of a site its articles' addresses."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import desc, select

from storage.database import Tx, insert
from storage.tables import article, source_memory


def recall(tx: Tx, source_id: int, topic: str) -> dict[str, Any]:
    """What was remembered last; empty where nothing was."""
    query = select(source_memory.c.value).where(source_memory.c.source_id == source_id, source_memory.c.topic == topic)
    return dict(tx.execute(query).scalar() or {})


def remember(tx: Tx, source_id: int, topic: str, value: Mapping[str, Any]) -> None:
    """Remember a value, JSON through and through, in place of the last."""
    statement = insert(tx, source_memory).values(source_id=source_id, topic=topic, value=dict(value))
    renewed = {"value": statement.excluded.value}
    tx.execute(statement.on_conflict_do_update(index_elements=["source_id", "topic"], set_=renewed))


def article_addresses(tx: Tx, site: str, limit: int) -> list[str]:
    """The canonical keys of a site's newest articles."""
    query = select(article.c.url).where(article.c.site == site).order_by(desc(article.c.id)).limit(limit)
    return list(tx.execute(query).scalars())
