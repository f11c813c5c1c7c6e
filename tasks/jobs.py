"""The tasks: each loads by ids, calls one function, and keeps what came of it in the database."""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task

from storage import pages, similar, snapshots
from storage.errors import StoreBusy
from storage.locks import store_lock
from tasks.app import CRAWL_SITES, PACK, PROCESS_PAGES, CopydeskApp
from tasks.process import process_pages as process
from tasks.queue import Announcer, BrokerDown, CeleryQueue, announce

_LONGEST_CRAWL_S = 600.0
"""Well below the tasks' time limit, so that a crawl ends by itself and not by the limit."""

_STEPS = 100
"""Of forgetting, each of a fraction of a second, so that other writers come in between."""

_log = logging.getLogger(__name__)


@shared_task(name=CRAWL_SITES, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def crawl_sites(task: Any) -> None:
    """Claim some sites that have work and do it, announcing each page that is fetched."""
    from crawler.crawl import crawl  # noqa: PLC0415 - only the crawl workers need it

    app: CopydeskApp = task.app
    announcer = Announcer(lambda ids: _announce(app, ids), size=app.settings.batch)
    report = crawl(
        app.settings,
        app.store(),
        on_event=lambda event: announcer.add(event.get("fetched", ())),
        stop=app.stopping,
        longest_s=_LONGEST_CRAWL_S,
    )
    announcer.flush()
    counts = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()) if what != "sites")
    _log.info("crawled %s: %s", ", ".join(report.sites) or "nothing", counts or "nothing to do")


@shared_task(name=PROCESS_PAGES, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def process_pages(task: Any, page_ids: list[int]) -> None:
    """Process fetched pages; those that are done already are skipped."""
    app: CopydeskApp = task.app
    outcomes = process(app.store(), page_ids, clock=_now, recipes=app.recipes, settings=app.settings)
    _log.info("processed: %s", dict(Counter(str(outcome.kind) for outcome in outcomes)))


@shared_task(name=PACK, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def pack(task: Any) -> None:
    """Move hot bodies into the archive, unless another worker is at it."""
    app: CopydeskApp = task.app
    limits = {"most_bytes": app.settings.pack_bytes, "after": timedelta(seconds=app.settings.pack_after_s)}
    with store_lock(app.store(), "pack") as mine:
        moved = snapshots.pack(app.store(), _now(), **limits) if mine else 0  # type: ignore[arg-type]
        if mine:
            _forget(app)
    _log.info("packed: %s", moved)


def _forget(app: CopydeskApp) -> None:
    """Some steps of forgetting by what old articles were found; a new round begins each day."""
    days = app.settings.candidate_days
    for _ in range(_STEPS):
        if not app.store().write(lambda tx: similar.forget_next(tx, _now(), days=days)):
            return


def _announce(app: CopydeskApp, page_ids: list[int]) -> None:
    """Send, then mark: a crash in between sends twice, which does nothing; the other order would lose a message."""
    try:
        announce(CeleryQueue(app), page_ids)
        app.store().write(lambda tx: pages.announced(tx, page_ids, _now()))
    except (BrokerDown, StoreBusy) as error:
        _log.warning("%s pages stay unannounced until the next sweep: %s", len(page_ids), error)


def _now() -> datetime:
    return datetime.now(UTC)
