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
from storage.errors import SettingsError, StoreBusy
from storage.records import Disposition, Page, Rejection, SourceConfig
from storage.settings import Settings
from storage.store import Store
from tasks.filing import settle
from tasks.hints import merged
from tasks.outcome import Outcome, OutcomeKind
from tasks.pipeline import Read, read

if TYPE_CHECKING:
    from tasks.extract.material import Material
    from tasks.extract.recipes import Recipe

_STAGE = "process"
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
) -> list[Outcome]:
    """Process pages one after the other; no page takes its batch along. Raises StoreBusy."""
    return [process_page(store, one, now=clock(), recipes=recipes, settings=settings) for one in page_ids]


def process_page(
    store: Store, page_id: int, *, now: datetime, recipes: "Mapping[str, Recipe]", settings: Settings
) -> Outcome:
    """Make of a fetched page what it is: an article, a version, a duplicate, a rejection.

    A page that is not waiting to be processed is skipped, so a message that comes twice does nothing. A failed page
    waits longer after each try, and goes to quarantine after `max_attempts` of them. Raises StoreBusy while the store
    cannot be reached: the page then stays as it is, for the sweep to find.
    """
    page = store.write(lambda tx: pages.begin(tx, page_id))
    if page is None:
        return Outcome(page_id=page_id, kind=OutcomeKind.SKIPPED, reason="not_waiting")
    if page.attempts > settings.max_attempts:
        lost = _Failure(error="the worker died, or lost the store, in each of the tries")
        return store.write(lambda tx: _fail(tx, page, lost, now, settings.max_attempts))
    result = _read(store, page, recipes)
    ended = result if isinstance(result, _Failure) else _settled(store, page, result, now, settings)
    if isinstance(ended, Outcome):
        return ended
    return store.write(lambda tx: _fail(tx, page, ended, now, settings.max_attempts))


def _read(store: Store, page: Page, recipes: "Mapping[str, Recipe]") -> Read | Rejection | _Failure:
    try:
        return read(_material(store, page, recipes))
    except StoreBusy:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a stranger's page breaks, its batch goes on
        return _failure(page, error)


def _settled(
    store: Store, page: Page, result: Read | Rejection, now: datetime, settings: Settings
) -> Outcome | _Failure:
    try:
        return store.write(lambda tx: settle(tx, page.id, page.snapshot_id, result, now, settings))
    except StoreBusy:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary, as above; the transaction left nothing behind
        return _failure(page, error)


def _material(store: Store, page: Page, recipes: "Mapping[str, Recipe]") -> "Material":
    from tasks.extract.material import Material  # noqa: PLC0415 - as above

    if page.snapshot_id is None:
        raise ValueError(f"page {page.id} waits to be processed but was never stored")
    with store.reading() as tx:
        snapshot = snapshots.get(tx, page.snapshot_id)
        body = snapshots.body(tx, store.archive, snapshot)
        hints = merged(pages.sightings(tx, page.id))
        config = sources.by_id(tx, page.source_id).config
    # A page that continues on a second one (rel=next) is filed as far as it goes: this is the place to add the rest.
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
        recipe=_recipe(recipes, config, page.site),
    )


def _recipe(recipes: "Mapping[str, Recipe]", config: SourceConfig, site: str) -> "Recipe | None":
    if config.recipe is None:
        return next((recipe for recipe in recipes.values() if recipe.site == site), None)
    if config.recipe not in recipes:
        raise SettingsError(f"source {config.name!r} names the recipe {config.recipe!r}, which no recipes file holds")
    return recipes[config.recipe]


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
        pages.postpone(tx, page.id, now + back_off(page.attempts), page.attempts, reason="process_failed")
        return Outcome(page_id=page.id, kind=OutcomeKind.POSTPONED, reason=failure.error)
    quarantine.put(tx, page.id, stage=_STAGE, error=failure.error, attempts=page.attempts, now=now)
    disposition = Disposition.QUARANTINED
    return Outcome(page_id=page.id, kind=OutcomeKind.QUARANTINED, reason=failure.error, disposition=disposition)


def back_off(attempts: int) -> timedelta:
    """How long a page rests after that many failed tries: a minute, then four times as long each, a day at most."""
    return min(timedelta(minutes=4 ** (attempts - 1)), timedelta(days=1))
