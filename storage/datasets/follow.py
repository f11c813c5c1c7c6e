"""A dataset of changes that grows with the change feed: each change stands in it exactly once.

The manifest is the one truth of how far a dataset is: files are written first, then the manifest that names them, and
the place in the feed goes with it. A crash in between leaves files that no manifest names, which the next turn writes
again under the same names. What is withdrawn is taken out of the older files too.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import IO, Any

from storage import changes, reading
from storage.codec import to_plain
from storage.database import Tx
from storage.datasets.forms import COLUMNS, FORMS, LEADING, Row
from storage.datasets.manifest import Manifest, Part, Tally, load
from storage.datasets.place import Place
from storage.errors import InputError, UsageError
from storage.filters import Filter
from storage.records import Change, ChangeKind
from storage.store import Store

_BATCH = 1_000


def advance(store: Store, place: Place, form: str, having: Filter | None = None) -> int:
    """Take some more changes into the dataset; returns how many, 0 at the feed's end.

    Raises UsageError where the folder holds another kind of dataset, InputError where its manifest is damaged.
    """
    manifest = _manifest(place, form)
    with store.reading() as tx:
        found = changes.read(tx, manifest.next, _BATCH)
        rows = list(_rows(tx, found, having))
    if not found:
        return 0
    gone = {one.article_id for one in found if one.kind is ChangeKind.WITHDRAWN}
    kept, replaced = _without(place, manifest, gone) if gone else (manifest.parts, [])
    fresh = [_write(place, form, day, list(group)) for day, group in groupby(rows, lambda row: str(row["at"])[:10])]
    replace(manifest, next=found[-1].seq, parts=(*kept, *fresh)).publish(place)
    for old in replaced:
        place.delete(old)
    return len(found)


def _manifest(place: Place, form: str) -> Manifest:
    found = load(place) or Manifest(form=form, kind="changes", next=0)
    if (found.form, found.kind) != (form, "changes"):
        raise UsageError(f"{place.url} holds a dataset of {found.kind} as {found.form}; give another folder")
    return found


def _rows(tx: Tx, found: Sequence[Change], having: Filter | None) -> Iterator[Row]:
    pairs = sorted({(one.article_id, one.version) for one in found})
    known = {(one.id, one.version): one for one in reading.at_versions(tx, pairs, having)}
    for one in found:
        if having and (one.article_id, one.version) not in known and one.kind is not ChangeKind.WITHDRAWN:
            continue
        # a withdrawn article keeps its place and nothing else, whatever an earlier row of the same turn said
        record = known.get((one.article_id, one.version))
        withdrawn = record is None or record.withdrawn_at is not None
        told = reading.to_json(record) if record else {"id": one.article_id}
        if withdrawn:
            told = {name: told.get(name) for name in ("id", "url", "source", "cluster_id", "version", "withdrawn_at")}
        yield {"seq": one.seq, "kind": one.kind.value, "at": to_plain(one.at)} | {n: told.get(n) for n in COLUMNS}


def _write(place: Place, form: str, day: str, rows: list[Row]) -> Part:
    tally = Tally()
    name = f"day={day}/changes-{rows[0]['seq']:012}-{rows[-1]['seq']:012}.{form}"
    with place.publish(name) as out:
        FORMS[form](tally.watch(rows), out)
    return tally.part(name, day)


def _without(place: Place, manifest: Manifest, gone: set[int]) -> tuple[tuple[Part, ...], list[str]]:
    """The parts with the text of those articles taken out, and the files that this replaces."""
    parts, replaced = [], []
    for part in manifest.parts:
        if not any(part.first_id <= one <= part.last_id for one in gone):
            parts.append(part)
            continue
        rows = _read(place, manifest.form, part.file)
        if not any(row["id"] in gone and row.get("text") is not None for row in rows):
            parts.append(part)
            continue
        tally = Tally()
        name = _next_name(part.file)
        with place.publish(name) as out:
            FORMS[manifest.form](tally.watch(_blanked(row, gone) for row in rows), out)
        parts.append(tally.part(name, part.day))
        replaced.append(part.file)
    return tuple(parts), replaced


def _blanked(row: Row, gone: set[int]) -> Row:
    if row["id"] not in gone:
        return row
    kept = (*LEADING, "id", "url", "source", "cluster_id", "version")
    return {name: row.get(name) if name in kept else None for name in row}


def _next_name(file: str) -> str:
    """`x.parquet` -> `x.r1.parquet` -> `x.r2.parquet`."""
    stem, _, form = file.rpartition(".")
    base, mark, number = stem.rpartition(".r")
    return f"{base}.r{int(number) + 1}.{form}" if mark and number.isdecimal() else f"{stem}.r1.{form}"


def _read(place: Place, form: str, file: str) -> list[dict[str, Any]]:
    try:
        with place.open(file) as opened:
            return _READERS[form](opened)
    except FileNotFoundError as error:
        raise InputError(f"{place.path(file)}: the manifest names it, but it is not there") from error


def _read_jsonl(file: IO[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file]


def _read_parquet(file: IO[bytes]) -> list[dict[str, Any]]:
    from pyarrow import parquet as pq  # noqa: PLC0415 - as in forms

    rows: Iterable[dict[str, Any]] = pq.read_table(file).to_pylist()
    return [{name: _plain(name, value) for name, value in row.items()} for row in rows]


def _plain(name: str, value: Any) -> Any:
    if name in ("blocks", "provenance", "archive") and value is not None:
        return json.loads(value)
    return to_plain(value)


_READERS = {"jsonl": _read_jsonl, "parquet": _read_parquet}
FOLLOWED = tuple(_READERS)
"""The forms that a growing dataset may have."""
