"""Processes fetched pages: loads one, reads it outside any transaction, files it in one, with others.

A page's try is counted before it begins, at once with those of the few that come after it: a page that kills its worker
is in quarantine after as many tries as one that raises an error, whatever else was in its batch.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from storage import pages, processing, quarantine
from storage.batch import Batch
from storage.database import Tx, chunks
from storage.durable import wanting_room
from storage.errors import BodyPruned, StoreBusy, StoreFull
from storage.logs import telling, working
from storage.records import Disposition, Extracted, Page, Rejection
from storage.settings import Settings
from storage.store import Store
from tasks import sandbox, sequence
from tasks.filing import batch_of, settle
from tasks.loading import Loaded, material_of
from tasks.normalize import best
from tasks.outcome import Outcome, OutcomeKind
from tasks.pipeline import Read, conclude, look
from tasks.window import Window, begun, unbegin

if TYPE_CHECKING:
    from tasks.extract.material import Material
    from tasks.extract.recipes import Recipe

_STAGE = "process"
_FAILED = "process_failed"
_LONGEST_DETAIL = 2_000
_KILLS = 5
"""So many times the usual tries are made of a page that kills nobody when it is read alone: the fault is elsewhere."""
TOGETHER = 16
"""So many pages are filed in one transaction."""
_LONGEST_WAIT_S = 1.0
"""For so long a page that was read waits for others to be filed with."""
_Write = Callable[[Batch], Outcome]
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
    """Process pages one after the other; no page takes its batch along. Raises StoreBusy.

    Some pages that were read are filed in one transaction: the disk is waited for once. A page that was tried before,
    or may be one of several of an article, is filed alone and in its turn.
    """
    ended: dict[int, Outcome] = {}
    read: list[_Ready] = []

    def file() -> None:
        some = read.copy()
        read.clear()
        for one, outcome in zip(some, _file_together(store, some, settings), strict=True):
            with working(page=one.page.id):
                _tell(outcome)
            ended[one.page.id] = outcome

    wanted = list(dict.fromkeys(page_ids))
    for some in chunks(wanted, TOGETHER):
        with begun(store, some) as window:
            for page_id in some:
                terms = _Terms(now=clock(), recipes=recipes, settings=settings, patient=patient, in_turn=file)
                with working(page=page_id):
                    one = _read(store, page_id, window, terms)
                    if isinstance(one, _Ready) and not one.alone:
                        read.append(one)
                    else:
                        file()
                        ended[page_id] = one if isinstance(one, Outcome) else _file(store, one, settings)
                        _tell(ended[page_id])
                        window.look_again()
                if read and monotonic() - read[0].since > _LONGEST_WAIT_S:
                    file()
        file()
    return [ended[page_id] for page_id in wanted]


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

    Raises StoreBusy while the store cannot be reached or has no room: the page then stays as it is, for the sweep to
    find.
    """
    terms = _Terms(now=now, recipes=recipes, settings=settings, patient=patient)
    with begun(store, [page_id]) as window:
        one = _read(store, page_id, window, terms)
    return one if isinstance(one, Outcome) else _file(store, one, settings)


def _read(store: Store, page_id: int, window: Window, terms: "_Terms") -> "Outcome | _Ready":
    """Read a page whose try is counted; what came of it if it is not to be filed."""
    now, settings = terms.now, terms.settings
    page, loaded = window.take(page_id)
    if page is None:
        return Outcome(page_id=page_id, kind=OutcomeKind.SKIPPED, reason="not_waiting")
    if page.attempts > settings.max_attempts * _KILLS:
        lost = _Failure(error="the worker died, or lost the store, in each of the tries")
        return store.write(lambda tx: _fail(tx, page, lost, now, max_attempts=0))
    if (_is_suspect(page) or page.attempts > settings.max_attempts) and (
        crash := sandbox.crash_of(store, page_id, settings)
    ) is not None:
        return store.write(lambda tx: _fail(tx, page, _Failure(error=crash), now, max_attempts=0))
    try:
        with wanting_room(f"page {page_id}"):  # libraries unpack their models into temporary files
            return _ending(store, page, loaded, terms)
    except StoreFull:
        unbegin(store, [page])
        raise
    except StoreBusy:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a stranger's page breaks, its batch goes on
        failure = _failure(page, error)
    return store.write(lambda tx: _fail(tx, page, failure, now, settings.max_attempts))


def _file(store: Store, one: "_Ready", settings: Settings) -> Outcome:
    try:
        return store.write(lambda tx: _write(tx, [one])[0])
    except StoreFull:
        unbegin(store, [one.page])
        raise
    except StoreBusy:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        failure = _failure(one.page, error)
    return store.write(lambda tx: _fail(tx, one.page, failure, one.now, settings.max_attempts))


