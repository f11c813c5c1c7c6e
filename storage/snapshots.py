"""Snapshots: each stored exchange with its body, hot in the database until it is packed into the archive."""

import zlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import RowMapping, func, select, update

from storage.archive import Archive, digest
from storage.database import Tx
from storage.errors import ArchiveDamaged, BodyPruned, NotFound
from storage.records import Exchange, Pointer, Snapshot
from storage.store import Store
from storage.tables import HOT, snapshot

_FACTS = [column for column in snapshot.c if column.name != "body"]


def keep(tx: Tx, page_id: int, exchange: Exchange) -> int:
    """Store an exchange of a page, its body compressed beside it; returns the snapshot's id."""
    return keep_all(tx, [(page_id, exchange)])[0]


def keep_all(tx: Tx, exchanges: Sequence[tuple[int, Exchange]]) -> list[int]:
    """Store exchanges, each with the id of its page; returns the snapshots' ids in the same order."""
    made = snapshot.insert().returning(snapshot.c.id, sort_by_parameter_order=True)
    return list(tx.execute(made, [_values(page_id, exchange) for page_id, exchange in exchanges]).scalars())


def _values(page_id: int, exchange: Exchange) -> dict[str, Any]:
    return {
        "page_id": page_id,
        "url": exchange.url,
        "status": exchange.status,
        "headers": exchange.headers,
        "request_headers": exchange.request_headers,
        "fetched_at": exchange.fetched_at,
        "size": len(exchange.body),
        "digest": digest(exchange.body),
        "body": zlib.compress(exchange.body, 3),
    }


def get(tx: Tx, snapshot_id: int) -> Snapshot:
    """The snapshot without its body. Raises NotFound."""
    row = tx.execute(select(*_FACTS).where(snapshot.c.id == snapshot_id)).mappings().first()
    if row is None:
        raise NotFound(f"no snapshot has id {snapshot_id}")
    return _record(row)


def some(tx: Tx, snapshot_ids: Collection[int]) -> dict[int, Snapshot]:
    """Snapshots by their ids, without their bodies; missing ones are left out."""
    rows = tx.execute(select(*_FACTS).where(snapshot.c.id.in_(snapshot_ids))).mappings()
    return {one.id: one for one in map(_record, rows)}


def of_page(tx: Tx, page_id: int) -> list[Snapshot]:
    """All snapshots of a page, oldest first."""
    query = select(*_FACTS).where(snapshot.c.page_id == page_id).order_by(snapshot.c.id)
    return [_record(row) for row in tx.execute(query).mappings()]


def body(tx: Tx, archive: Archive, found: Snapshot) -> bytes:
    """The body of a snapshot, wherever it is now. Raises ArchiveDamaged, and BodyPruned when its time was over."""
    if found.pointer is not None:
        with suppress(ArchiveDamaged):  # or it was pruned or moved since `found` was read: its row tells
            return archive.read(found.pointer)
    hot = tx.execute(select(snapshot.c.body, snapshot.c.pruned_at).where(snapshot.c.id == found.id)).first()
    if hot is not None and hot.body is not None:
        return zlib.decompress(hot.body)
    if hot is not None and hot.pruned_at is not None:
        raise BodyPruned(f"the body of {found.url} of {found.fetched_at:%Y-%m-%d} was pruned: its time was over")
    return archive.read(get(tx, found.id).pointer or _lost(found))


def hot_bodies(tx: Tx, found: Iterable[Snapshot], *, most_bytes: int) -> dict[int, bytes]:
    """By the ids of snapshots their bodies that are still in the database: of the first ones, so many bytes of them."""
    wanted = [one.id for one in _within(most_bytes, [one for one in found if one.pointer is None])]
    query = select(snapshot.c.id, snapshot.c.body).where(snapshot.c.id.in_(wanted), snapshot.c.body.is_not(None))
    return {row.id: zlib.decompress(row.body) for row in tx.execute(query)} if wanted else {}


