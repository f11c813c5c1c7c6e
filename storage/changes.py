"""The change feed: one row for each thing that happened to an article, numbered in the order of the commits."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from storage.database import Tx, stand_in_line
from storage.records import Change, ChangeKind
from storage.tables import change

Told = tuple[ChangeKind, int, int, int, datetime]
"""What happened, the article, its version, its cluster, and when."""


def append(tx: Tx, rows: Sequence[tuple[ChangeKind, int, int, int]], now: datetime) -> None:
    """Add rows of (kind, article, version, cluster).

    The line is held until the commit, so whoever has read up to N never misses a row below N.
    """
    append_all(tx, [(*row, now) for row in rows])


def append_all(tx: Tx, rows: Sequence[Told]) -> None:
    """The same, where each row says at which time."""
    stand_in_line(tx)
    names = ("kind", "article_id", "version", "cluster_id", "at")
    if rows:
        tx.execute(change.insert().inline(), [dict(zip(names, row, strict=True)) for row in rows])


def read(tx: Tx, since: int, limit: int = 1000) -> list[Change]:
    """The rows after `since`, in order. The last row's `seq` is the next `since`."""
    query = select(change).where(change.c.seq > since).order_by(change.c.seq).limit(limit)
    return [Change(**{**row, "kind": ChangeKind(row["kind"])}) for row in tx.execute(query).mappings()]


def of_article(tx: Tx, article_id: int) -> list[Change]:
    """All that the feed told of an article."""
    query = select(change).where(change.c.article_id == article_id).order_by(change.c.seq)
    return [Change(**{**row, "kind": ChangeKind(row["kind"])}) for row in tx.execute(query).mappings()]


def last(tx: Tx) -> int:
    """The number of the newest row, 0 in an empty feed."""
    return int(tx.execute(select(func.coalesce(func.max(change.c.seq), 0))).scalar_one())
