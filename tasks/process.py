"""Processes fetched pages: loads one, reads it outside any transaction, files it in one.

A page's try is counted before it begins: a page that kills its worker is in quarantine after as many tries as one
that raises an error, whatever else was in its batch.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from storage import pages, quarantine, snapshots, sources
from storage.database import Tx
from storage.errors import BodyPruned, StoreBusy
from storage.records import Disposition, Page, Rejection
from storage.settings import Settings
from storage.store import Store
from tasks import sandbox, sequence
from tasks.filing import settle
from tasks.hints import merged
from tasks.normalize import best
from tasks.outcome import Outcome, OutcomeKind
from tasks.pipeline import Read, conclude, look

if TYPE_CHECKING:
    from tasks.extract.material import Material
    from tasks.extract.recipes import Recipe

_STAGE = "process"
_FAILED = "process_failed"
_LONGEST_DETAIL = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """What a stage raised, as text that fits a row."""

    error: str


def process_pages(
    store: Store,
    page_ids: Iterable[int],
    *,
    clock: Callable[[], datetime],
    recipes: "Mapping[str, Recipe]",
    settings: Settings,
    patient: bool = True,
) -> list[Outcome]:
    """Process pages one after the other; no page takes its batch along. Raises StoreBusy."""
    same = {"recipes": recipes, "settings": settings, "patient": patient}
    return [process_page(store, one, now=clock(), **same) for one in page_ids]  # type: ignore[arg-type]


def process_page(
    store: Store,
    page_id: int,
    *,
    now: datetime,
    recipes: "Mapping[str, Recipe]",
    settings: Settings,
    patient: bool = True,
) -> Outcome:
    """Make of a fetched page what it is: an article, a version, a duplicate, a part, a rejection.

    The first page of an article of several pages waits until the others were fetched; where `patient` is False, it is
    filed with what is there. A page whose last try never ended is read in a process of its own first; if it kills that
    too, it is in quarantine. A page that is not waiting to be processed is skipped, so a message that comes twice does
    nothing. A failed page waits longer after each try, and goes to quarantine after `max_attempts` of them.

    Raises StoreBusy while the store cannot be reached: the page then stays as it is, for the sweep to find.
    """
    page = store.write(lambda tx: pages.begin(tx, page_id))
    if page is None:
        return Outcome(page_id=page_id, kind=OutcomeKind.SKIPPED, reason="not_waiting")
    if page.attempts > settings.max_attempts:
        lost = _Failure(error="the worker died, or lost the store, in each of the tries")
        return store.write(lambda tx: _fail(tx, page, lost, now, settings.max_attempts))
    if _is_suspect(page) and (crash := sandbox.crash_of(store, page_id, settings)) is not None:
        return store.write(lambda tx: _fail(tx, page, _Failure(error=crash), now, max_attempts=0))
    try:
        ending = _ending(store, page, _Terms(now=now, recipes=recipes, settings=settings, patient=patient))
        return store.write(ending)
    except StoreBusy:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a stranger's page breaks, its batch goes on
        failure = _failure(page, error)
    return store.write(lambda tx: _fail(tx, page, failure, now, settings.max_attempts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What one call says about how to process its pages."""

    now: datetime
    recipes: "Mapping[str, Recipe]"
    settings: Settings
    patient: bool


def _ending(store: Store, page: Page, terms: _Terms) -> Callable[[Tx], Outcome]:
    """Read a page outside any transaction; returns what to write of it in one."""
    now, settings = terms.now, terms.settings
    material = material_of(store, page, terms.recipes)
    seen = look(material)
    if isinstance(seen, Rejection):
        return _settling(page, seen, terms)
    with store.reading() as tx:
        first = sequence.first_of(tx, page, seen)
    if first is not None and best(seen.blocks) is not None:
        return lambda tx: sequence.settle_part(tx, page, first, seen, now, settings.allow_addresses)
    waits, allowed = terms.patient and sequence.waits(page, now), settings.allow_addresses

    def load(part: Page) -> "Material | None":
        try:
            return material_of(store, part, terms.recipes)
        except BodyPruned:
            return None

    gathered = sequence.gather(store, page, seen, load, waits=waits, allowed=allowed)
    wanted = gathered.wanted
    if waits and wanted is not None:
        return lambda tx: sequence.wait(tx, page, wanted, now)
    return _settling(page, conclude(gathered.so_far, material), terms, wanted)


def _settling(
    page: Page, result: Read | Rejection, terms: _Terms, wanted: str | None = None
) -> Callable[[Tx], Outcome]:
    def write(tx: Tx) -> Outcome:
        outcome = settle(tx, page.id, page.snapshot_id, result, terms.now, terms.settings)
        if wanted is not None:
            sequence.catch_up(tx, page, wanted)
        return outcome

    return write


def material_of(store: Store, page: Page, recipes: "Mapping[str, Recipe]") -> "Material":
    """What extraction may look at of a page as it was last fetched.

    Raises ArchiveDamaged, BodyPruned and SettingsError.
    """
    from tasks.extract.material import Material  # noqa: PLC0415 - as above
    from tasks.extract.recipes import recipe_for  # noqa: PLC0415

    if page.snapshot_id is None:
        raise ValueError(f"page {page.id} waits to be processed but was never stored")
    with store.reading() as tx:
        snapshot = snapshots.get(tx, page.snapshot_id)
        body = snapshots.body(tx, store.archive, snapshot)
        hints = merged(pages.sightings(tx, page.id))
        config = sources.by_id(tx, page.source_id).config
    recipe = recipe_for(recipes, name=config.recipe, site=page.site)
    return Material(
        url=snapshot.url,
        status=snapshot.status,
        headers=snapshot.headers,
        body=body,
        fetched_at=snapshot.fetched_at,
        hints=hints,
        language=config.language,
        timezone=config.timezone,
        publisher=config.publisher,
        recipe=recipe.at(snapshot.fetched_at) if recipe else None,
    )


def _failure(page: Page, error: Exception) -> _Failure:
    _log.warning("page %s (%s) failed", page.id, page.url, exc_info=error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
    return _Failure(error=f"{type(error).__name__}: {str(error)[:_LONGEST_DETAIL]} ({where})")


def _fail(tx: Tx, page: Page, failure: _Failure, now: datetime, max_attempts: int) -> Outcome:
    held = pages.hold(tx, page.id)
    if held is None or held.snapshot_id != page.snapshot_id:
        return Outcome(page_id=page.id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    if page.attempts < max_attempts:
        pages.postpone(tx, page.id, now + back_off(page.attempts), page.attempts, reason=_FAILED)
        return Outcome(page_id=page.id, kind=OutcomeKind.POSTPONED, reason=failure.error)
    quarantine.put(tx, page.id, stage=_STAGE, error=failure.error, attempts=page.attempts, now=now)
    disposition = Disposition.QUARANTINED
    return Outcome(page_id=page.id, kind=OutcomeKind.QUARANTINED, reason=failure.error, disposition=disposition)


def _is_suspect(page: Page) -> bool:
    """Whether the try before this one began and never ended, not even by an error."""
    return page.attempts > 1 and page.reason != _FAILED


def back_off(attempts: int) -> timedelta:
    """How long a page rests after that many failed tries: a minute, then four times as long each, a day at most."""
    return min(timedelta(minutes=4 ** (attempts - 1)), timedelta(days=1))
