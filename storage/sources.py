"""Sources as rows: what is watched, what each poll taught, and when the next is due."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case, desc, func, literal, select, update

from storage import sites
from storage.codec import from_plain, to_plain
from storage.columns import Utc
from storage.database import Tx, chunks, insert
from storage.errors import NotFound, SourceError
from storage.records import Poll, Source, SourceConfig, SourceKind
from storage.tables import poll, source

MANUAL = "manual"
"""The source of all that people ingest by hand."""
_LONGEST_TURN = timedelta(minutes=6)
"""A crawl's turn at a site is over after four minutes and its last request, by far."""


def add(tx: Tx, config: SourceConfig, *, site: str, now: datetime, interval_s: int, replace: bool = False) -> Source:
    """Add a source, due at once. A removed one of the same name comes back.

    One whose address is replaced by another forgets the validators of the old one, and is due when nobody can be
    polling the old one any more. Raises SourceError when the name is taken and `replace` is not asked for.
    """
    sites.ensure(tx, [site])
    old = tx.execute(select(source.c.id, source.c.removed_at).where(source.c.name == config.name)).first()
    if old and old.removed_at is None and not replace:
        raise SourceError(f"source {config.name!r} exists already; remove it first, or give --replace")
    row = {
        "name": config.name,
        "site": site,
        "config": to_plain(config),
        "paused": False,
        "removed_at": None,
        "next_at": None if config.kind is SourceKind.MANUAL else now,
        "interval_s": config.interval_s or interval_s,
    }
    if old:
        moved = _moved(tx, {config.name: config.url})
        tx.execute(update(source).where(source.c.id == old.id).values(**row))
        _begin_anew(tx, moved, now)
    else:
        tx.execute(source.insert().values(added_at=now, failures=0.0, **row))
    sites.refresh(tx, [site])
    return get(tx, config.name)


def add_many(
    tx: Tx, entries: Sequence[tuple[SourceConfig, str]], *, now: datetime, interval_s: int, replace: bool = False
) -> int:
    """Add sources with their sites, as `add` does for one, but in few statements; returns how many.

    Raises SourceError when a name is taken and `replace` is not asked for. Names are unique among `entries`.
    """
    names = [config.name for config, _ in entries]
    if not replace and (some := taken(tx, names)):
        raise SourceError(f"source {min(some)!r} exists already; remove it first, or give --replace")
    keys = {key for _, key in entries}
    sites.ensure(tx, keys)
    rows = [
        {
            "name": config.name,
            "site": key,
            "config": to_plain(config),
            "paused": False,
            "removed_at": None,
            "added_at": now,
            "next_at": None if config.kind is SourceKind.MANUAL else now,
            "interval_s": config.interval_s or interval_s,
            "failures": 0.0,
        }
        for config, key in entries
    ]
    moved = _moved(tx, {config.name: config.url for config, _ in entries}) if replace else {}
    for part in chunks(rows):
        statement = insert(tx, source)
        kept = ("site", "config", "paused", "removed_at", "next_at", "interval_s")
        renewed = {name: statement.excluded[name] for name in kept}
        tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=renewed), part)
    _begin_anew(tx, moved, now)
    sites.refresh(tx, keys)
    return len(rows)


def _moved(tx: Tx, urls: Mapping[str, str]) -> dict[int, str]:
    """Of sources by name with new addresses: the sites, by source, of those whose address was another."""
    found: dict[int, str] = {}
    for part in chunks(list(urls)):
        query = select(source.c.id, source.c.name, source.c.site, source.c.config).where(source.c.name.in_(part))
        found |= {row.id: row.site for row in tx.execute(query) if row.config["url"] != urls[row.name]}
    return found


def _begin_anew(tx: Tx, moved: Mapping[int, str], now: datetime) -> None:
    """Let sources forget what their old address taught, and wait where somebody may be polling that."""
    for part in chunks(list(moved)):
        forgotten = {"etag": None, "last_modified": None, "body_digest": None}
        tx.execute(update(source).where(source.c.id.in_(part)).values(**forgotten))
    at_work = sites.leased(tx, set(moved.values()), now)
    for part in chunks([number for number, key in moved.items() if key in at_work]):
        tx.execute(update(source).where(source.c.id.in_(part)).values(next_at=now + _LONGEST_TURN))


