"""The tasks: each loads by ids, calls one function, and keeps what came of it in the database."""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from celery import shared_task

from storage import pages, pruning, snapshots
from storage.errors import StoreBusy
from storage.locks import store_lock
from tasks.app import CRAWL_SITES, FOLLOW, PACK, PROCESS_PAGES, PRUNE, WATCH, CopydeskApp
from tasks.follow import follow as serve_readers
from tasks.process import process_pages as process
from tasks.queue import Announcer, BrokerDown, CeleryQueue, announce
from tasks.watch import watch as make_round

_LONGEST_CRAWL_S = 600.0
"""Well below the tasks' time limit, so that a crawl ends by itself and not by the limit."""

_LONGEST_PRUNE_S = 300.0
"""Likewise, and other work of the queue has to come in between."""

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
    _log.info("packed: %s", moved)


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
    _log.info("pruned: %s", dict(+gone))


@shared_task(name=FOLLOW, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def follow(task: Any) -> None:
    """Bring the search index and the webhooks forward."""
    app: CopydeskApp = task.app
    indexed, delivered = serve_readers(app.store(), app.settings, _now())
    _log.info("followed: %s indexed, %s delivered", indexed, delivered)


@shared_task(name=WATCH, bind=True, throws=(StoreBusy,))  # type: ignore[untyped-decorator]
def watch(task: Any) -> None:
    """Count the past hours, and tell operators what is wrong."""
    app: CopydeskApp = task.app
    sent = make_round(app.store(), app.settings, _now())
    _log.info("watched: %s messages sent", sent)


def _announce(app: CopydeskApp, page_ids: list[int]) -> None:
    """Send, then mark: a crash in between sends twice, which does nothing; the other order would lose a message."""
    try:
        announce(CeleryQueue(app), page_ids)
        app.store().write(lambda tx: pages.announced(tx, page_ids, _now()))
    except (BrokerDown, StoreBusy) as error:
        _log.warning("%s pages stay unannounced until the next sweep: %s", len(page_ids), error)


def _now() -> datetime:
    return datetime.now(UTC)
