"""One file, or one folder of days, with every article as it is now."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import IO, Any

from storage import reading, snapshots
from storage.archive import Archive, write_records
from storage.database import Tx
from storage.datasets.forms import FORMS, Row
from storage.datasets.manifest import Manifest, Part, Tally
from storage.datasets.place import Place
from storage.filters import Filter
from storage.records import Article, Snapshot
from storage.store import Store

_BATCH = 500
Progress = Callable[[int], None]


def rows(tx: Tx, having: Filter | None = None) -> Iterator[Row]:
    """The canonical record of each article, by id."""
    return (reading.to_json(one) for one in articles(tx, having))


def articles(tx: Tx, having: Filter | None = None) -> Iterator[Article]:
    """Each article at its current version, by id; in batches, so that memory stays flat."""
    last = 0
    while batch := reading.listed(tx, after=last, limit=_BATCH, having=having):
        yield from batch
        last = batch[-1].id


def write_file(tx: Tx, form: str, out: IO[bytes], having: Filter | None, told: Progress) -> int:
    """Write all to one open file; returns how many."""
    return FORMS[form](_counted(rows(tx, having), told), out)


def write_days(tx: Tx, form: str, place: Place, having: Filter | None, told: Progress, seq: int) -> Manifest:
    """Write a folder with a file for each day on which articles were first seen, and its manifest at the end.

    Articles stand in the order of their ids, and are nearly in that of their days: a day whose articles are not all in
    a row gets several files.
    """
    parts: list[Part] = []
    for number, (day, group) in enumerate(
        groupby(_counted(rows(tx, having), told), lambda row: row["first_seen"][:10])
    ):
        name = f"day={day}/articles-{number:06}.{form}"
        parts.append(_part(place, form, name, day, group))
    manifest = Manifest(form=form, kind="articles", next=seq, parts=tuple(parts))
    manifest.publish(place)
    return manifest


def write_warc(store: Store, tx: Tx, out: IO[bytes], having: Filter | None, told: Progress) -> int:
    """Write the archived exchange of each article's current version to one WARC file; returns how many."""
    kept = (snapshots.get(tx, one.snapshot_id) for one in _counted(articles(tx, having), told))
    return write_records(out, "copydesk.warc.gz", _bodies(tx, store.archive, kept))


def _bodies(tx: Tx, archive: Archive, kept: Iterable[Snapshot]) -> Iterator[tuple[Snapshot, bytes]]:
    return ((one, snapshots.body(tx, archive, one)) for one in kept)


def _part(place: Place, form: str, name: str, day: str, group: Iterable[Row]) -> Part:
    tally = Tally()
    with place.publish(name) as out:
        FORMS[form](tally.watch(group), out)
    return tally.part(name, day)


def _counted(items: Iterable[Any], told: Progress) -> Iterator[Any]:
    for item in items:
        yield item
        told(1)
