"""The crawl process: visits the sites that its owner has claimed, and tells what happened in lines of JSON.

    python -m crawler.run --owner OWNER [--stay SECONDS]

On standard output: `{"fetched": [page ids]}` after each commit, `{"polled": {…}}` after each poll, and last
`{"done": {…}}` with the counts. Logs go to standard error. SIGTERM ends it gracefully: what was fetched is committed,
the sites are given back, and it exits with 0.
"""

import argparse
import ctypes
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.claims import claim_more
from crawler.ledger import Ledger, Tell
from storage import logs, sites
from storage.database import Tx
from storage.errors import StoreError
from storage.records import Site
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

Errand = Callable[[Any], Awaitable[None]]
"""Something to be done with a `crawler.visit.Visit`."""

_told = threading.Event()
"""SIGTERM came before Scrapy listened for it."""
_CACHE_MB = 8
"""A crawl writes one page after the other and asks for few rows: a larger cache only fills up with bodies."""
_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent dies."""


def main(argv: Sequence[str] | None = None, extra: Mapping[str, Any] | None = None) -> int:
    """Run the crawl process; returns its exit code. `extra` are Scrapy settings of a program that embeds it."""
    parser = argparse.ArgumentParser(prog="python -m crawler.run", description="Crawl the sites that OWNER holds.")
    parser.add_argument("--owner", required=True, help="the owner of the leases")
    parser.add_argument("--stay", type=float, default=0.0, help="seconds for which more sites are claimed")
    words = parser.parse_args(argv)
    die_with_parent()
    signal.signal(signal.SIGTERM, _end)  # until Scrapy listens for it
    settings = load_settings()
    store = open_store(settings, create=False, cache_mb=_CACHE_MB)
    try:
        later = staying(settings, words.owner, words.stay) if words.stay else {}
        return 0 if crawl_here(settings, store, words.owner, extra=extra, **later) else 1
    except SystemExit:
        store.write(lambda tx: _release(tx, words.owner))
        return 0
    except StoreError as error:
        logging.getLogger("crawler.run").error("%s", error, extra=logs.telling("store_failed"))  # noqa: TRY400
        return 1
    finally:
        store.close()


def staying(settings: Settings, owner: str, stay_s: float) -> dict[str, Any]:
    """What makes `crawl_here` claim more sites for that long, and wait for such as are due soon."""
    until, lease = time.monotonic() + stay_s, timedelta(seconds=settings.lease_s)

    def refill(tx: Tx, room: int) -> list[Site]:
        if time.monotonic() > until:
            return []
        return claim_more(tx, owner, datetime.now(UTC), lease=lease, limit=room)

    return {"refill": refill, "linger_s": 2 * settings.tick_s}


def crawl_here(
    settings: Settings,
    store: Store,
    owner: str,
    *,
    extra: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    refill: Callable[[Tx, int], Sequence[Site]] | None = None,
    linger_s: float = 0.0,
    errand: Errand | None = None,
) -> bool:
    """Crawl the sites that `owner` holds in this very process; returns whether all went as it should.

    Once per process: a reactor does not start twice. `refill` may claim more sites, as many as its second argument
    says, when some are done; with nothing to do it is asked again for `linger_s` seconds. `extra` overrides Scrapy's
    settings; a download handler given there connects for itself, past the guard at connect time.
    `errand` is done at each site in the place of polls and pages.
    """
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415 - 700 ms, and only this process needs it
    from scrapy.signals import engine_started  # noqa: PLC0415

    from crawler.scrapy_settings import build  # noqa: PLC0415
    from crawler.spider import Job, NewsSpider  # noqa: PLC0415

    tell = tell or _print
    logs.set_up(settings.log_level, settings.log_format)
    logs.set_work(run=owner)
    with store.reading() as tx:
        claimed = sites.held(tx, owner)
    ledger = Ledger(store, tell)
    job = Job(settings=settings, ledger=ledger, owner=owner, sites=claimed, now=now, refill=refill, linger_s=linger_s)
    try:
        # it lists all versions as soon as there is a process; a level would be set back by Scrapy's own configuration
        logging.getLogger("scrapy.utils.log").addFilter(lambda record: record.levelno >= logging.WARNING)
        process = AsyncCrawlerProcess(build(settings, extra))
        _hush(settings.log_level, "scrapy", "twisted", "asyncio")
        crawler = process.create_crawler(NewsSpider)
        crawler.signals.connect(_end_after_all, engine_started)
        process.crawl(crawler, job=job, errand=errand)
        process.start()
    finally:
        ledger.close()
        store.write(lambda tx: _release(tx, owner))
    tell({"done": {"sites": job.visits, **ledger.tally}})
    return not (job.failed or process.bootstrap_failed)


def _end(*_: object) -> None:
    """Told to stop before anything has begun: the sites are given back, nothing else is to be done."""
    _told.set()
    sys.exit(0)


def _end_after_all() -> None:
    """Stop now that Scrapy listens, if some library's callback swallowed the exit."""
    if _told.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


def _release(tx: Tx, owner: str) -> None:
    sites.release(tx, owner, [site.key for site in sites.held(tx, owner)])


def _print(event: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the parent died: the sweep will find what was committed, and SIGTERM is on its way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hush(level: str, *names: str) -> None:
    """Scrapy and Twisted tell of each request and each component; that is for debugging only."""
    if level != "DEBUG":
        for name in names:
            logging.getLogger(name).setLevel(logging.WARNING)


def die_with_parent() -> None:
    """Ask to be ended by SIGTERM when the parent process dies (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