def _file_together(store: Store, some: Sequence["_Ready"], settings: Settings) -> list[Outcome]:
    """File pages in one transaction; each in one of its own if one of them cannot be filed."""
    if len(some) > 1:
        try:
            return store.write(lambda tx: _write(tx, some))
        except StoreFull:
            unbegin(store, [one.page for one in some])
            raise
        except StoreBusy:
            raise
        except Exception as error:  # noqa: BLE001 - as above; by itself it will be told of
            more = telling("filed_one_by_one", pages=[one.page.id for one in some])
            _log.info("%s pages are filed one by one: %s", len(some), type(error).__name__, extra=more)
    return [_file(store, one, settings) for one in some]


def _write(tx: Tx, some: Sequence["_Ready"]) -> list[Outcome]:
    batch = batch_of(tx, {one.page.id: one.result for one in some})
    outcomes = [one.write(batch) for one in some]
    batch.flush()
    return outcomes


def _tell(ended: Outcome) -> None:
    more = telling("page_processed", outcome=str(ended.kind), reason=ended.reason, article=ended.article_id)
    _log.debug("%s %s", ended.kind, ended.reason or "", extra=more)


def _nobody() -> None:
    """Nothing was read before that waits to be filed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What one call says about how to process its pages."""

    now: datetime
    recipes: "Mapping[str, Recipe]"
    settings: Settings
    patient: bool
    in_turn: Callable[[], None] = _nobody
    """Files what was read before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A page that was read, and what to write of it."""

    page: Page
    now: datetime
    write: _Write
    result: Read | Rejection | None
    """What was read of it; None for a part of another page's article."""
    alone: bool
    """Whether it is to be filed at once, in a transaction of its own."""
    since: float = field(default_factory=monotonic)


def _ending(store: Store, page: Page, loaded: Loaded | None, terms: _Terms) -> _Ready:
    """Read a page outside any transaction; returns what to write of it in one."""
    material = material_of(store, page, terms.recipes, loaded)
    seen = look(material)
    is_sequel = page.part_of is not None or (
        not isinstance(seen, Rejection) and bool(seen.previous_page or seen.next_page)
    )
    if is_sequel:
        terms.in_turn()  # the page that it belongs to may be among those
    write, result = _closing(store, page, material, seen, terms)
    return _Ready(page=page, now=terms.now, write=write, result=result, alone=is_sequel or page.attempts > 1)


def _closing(
    store: Store, page: Page, material: "Material", seen: Extracted | Rejection, terms: _Terms
) -> tuple[_Write, Read | Rejection | None]:
    now, settings = terms.now, terms.settings
    if isinstance(seen, Rejection):
        return _settling(page, seen, terms), seen
    first = sequence.first_of(store, page, seen)
    if first is not None and best(seen.blocks) is not None:
        return lambda batch: sequence.settle_part(batch.tx, page, first, seen, now, settings.allow_addresses), None
    waits, allowed = terms.patient and sequence.waits(page, now), settings.allow_addresses

    def load(part: Page) -> "Material | None":
        try:
            return material_of(store, part, terms.recipes)
        except BodyPruned:
            return None

    gathered = sequence.gather(store, page, seen, load, waits=waits, allowed=allowed)
    wanted = gathered.wanted
    if waits and wanted is not None:
        return lambda batch: sequence.wait(batch.tx, page, wanted, now), None
    result = conclude(gathered.so_far, material)
    return _settling(page, result, terms, wanted), result


def _settling(page: Page, result: Read | Rejection, terms: _Terms, wanted: str | None = None) -> _Write:
    def write(batch: Batch) -> Outcome:
        outcome = settle(batch.tx, page.id, page.snapshot_id, result, terms.now, terms.settings, batch)
        if wanted is not None:
            batch.flush()
            sequence.catch_up(batch.tx, page, wanted)
        return outcome

    return write


def _failure(page: Page, error: Exception) -> _Failure:
    _log.warning("page %s (%s) failed", page.id, page.url, exc_info=error, extra=telling("page_failed"))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
    return _Failure(error=f"{type(error).__name__}: {str(error)[:_LONGEST_DETAIL]} ({where})")


def _fail(tx: Tx, page: Page, failure: _Failure, now: datetime, max_attempts: int) -> Outcome:
    held = processing.hold(tx, page.id)
    if held is None or held.snapshot_id != page.snapshot_id:
        return Outcome(page_id=page.id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    tries = 1 if _is_suspect(page) else page.attempts  # it survived alone: those that somebody killed were no failures
    if tries < max_attempts:
        pages.postpone(tx, page.id, now + back_off(tries), tries, reason=_FAILED)
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