def pack(store: Store, now: datetime, *, most_bytes: int, after: timedelta) -> int:
    """Move hot bodies into WARC files when they are many or old; returns how many moved.

    The file is durable before the pointers replace the bodies, so a crash in between costs a file, never a body.
    """
    moved = 0
    while batch := _next_batch(store, now, most_bytes, after):
        pointers = store.archive.pack(batch, now)
        store.write(lambda tx, pointers=pointers: _point(tx, pointers))  # type: ignore[misc]
        moved += len(pointers)
    return moved


def pack_due(tx: Tx, now: datetime, *, most_bytes: int, after: timedelta) -> bool:
    """Whether `pack` would find something to do."""
    oldest = select(snapshot.c.fetched_at).where(HOT).order_by(snapshot.c.id).limit(1)
    first = tx.execute(oldest).scalar()
    return first is not None and (first <= now - after or hot(tx)[1] >= most_bytes)


def hot(tx: Tx) -> tuple[int, int]:
    """How many bodies are still in the database, and their bytes before compression."""
    query = select(func.count(), func.coalesce(func.sum(snapshot.c.size), 0)).where(HOT)
    count, size = tx.execute(query).one()
    return int(count), int(size)


def packed(tx: Tx, after: int, limit: int) -> list[Snapshot]:
    """Snapshots in the archive with an id above `after`, by id."""
    query = select(*_FACTS).where(snapshot.c.archive_file.is_not(None), snapshot.c.id > after)
    return [_record(row) for row in tx.execute(query.order_by(snapshot.c.id).limit(limit)).mappings()]


def _next_batch(store: Store, now: datetime, most_bytes: int, after: timedelta) -> list[tuple[Snapshot, bytes]]:
    with store.reading() as tx:
        rows = tx.execute(select(*_FACTS).where(HOT).order_by(snapshot.c.id).limit(20_000)).mappings()
        found = _up_to(most_bytes, [_record(row) for row in rows])
        full = sum(one.size for one in found) >= most_bytes
        if not found or not (full or found[0].fetched_at <= now - after):
            return []
        return [(one, body(tx, store.archive, one)) for one in found]


def _within(most_bytes: int, found: Sequence[Snapshot]) -> list[Snapshot]:
    sizes = accumulate(one.size for one in found)
    return [one for one, size in zip(found, sizes, strict=True) if size <= most_bytes]


def _up_to(most_bytes: int, found: Sequence[Snapshot]) -> list[Snapshot]:
    taken, size = [], 0
    for one in found:
        taken.append(one)
        size += one.size
        if size >= most_bytes:
            break
    return taken


def _point(tx: Tx, pointers: Sequence[tuple[int, Pointer]]) -> None:
    for snapshot_id, at in pointers:
        where = {"archive_file": at.file, "archive_offset": at.offset, "archive_length": at.length}
        # another packer may have been faster: its pointer stays
        tx.execute(update(snapshot).where(snapshot.c.id == snapshot_id, HOT).values(body=None, **where))


def _record(row: RowMapping) -> Snapshot:
    plain: dict[str, Any] = {name: row[name] for name in Snapshot.__slots__ if name != "pointer"}
    plain["headers"] = tuple((name, value) for name, value in row["headers"])
    plain["request_headers"] = tuple((name, value) for name, value in row["request_headers"])
    return Snapshot(pointer=pointer(row), **plain)


def pointer(row: RowMapping) -> Pointer | None:
    """The archive pointer in a row of the snapshot table, if its body is packed."""
    if row["archive_file"] is None:
        return None
    place = {"offset": row["archive_offset"], "length": row["archive_length"]}
    return Pointer(file=row["archive_file"], digest=row["digest"], **place)


def _lost(found: Snapshot) -> Pointer:
    raise NotFound(f"snapshot {found.id} of {found.url} has neither a body nor a place in the archive")
