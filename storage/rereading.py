"""Which articles are to be read anew, and from which stored exchange."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from storage.database import Tx
from storage.records import Record
from storage.tables import article, article_version, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Record):
    """An article at its present version, and where that was read from."""

    article_id: int
    url: str
    version: int
    page_id: int
    snapshot_id: int


def places(
    tx: Tx, *, after: int = 0, limit: int = 100, since: datetime | None = None, source_name: str | None = None
) -> list[Place]:
    """Articles with an id above `after`, by id: those whose present version was fetched at `since` or later.

    Withdrawn ones are left out. `source_name`: only what that source listed first.
    """
    columns = (article.c.id.label("article_id"), article.c.url, article.c.version, article.c.page_id)
    query = _chosen(select(*columns, article_version.c.snapshot_id), since, source_name)
    rows = tx.execute(query.where(article.c.id > after).order_by(article.c.id).limit(limit)).mappings()
    return [Place(**row) for row in rows]


def count(tx: Tx, *, since: datetime | None = None, source_name: str | None = None) -> int:
    """How many of them there are."""
    return int(tx.execute(_chosen(select(func.count()).select_from(article), since, source_name)).scalar_one())


def _chosen(query: Select[Any], since: datetime | None, source_name: str | None) -> Select[Any]:
    current = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)
    query = query.join(article_version, current).where(article.c.withdrawn_at.is_(None))
    if since is not None:
        query = query.where(article_version.c.fetched_at >= since)
    if source_name is not None:
        query = query.join(source, source.c.id == article.c.source_id).where(source.c.name == source_name)
    return query
