"""Fetching the waiting pages of a site: each ends as a stored exchange, closed, put off, or led elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from crawler import follow
from crawler.answers import Trouble, failure, is_text, retry_after
from crawler.visit import Visit
from storage import pages, snapshots
from storage.database import Tx
from storage.records import Exchange, Page
from storage.settings import Settings

_AT_ONCE = 50
"""Pages that are looked up at once; those that polls and redirects add meanwhile come in with the next look."""

Outcome = Callable[[Tx], str]
"""What to write about one page; returns the word that it is counted under."""


async def fetch_pages(visit: Visit) -> None:
    """Fetch the pages of the site that wait, up to `pages_per_site`, until there are none or the turn is over."""
    tried: set[int] = set()
    while not visit.over and (batch := await _waiting(visit, tried)):
        for page in batch:
            if visit.over:
                return
            tried.add(page.id)
            await fetch_page(visit, page)


async def fetch_page(visit: Visit, page: Page) -> None:
    """Fetch one page and write down what came of it."""
    answer = await visit.reach(page.fetch_url)
    now, settings = visit.bench.now(), visit.bench.settings
    if isinstance(answer, Trouble):
        await visit.bench.ledger.add(_after_trouble(page, answer, now, settings))
    elif code := failure(answer):
        wait = retry_after(answer.header("retry-after"), answer.at)
        await visit.bench.ledger.add(_put_off(page, code, now, settings, wait))
    elif not is_text(answer):
        await visit.bench.ledger.add(lambda tx: follow.close(tx, page, "not_html", now))
    else:
        await visit.bench.ledger.add(_keep(page, answer.exchange()), fetched=page.id)


async def _waiting(visit: Visit, tried: set[int]) -> list[Page]:
    ledger = visit.bench.ledger
    await ledger.flush()  # what is decided but not written would be found waiting once more
    room = min(visit.bench.settings.pages_per_site - len(tried), _AT_ONCE)
    if room <= 0:
        return []
    now, site = visit.bench.now(), visit.site.key
    found = await ledger.look(lambda tx: pages.waiting(tx, site, now, room + len(tried)))
    return [page for page in found if page.id not in tried][:room]


def _after_trouble(page: Page, trouble: Trouble, now: datetime, settings: Settings) -> Outcome:
    if trouble.target is not None:
        return _lead_on(page, trouble.target, now, settings)
    if trouble.until is not None and trouble.code in ("host_down", "robots_unreachable"):
        return _leave_waiting(page, trouble.code, trouble.until)
    return _put_off(page, trouble.code, now, settings, None)


def _keep(page: Page, exchange: Exchange) -> Outcome:
    def write(tx: Tx) -> str:
        pages.fetched(tx, page.id, snapshots.keep(tx, page.id, exchange), exchange.fetched_at)
        return "fetched"

    return write


def _lead_on(page: Page, target: str, now: datetime, settings: Settings) -> Outcome:
    most, allowed = settings.max_redirects, settings.allow_addresses
    return lambda tx: follow.follow(tx, page, target, now, max_redirects=most, allowed=allowed)


def _leave_waiting(page: Page, code: str, until: datetime) -> Outcome:
    def write(tx: Tx) -> str:
        pages.postpone(tx, page.id, until, page.attempts, reason=code)  # nobody asked for it, so no try is counted
        return code

    return write


def _put_off(page: Page, code: str, now: datetime, settings: Settings, wait: timedelta | None) -> Outcome:
    return lambda tx: follow.put_off(tx, page, code, now, max_attempts=settings.max_attempts, wait=wait)
