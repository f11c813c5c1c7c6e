"""Reads articles anew from the archive, tells what would change field by field, and files it as versions."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from storage import articles, pages, reading, rereading
from storage.codec import to_plain
from storage.database import Tx, stand_in_line
from storage.errors import BodyPruned, SettingsError, StoreBusy
from storage.records import ChangeClass, Clean, DecisionKind, Filing, Record, Rejection
from storage.rereading import Place
from storage.store import Store
from tasks.filing import filing_again
from tasks.pipeline import Read
from tasks.rereading import reread

if TYPE_CHECKING:
    from tasks.extract.recipes import Recipe

REASON = "reprocessed"
_BATCH = 100
_EXAMPLES = 3
_AROUND = 40
"""Characters shown before the place where two texts part."""
_SHOWN = 160
_NO_CONTENT = frozenset({"url", "fetched_at", "provenance"})
"""What may differ without a version: identity is not decided anew, and confidence is no news to a reader."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange(Record):
    """One field of an article, before and after."""

    name: str
    old: object
    new: object


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
) -> Report:
    """Read the chosen articles anew; file what differs as versions of the class `reprocessed`, each in one transaction.

    A second run changes nothing. An article whose bytes are lost or damaged is named in the report, one whose bytes
    were pruned stays as it is (`body_pruned`), and the run goes on. Raises StoreBusy and SettingsError.
    """
    report, last = Report(), 0
    while True:
        with store.reading() as tx:
            batch = rereading.places(tx, after=last, limit=_BATCH, since=since, source_name=source_name)
        if not batch:
            return report
        for place in batch:
            _one(store, place, recipes, report, None if dry_run else clock())
            progress(1)
        last = batch[-1].article_id


def differences(old: Clean, new: Clean) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the record."""
    names = (name for name in Clean.__slots__ if name not in _NO_CONTENT)
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in names)
    return tuple(FieldChange(name=name, old=one, new=other) for name, one, other in pairs if one != other)


def contrast(old: object, new: object) -> tuple[str, str]:
    """Two values as short texts, from a little before the place where they part."""
    one, other = _text(old), _text(new)
    if max(len(one), len(other)) <= _SHOWN:
        return one, other
    parting = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    start = max(0, (min(len(one), len(other)) if parting is None else parting) - _AROUND)
    return _excerpt(one, start), _excerpt(other, start)


def _one(store: Store, place: Place, recipes: "Mapping[str, Recipe]", report: Report, now: datetime | None) -> None:
    report.read += 1
    try:
        result = reread(store, place, recipes)
        if isinstance(result, Rejection):
            report.kept[result.reason] += 1
            return
        if now is None:
            with store.reading() as tx:
                ended = _look(tx, place, result)
        else:
            ended = store.write(lambda tx: _write(tx, place, result, now))
    except (StoreBusy, SettingsError):
        raise
    except BodyPruned:
        report.kept["body_pruned"] += 1
        return
    except Exception as error:  # noqa: BLE001 - the boundary: one damaged record or odd page must not end the run
        _log.warning("article %s (%s) could not be read anew", place.article_id, place.url, exc_info=error)
        report.failed.append(
            Failed(article_id=place.article_id, url=place.url, error=f"{type(error).__name__}: {error}")
        )
        return
    _count(report, place, ended)


def _count(report: Report, place: Place, ended: "str | tuple[FieldChange, ...]") -> None:
    if isinstance(ended, str):
        report.kept[ended] += 1
    elif ended:
        report.add(place, ended)
    else:
        report.unchanged += 1


def _write(tx: Tx, place: Place, result: Read, now: datetime) -> "str | tuple[FieldChange, ...]":
    stand_in_line(tx)
    filing = _filing(tx, place, result)
    if isinstance(filing, str):
        return filing
    changes = _changes(tx, place, result)
    if changes:
        articles.file(tx, filing, now)
    return changes


def _look(tx: Tx, place: Place, result: Read) -> "str | tuple[FieldChange, ...]":
    filing = _filing(tx, place, result)
    return filing if isinstance(filing, str) else _changes(tx, place, result)


def _changes(tx: Tx, place: Place, result: Read) -> tuple[FieldChange, ...]:
    return differences(reading.get(tx, place.article_id).content, result.clean)


def _filing(tx: Tx, place: Place, result: Read) -> Filing | str:
    """The version to file, or the reason to keep the article as it is."""
    known = articles.known(tx, place.article_id)
    if known is None or known.version != place.version:
        return "changed_meanwhile"
    page = replace(pages.get(tx, place.page_id), snapshot_id=place.snapshot_id)
    filing = filing_again(tx, page, known, result)
    if filing.decision.reason == "kept_better_text":
        return filing.decision.reason
    version = {"kind": DecisionKind.VERSION, "reason": REASON, "change_class": ChangeClass.REPROCESSED}
    decision = replace(filing.decision, article_id=place.article_id, **version)  # type: ignore[arg-type]
    return replace(filing, decision=decision, clean=replace(filing.clean, url=place.url))


def _text(value: object) -> str:
    plain = to_plain(value)
    if isinstance(plain, list):
        return " | ".join(f"[{one['kind']}] {one['text']}" if isinstance(one, dict) else str(one) for one in plain)
    return "" if plain is None else str(plain)


def _excerpt(text: str, start: int) -> str:
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
