"""Forgetting what was last seen long ago, a bounded piece at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, select, tuple_

from storage.codec import from_plain
from storage.database import Tx, chunks
from storage.records import Record, SourceConfig
from storage.tables import page, sighting, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned(Record):
    """One step of pruning."""

    forgotten: int
    after: int | None
    """The page id from which the next step goes on; None when the end is reached."""


def sightings(tx: Tx, now: datetime, *, days: int, after: int = 0, limit: int = 5000) -> Pruned:
    """Forget sightings by when they were *last* seen, `limit` rows looked at in one step.

    What a feed still shows is never old, however long ago it first came: else a slow feed's items would be new again.
    A page keeps its row and so its identity; the sightings of a page that still waits stay, as they are evidence for
    its processing. A source's own `retention` wins over `days`.
    """
    columns = (sighting.c.page_id, sighting.c.source_id, sighting.c.via, sighting.c.last_seen, page.c.state)
    rows = tx.execute(
        select(*columns)
        .join(page, page.c.id == sighting.c.page_id)
        .where(sighting.c.page_id > after)
        .order_by(sighting.c.page_id)
        .limit(limit)
    ).all()
    if len(rows) == limit and rows[0].page_id != rows[-1].page_id:
        rows = [row for row in rows if row.page_id != rows[-1].page_id]  # a page is looked at as a whole
        following: int | None = rows[-1].page_id
    else:
        following = rows[-1].page_id if len(rows) == limit else None
    kept = _kept(tx, {row.source_id for row in rows}, days)
    old = [row for row in rows if row.state == "done" and row.last_seen < now - timedelta(days=kept[row.source_id])]
    for part in chunks(old, 200):
        keys = [(row.page_id, row.source_id, row.via) for row in part]
        tx.execute(delete(sighting).where(tuple_(sighting.c.page_id, sighting.c.source_id, sighting.c.via).in_(keys)))
    return Pruned(forgotten=len(old), after=following)


def _kept(tx: Tx, ids: set[int], days: int) -> dict[int, int]:
    """Days that sightings are kept, by source."""
    kept = dict.fromkeys(ids, days)
    for part in chunks(sorted(ids)):
        for row in tx.execute(select(source.c.id, source.c.config).where(and_(source.c.id.in_(part)))):
            own = dict(from_plain(SourceConfig, row.config).retention)
            kept[row.id] = own.get("sightings", days)
    return kept
