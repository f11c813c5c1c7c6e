"""Fetching the waiting pages of a site: each ends as a stored exchange, closed, put off, or led elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from crawler import follow
from crawler.answers import Answer, Trouble, failure, is_text, retry_after
from crawler.challenges import is_challenge
from crawler.etiquette import Unprepared, is_rendered, manner_for
from crawler.extras import NO_BROWSER, can_render
from crawler.keeping import Keep
from crawler.visit import Visit
from storage import pages
from storage.database import Tx
from storage.logs import working
from storage.records import Page
from storage.settings import Settings

_AT_ONCE = 50
"""Pages that are looked up at once; those that polls and redirects add meanwhile come in with the next look."""
_NO_BROWSER_FOR = timedelta(minutes=10)
_NOT_TRIED = frozenset({"host_down", "robots_unreachable", "site_busy", "site_rests", "no_browser"})
"""Where these name a time, the page waits for it, and nothing is counted against it."""

Outcome = Callable[[Tx], str]
"""What to write about one page; returns the word that it is counted under."""


async def fetch_pages(visit: Visit) -> None:
    """Fetch the pages of the site that wait, up to `pages_per_site`, until there are none or the turn is over."""
    tried: set[int] = set()
    while not visit.over and (batch := await _waiting(visit, tried)):
        for group in _groups(batch, visit.concurrency, first=not tried):
            if visit.over:
                return
            tried.update(page.id for page in group)
            await asyncio.gather(*(fetch_page(visit, page) for page in group))


async def fetch_page(visit: Visit, page: Page) -> None:
    """Fetch one page and write down what came of it."""
    with working(page=page.id):
        answer = await _ask_for(visit, page)
    now, settings = visit.bench.now(), visit.bench.settings
    if isinstance(answer, Trouble):
        await visit.bench.ledger.add(_after_trouble(page, answer, now, settings))
    elif is_challenge(answer):
        await visit.refused()
        await visit.bench.ledger.add(_put_off(page, "blocked_page", now, settings, follow.BLOCKED_FOR))
    elif code := failure(answer):
        wait = retry_after(answer.header("retry-after"), answer.at)
        await visit.bench.ledger.add(_put_off(page, code, now, settings, wait))
    elif page.article_id is not None and follow.is_home(answer.url) and not follow.is_home(page.fetch_url):
        await visit.bench.ledger.add(_put_off(page, "redirected_home", now, settings, None))
    elif not is_text(answer):
        await visit.bench.ledger.add(lambda tx: follow.close(tx, page, "not_html", now))
    else:
        await visit.bench.ledger.add(Keep(page, answer.exchange(), settings.recheck), fetched=page.id)


async def _ask_for(visit: Visit, page: Page) -> Answer | Trouble:
    try:
        manner = manner_for(visit, visit.configs.get(page.source_id))
    except Unprepared as error:
        return Trouble(code=error.code, detail=error.detail)
    render = await is_rendered(visit, page.source_id)
    if render and not can_render():
        return Trouble(code="no_browser", detail=NO_BROWSER, until=visit.bench.now() + _NO_BROWSER_FOR)
    return await visit.reach(page.fetch_url, headers=manner.headers, only_pages=True, render=render)


def _groups(batch: list[Page], size: int, *, first: bool) -> Iterator[list[Page]]:
    """The pages in groups that are fetched at the same time; the very first goes alone, and finds out about robots."""
    start = 1 if first else 0
    if start:
        yield batch[:start]
    for begin in range(start, len(batch), size):
        yield batch[begin : begin + size]


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
    if trouble.until is not None and trouble.code in _NOT_TRIED:
        return _leave_waiting(page, trouble.code, trouble.until)
    return _put_off(page, trouble.code, now, settings, None)


def _lead_on(page: Page, target: str, now: datetime, settings: Settings) -> Outcome:
    limits = {"max_redirects": settings.max_redirects, "allowed": settings.allow_addresses}
    gone_after = timedelta(seconds=settings.gone_after_s)
    return lambda tx: follow.follow(tx, page, target, now, gone_after=gone_after, **limits)  # type: ignore[arg-type]


def _leave_waiting(page: Page, code: str, until: datetime) -> Outcome:
    def write(tx: Tx) -> str:
        pages.postpone(tx, page.id, until, page.attempts, reason=code)  # nobody asked for it, so no try is counted
        return code

    return write


def _put_off(page: Page, code: str, now: datetime, settings: Settings, wait: timedelta | None) -> Outcome:
    gone_after, most = timedelta(seconds=settings.gone_after_s), settings.max_attempts
    return lambda tx: follow.put_off(tx, page, code, now, max_attempts=most, wait=wait, gone_after=gone_after)
