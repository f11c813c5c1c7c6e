"""Reads articles anew from the archive, tells what would change field by field, and files it as versions."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from storage import articles, rereading
from storage.codec import to_plain
from storage.database import Tx, stand_in_line
from storage.errors import SettingsError, StoreBusy
from storage.records import Record
from storage.rereading import Place
from storage.store import Store
from tasks.examine import FieldChange, Seen, against, examine, failure
from tasks.pipeline import Read

if TYPE_CHECKING:
    from tasks.extract.recipes import Recipe

Examine = Callable[[Iterable[Place]], Iterator[tuple[Place, Seen]]]
"""Looks at articles one after the other, in this process or in others (`tasks.readers`)."""

_BATCH = 100
_EXAMPLES = 3
_AROUND = 40
"""Characters shown before the place where two texts part."""
_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Record):
    """One change as a person is shown it: long texts from where they part."""

    article_id: int
    url: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Record):
    """An article that could not be read anew."""

    article_id: int
    url: str
    error: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run found, and wrote unless it was a dry one."""

    read: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    """Articles that stay as they are by the reason: the new reading is worse, or there is none."""
    fields: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)

    def add(self, place: Place, changes: tuple[FieldChange, ...]) -> None:
        """Count one article's changes."""
        self.changed += 1
        for change in changes:
            self.fields[change.name] += 1
            shown = self.examples.setdefault(change.name, [])
            if len(shown) < _EXAMPLES:
                old, new = contrast(change.old, change.new)
                shown.append(Example(article_id=place.article_id, url=place.url, old=old, new=new))


def reprocess(
    store: Store,
    *,
    recipes: "Mapping[str, Recipe]",
    clock: Callable[[], datetime],
    since: datetime | None = None,
    source_name: str | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
    examined: Examine | None = None,
) -> Report:
    """Read the chosen articles anew; file what differs as versions of the class `reprocessed`, each in one transaction.

    A second run changes nothing. An article whose bytes are lost or damaged is named in the report, one whose bytes
    were pruned stays as it is (`body_pruned`), and the run goes on. `examined` does the reading elsewhere; the writing
    is done here, in the order of the articles. Raises StoreBusy and SettingsError.
    """

    def here(places: Iterable[Place]) -> Iterator[tuple[Place, Seen]]:
        return ((place, examine(store, place, recipes)) for place in places)

    report = Report()
    for place, seen in (examined or here)(_places(store, since, source_name)):
        report.read += 1
        _count(report, place, seen if dry_run or seen.result is None else _file(store, place, seen.result, clock()))
        progress(1)
    return report


def contrast(old: object, new: object) -> tuple[str, str]:
    """Two values as short texts, from a little before the place where they part."""
    one, other = _text(old), _text(new)
    if max(len(one), len(other)) <= _SHOWN:
        return one, other
    parting = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    start = max(0, (min(len(one), len(other)) if parting is None else parting) - _AROUND)
    return _excerpt(one, start), _excerpt(other, start)


def _places(store: Store, since: datetime | None, source_name: str | None) -> Iterator[Place]:
    last = 0
    while True:
        with store.reading() as tx:
            batch = rereading.places(tx, after=last, limit=_BATCH, since=since, source_name=source_name)
        if not batch:
            return
        yield from batch
        last = batch[-1].article_id


def _file(store: Store, place: Place, result: Read, now: datetime) -> Seen:
    """Write what differs by now: others may have written since it was read."""
    try:
        return store.write(lambda tx: _write(tx, place, result, now))
    except (StoreBusy, SettingsError):
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: one odd page must not end the run
        return failure(place, error)


def _write(tx: Tx, place: Place, result: Read, now: datetime) -> Seen:
    stand_in_line(tx)
    found = against(tx, place, result)
    if isinstance(found, str):
        return Seen(kept=found)
    filing, changes = found
    if changes:
        articles.file(tx, filing, now)
    return Seen(changes=changes)


def _count(report: Report, place: Place, seen: Seen) -> None:
    if seen.error is not None:
        report.failed.append(Failed(article_id=place.article_id, url=place.url, error=seen.error))
    elif seen.kept is not None:
        report.kept[seen.kept] += 1
    elif seen.changes:
        report.add(place, seen.changes)
    else:
        report.unchanged += 1


def _text(value: object) -> str:
    plain = to_plain(value)
    if isinstance(plain, list):
        return " | ".join(f"[{one['kind']}] {one['text']}" if isinstance(one, dict) else str(one) for one in plain)
    return "" if plain is None else str(plain)


def _excerpt(text: str, start: int) -> str:
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
