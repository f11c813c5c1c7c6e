"""The tasks: each loads by ids, calls one function, and keeps what came of it in the database."""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from celery import shared_task

from storage import pages, pruning, snapshots
from storage.database import chunks
from storage.errors import ArchiveError, StoreBusy
from storage.locks import store_lock
from storage.logs import telling
from tasks.app import CRAWL_SITES, FOLLOW, PACK, PROCESS_PAGES, PRUNE, WATCH, CopydeskApp
from tasks.follow import follow as serve_readers
from tasks.held import held
from tasks.process import process_pages as process
from tasks.queue import BrokerDown, CeleryQueue, announce
from tasks.watch import watch as make_round

_LONGEST_CRAWL_S = 600.0
"""Well below the tasks' time limit, so that a crawl ends by itself and not by the limit."""
_STAY_S = 300.0
"""For so long a crawl claims sites; the last of them have time to the end of their turns."""

_LONGEST_PRUNE_S = 300.0
"""Likewise, and other work of the queue has to come in between."""

_log = logging.getLogger(__name__)


@shared_task(name=CRAWL_SITES, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def crawl_sites(task: Any) -> None:
    """Claim some sites that have work and do it, announcing each page that is fetched."""
    from crawler.crawl import crawl  # noqa: PLC0415 - only the crawl workers need it

    app: CopydeskApp = task.app
    report = crawl(
        app.settings,
        app.store(),
        on_event=lambda event: _announce_all(app, event.get("fetched", [])),
        stop=app.stopping,
        longest_s=_LONGEST_CRAWL_S,
        stay_s=_STAY_S,
    )
    more = telling("crawled", crawl=report.owner, sites=len(report.sites), counts=dict(report.counts))
    _log.info("%s", ", ".join(report.sites) or "nothing to do", extra=more)


@shared_task(name=PROCESS_PAGES, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def process_pages(task: Any, page_ids: list[int]) -> None:
    """Process fetched pages; those that are done already are skipped."""
    app: CopydeskApp = task.app
    with held(app.store(), page_ids):
        outcomes = process(app.store(), page_ids, clock=_now, recipes=app.recipes, settings=app.settings)
    kinds = Counter(str(outcome.kind) for outcome in outcomes)
    _log.info("%s pages", len(page_ids), extra=telling("processed", pages=page_ids, outcomes=dict(kinds)))


@shared_task(name=PACK, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def pack(task: Any) -> None:
    """Move hot bodies into the archive, unless another worker is at it."""
    app: CopydeskApp = task.app
    limits = {"most_bytes": app.settings.pack_bytes, "after": timedelta(seconds=app.settings.pack_after_s)}
    with store_lock(app.store(), "pack") as mine:
        try:
            moved = snapshots.pack(app.store(), _now(), **limits) if mine else 0  # type: ignore[arg-type]
        except ArchiveError as error:  # the bodies stay in the database, and are packed when this is mended
            _log.error("nothing packed: %s", error, extra=telling("pack_failed"))
            return
    _log.info("%s bodies into the archive", moved, extra=telling("packed", bodies=moved))


@shared_task(name=PRUNE, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def prune(task: Any) -> None:
    """Let go what is old, for a while; the next one goes on where this one stopped."""
    app: CopydeskApp = task.app
    gone, until = Counter[str](), monotonic() + _LONGEST_PRUNE_S
    with store_lock(app.store(), "prune") as mine:
        if mine:
            pruning.prune(
                app.store(),
                app.settings,
                _now(),
                stop=lambda: app.stopping.is_set() or monotonic() > until,
                told=lambda what, count: gone.update({what: count}),
            )
    _log.info("%s let go", sum(gone.values()), extra=telling("pruned", gone=dict(+gone)))


@shared_task(name=FOLLOW, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def follow(task: Any) -> None:
    """Bring the search index and the webhooks forward."""
    app: CopydeskApp = task.app
    indexed, delivered = serve_readers(app.store(), app.settings, _now())
    more = telling("followed", indexed=indexed, delivered=delivered)
    _log.info("followed: %s indexed, %s delivered", indexed, delivered, extra=more)


@shared_task(name=WATCH, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def watch(task: Any) -> None:
    """Count the past hours, and tell operators what is wrong."""
    app: CopydeskApp = task.app
    sent = make_round(app.store(), app.settings, _now())
    _log.info("watched: %s messages sent", sent, extra=telling("watched", sent=sent))


def _announce_all(app: CopydeskApp, page_ids: list[int]) -> None:
    """Tell of what a crawl has just committed, at once: the crawl gathered it, and may have nothing more to tell."""
    for batch in chunks(page_ids, app.settings.batch):
        _announce(app, batch)


def _announce(app: CopydeskApp, page_ids: list[int]) -> None:
    """Send, then mark: a crash in between sends twice, which does nothing; the other order would lose a message."""
    try:
        announce(CeleryQueue(app), page_ids)
        app.store().write(lambda tx: pages.announced(tx, page_ids, _now()))
    except (BrokerDown, StoreBusy) as error:
        more = telling("unannounced", pages=page_ids)
        _log.warning("%s pages stay unannounced until the next sweep: %s", len(page_ids), error, extra=more)


def _now() -> datetime:
    return datetime.now(UTC)