def taken(tx: Tx, names: Sequence[str]) -> set[str]:
    """Those of the names that a source has which is not removed."""
    found: set[str] = set()
    for part in chunks(list(names)):
        query = select(source.c.name).where(source.c.name.in_(part), source.c.removed_at.is_(None))
        found.update(tx.execute(query).scalars())
    return found


def manual(tx: Tx, now: datetime) -> Source:
    """The source that stands for ingestion by hand, made when it is first needed."""
    row = tx.execute(select(source).where(source.c.name == MANUAL)).mappings().first()
    if row is not None:
        return _record(row)
    return add(
        tx,
        SourceConfig(name=MANUAL, url="manual:", kind=SourceKind.MANUAL),
        site=MANUAL,
        now=now,
        interval_s=0,
        replace=True,
    )


def get(tx: Tx, name: str) -> Source:
    """The source of that name. Raises NotFound."""
    row = tx.execute(select(source).where(source.c.name == name, source.c.removed_at.is_(None))).mappings().first()
    if row is None:
        raise NotFound(f"no source is called {name!r}; 'copydesk sources list' shows all")
    return _record(row)


def by_id(tx: Tx, source_id: int) -> Source:
    """The source of that id, removed or not. Raises NotFound."""
    row = tx.execute(select(source).where(source.c.id == source_id)).mappings().first()
    if row is None:
        raise NotFound(f"no source has id {source_id}")
    return _record(row)


def some(tx: Tx, source_ids: Collection[int]) -> dict[int, Source]:
    """Sources by their ids, removed ones too; missing ones are left out."""
    rows = tx.execute(select(source).where(source.c.id.in_(source_ids))).mappings()
    return {one.id: one for one in map(_record, rows)}


def listed(tx: Tx, *, after: str = "", limit: int = 1000, prefix: str = "") -> list[Source]:
    """Sources in the order of their names, from the one after `after`; not the manual one, nor removed ones.

    `prefix`: only those whose name begins so.
    """
    query = select(source).where(source.c.removed_at.is_(None), source.c.name > after, source.c.name != MANUAL)
    if prefix:
        query = query.where(source.c.name.startswith(prefix, autoescape=True))
    return [_record(row) for row in tx.execute(query.order_by(source.c.name).limit(limit)).mappings()]


def due(tx: Tx, site: str, now: datetime) -> list[Source]:
    """The sources of a site that are due, most overdue first."""
    query = select(source).where(source.c.site == site, source.c.next_at <= now, *_active())
    return [_record(row) for row in tx.execute(query.order_by(source.c.next_at)).mappings()]


def configs_of(tx: Tx, site: str) -> dict[int, SourceConfig]:
    """The configurations of a site's sources by id, paused ones too, as their pages may wait."""
    query = select(source.c.id, source.c.config).where(source.c.site == site, source.c.removed_at.is_(None))
    return {row.id: from_plain(SourceConfig, row.config) for row in tx.execute(query.limit(1000))}


def needs_browser(tx: Tx, source_id: int) -> bool:
    """Whether the pages of a source are to be rendered, a removed one's too: some of its pages may wait."""
    config = tx.execute(select(source.c.config).where(source.c.id == source_id)).scalar()
    return config is not None and from_plain(SourceConfig, config).render


def of_site(tx: Tx, site: str) -> list[Source]:
    """The sources of a site that are polled, by name."""
    query = select(source).where(source.c.site == site, *_active()).order_by(source.c.name)
    return [_record(row) for row in tx.execute(query).mappings()]


def set_paused(tx: Tx, name: str, *, paused: bool, now: datetime) -> None:
    """Stop polling a source, or start again at once. Raises NotFound."""
    found = _watched(tx, name)
    tx.execute(
        update(source).where(source.c.id == found.id).values(paused=paused, next_at=found.next_at if paused else now)
    )
    sites.refresh(tx, [found.site])


def remove(tx: Tx, name: str, now: datetime) -> None:
    """Stop watching a source. Its row, articles and history stay. Raises NotFound."""
    found = _watched(tx, name)
    tx.execute(update(source).where(source.c.id == found.id).values(removed_at=now, next_at=None))
    sites.refresh(tx, [found.site])


