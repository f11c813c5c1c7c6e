"""The crawl process: visits the sites that its owner has claimed, and tells what happened in lines of JSON.

    python -m crawler.run --owner OWNER

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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crawler.ledger import Ledger, Tell
from storage import sites
from storage.database import Tx
from storage.masking import mask_logs
from storage.records import Site
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

Errand = Callable[[Any], Awaitable[None]]
"""Something to be done with a `crawler.visit.Visit`."""

_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent dies."""


def main(argv: Sequence[str] | None = None, extra: Mapping[str, Any] | None = None) -> int:
    """Run the crawl process; returns its exit code. `extra` are Scrapy settings of a program that embeds it."""
    parser = argparse.ArgumentParser(prog="python -m crawler.run", description="Crawl the sites that OWNER holds.")
    parser.add_argument("--owner", required=True, help="the owner of the leases")
    owner = parser.parse_args(argv).owner
    die_with_parent()
    mask_logs()
    settings = load_settings()
    store = open_store(settings, create=False)
    try:
        return 0 if crawl_here(settings, store, owner, extra=extra) else 1
    finally:
        store.close()


def crawl_here(
    settings: Settings,
    store: Store,
    owner: str,
    *,
    extra: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    refill: Callable[[], Sequence[Site]] = lambda: (),
    errand: Errand | None = None,
) -> bool:
    """Crawl the sites that `owner` holds in this very process; returns whether all went as it should.

    Once per process: a reactor does not start twice. `refill` may claim more sites when the first are done. `extra`
    overrides Scrapy's settings; a download handler given there connects for itself, past the guard at connect time.
    `errand` is done at each site in the place of polls and pages.
    """
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415 - 700 ms, and only this process needs it

    from crawler.scrapy_settings import build  # noqa: PLC0415
    from crawler.spider import Job, NewsSpider  # noqa: PLC0415

    tell = tell or _print
    with store.reading() as tx:
        claimed = sites.held(tx, owner)
    ledger = Ledger(store, tell)
    job = Job(settings=settings, ledger=ledger, owner=owner, sites=claimed, now=now, refill=refill)
    try:
        _hush(settings.log_level, "scrapy.utils.log")  # which would list all versions as soon as there is a process
        process = AsyncCrawlerProcess(build(settings, extra))
        _hush(settings.log_level, "scrapy", "twisted", "asyncio")
        process.crawl(NewsSpider, job=job, errand=errand)
        process.start()
    finally:
        ledger.close()
        store.write(lambda tx: _release(tx, owner))
    tell({"done": {"sites": len(claimed), **ledger.tally}})
    return not (job.failed or process.bootstrap_failed)


def _release(tx: Tx, owner: str) -> None:
    sites.release(tx, owner, [site.key for site in sites.held(tx, owner)])


def _print(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


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
