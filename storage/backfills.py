"""Backfills as rows: which span of a source's past is being fetched, and how far that is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select, update

from storage.database import Tx, chunks, insert
from storage.records import PageState, Record
from storage.tables import backfill, page, source

OPEN, DONE, STOPPED, NO_SITEMAP = "open", "done", "stopped", "no_sitemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill(Record):
    """One source's backfill."""

    source_id: int
    since: datetime
    until: datetime
    state: str
    """`open`, `done`, `stopped` or `no_sitemap`."""
    todo: tuple[str, ...]
    """Sitemap files that are still to be read, the next one first; of a fresh one empty, like `done`."""
    done: tuple[str, ...]
    """Files that were read."""
    failed: tuple[str, ...]
    """Files that could not be read: the reason, a space, the address."""
    found: int
    """Addresses of the span that nobody had seen before."""
    undated: int
    """Addresses left out because nothing tells when they were published."""
    asked_at: datetime
    finished_at: datetime | None


def start(tx: Tx, source_id: int, since: datetime, until: datetime, now: datetime) -> Backfill:
    """Ask for a span. The same span again goes on where it stood; another one takes its place."""
    old = of_source(tx, source_id)
    if old is not None and (old.since, old.until) == (since, until) and old.state != NO_SITEMAP:
        if old.state == STOPPED:
            tx.execute(update(backfill).where(backfill.c.source_id == source_id).values(state=OPEN))
    else:
        values = {
            "since": since,
            "until": until,
            "state": OPEN,
            "todo": [],
            "done": [],
            "failed": [],
            "found": 0,
            "undated": 0,
        }
        values |= {"asked_at": now, "finished_at": None}
        statement = insert(tx, backfill).values(source_id=source_id, **values)
        tx.execute(statement.on_conflict_do_update(index_elements=["source_id"], set_=values))
    found = of_source(tx, source_id)
    assert found is not None
    return found


def of_source(tx: Tx, source_id: int) -> Backfill | None:
    """The backfill of a source, the last that was asked for."""
    row = tx.execute(select(backfill).where(backfill.c.source_id == source_id)).mappings().first()
    return _record(row) if row else None


def open_at(tx: Tx, site: str) -> list[Backfill]:
    """The open backfills of a site's sources, but for paused ones."""
    alive = (source.c.site == site, source.c.paused.is_(False), source.c.removed_at.is_(None))
    query = select(backfill).join(source, source.c.id == backfill.c.source_id).where(backfill.c.state == OPEN, *alive)
    return [_record(row) for row in tx.execute(query.order_by(backfill.c.source_id)).mappings()]


def save(tx: Tx, job: Backfill) -> None:
    """Write down how far it is; not what another has stopped meanwhile."""
    values = {name: getattr(job, name) for name in ("state", "found", "undated", "finished_at")}
    values |= {"todo": list(job.todo), "done": list(job.done), "failed": list(job.failed)}
    tx.execute(update(backfill).where(backfill.c.source_id == job.source_id, backfill.c.state == OPEN).values(**values))


def stop(tx: Tx, source_id: int) -> bool:
    """Stop an open backfill; returns whether there was one."""
    running = (backfill.c.source_id == source_id, backfill.c.state == OPEN)
    return bool(tx.execute(update(backfill).where(*running).values(state=STOPPED)).rowcount)


def waiting(tx: Tx, site: str, priority: int) -> tuple[int, int]:
    """How many pages of a site wait: those above a priority, and the rest."""
    above = func.count().filter(page.c.priority > priority)
    query = select(above, func.count()).where(page.c.site == site, page.c.state == PageState.DISCOVERED)
    live, every = tx.execute(query).one()
    return int(live), int(every - live)


def unknown(tx: Tx, keys: Collection[str]) -> set[str]:
    """Those of the canonical keys that nobody has seen."""
    found = set(keys)
    for part in chunks(sorted(found)):
        found.difference_update(tx.execute(select(page.c.url).where(page.c.url.in_(part))).scalars())
    return found


def _record(row: RowMapping) -> Backfill:
    plain = {name: row[name] for name in Backfill.__slots__}
    return Backfill(**(plain | {name: tuple(plain[name]) for name in ("todo", "done", "failed")}))