def trigger(tx: Tx, names: Iterable[str], now: datetime, *, fresh: bool = True) -> list[Source]:
    """Make sources due now, before all others; `fresh`: without conditional requests. Raises NotFound."""
    found = [_watched(tx, name) for name in names]
    ids = [one.id for one in found]
    values: dict[str, Any] = {"next_at": now} | ({"etag": None, "last_modified": None} if fresh else {})
    tx.execute(update(source).where(source.c.id.in_(ids)).values(**values))
    sites.refresh(tx, {one.site for one in found}, urgent=True)
    return found


def polled(
    tx: Tx,
    visit: Poll,
    *,
    next_at: datetime,
    interval_s: int,
    failures: float,
    etag: str | None = None,
    last_modified: str | None = None,
    body_digest: str | None = None,
) -> None:
    """Write down one poll and what follows from it. Validators are kept only as given: pass the old ones on a failure.

    Call it in the transaction that commits the candidates, or after it: never before.
    """
    success = visit.outcome in ("ok", "not_modified")
    # a trigger may have come while the poll ran: then it is due again
    triggered = source.c.next_at > visit.started_at
    wanted = case((triggered, source.c.next_at), else_=literal(next_at, Utc))
    learned: dict[str, Any] = {"next_at": wanted, "interval_s": interval_s, "failures": failures}
    learned |= {"etag": etag, "last_modified": last_modified, "body_digest": body_digest}
    learned |= {"last_poll_at": visit.finished_at} | ({"last_success_at": visit.finished_at} if success else {})
    tx.execute(update(source).where(source.c.id == visit.source_id).values(**learned))
    tx.execute(insert(tx, poll).values(**{name: getattr(visit, name) for name in Poll.__slots__}))


def history(tx: Tx, source_id: int, limit: int = 30) -> list[Poll]:
    """The last polls of a source, newest first."""
    query = select(poll).where(poll.c.source_id == source_id).order_by(desc(poll.c.id)).limit(limit)
    return [_poll(row) for row in tx.execute(query).mappings()]


def recent_polls(tx: Tx, *, before: int | None = None, limit: int = 50) -> list[tuple[int, str, Poll]]:
    """The last polls of all sources with id and source's name, newest first, from the one below `before`."""
    query = select(poll, source.c.name.label("source")).join(source, source.c.id == poll.c.source_id)
    query = query.where(poll.c.id < (2**62 if before is None else before)).order_by(desc(poll.c.id)).limit(limit)
    return [(row["id"], row["source"], _poll(row)) for row in tx.execute(query).mappings()]


def overdue(tx: Tx, now: datetime, limit: int = 20) -> list[Source]:
    """The sources that are due, the longest overdue first."""
    query = select(source).where(source.c.next_at <= now, *_active()).order_by(source.c.next_at).limit(limit)
    return [_record(row) for row in tx.execute(query).mappings()]


def counts(tx: Tx, now: datetime) -> dict[str, int]:
    """How many sources there are, are paused, due, and failing."""
    alive = (source.c.removed_at.is_(None), source.c.name != MANUAL)
    row = tx.execute(
        select(
            func.count().label("sources"),
            func.count().filter(source.c.paused).label("paused"),
            func.count().filter(source.c.next_at <= now, *_active()).label("due"),
            func.count().filter(source.c.failures > 0).label("failing"),
        ).where(*alive)
    ).mappings()
    return dict(row.one())


def _watched(tx: Tx, name: str) -> Source:
    """A source of an operator: the manual one is never polled, so there is nothing to pause or to hurry."""
    if name == MANUAL:
        raise NotFound(f"{MANUAL!r} stands for what is ingested by hand; it is no source that is watched")
    return get(tx, name)


def _active() -> Sequence[Any]:
    return (source.c.paused.is_(False), source.c.removed_at.is_(None))


def _record(row: RowMapping) -> Source:
    plain = {name: row[name] for name in Source.__slots__ if name != "config"}
    return Source(config=from_plain(SourceConfig, row["config"]), **plain)


def _poll(row: RowMapping) -> Poll:
    return Poll(**{name: row[name] for name in Poll.__slots__})
