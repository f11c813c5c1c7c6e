"""What becomes of a page that gave no bytes: it is closed with a reason, put off, or leads to another address."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from crawler.addresses import refusal
from crawler.leads import lead_of
from crawler.retry import Fault, fault, retry_delay
from storage import articles, pages, quarantine
from storage.database import Tx
from storage.records import Candidate, Disposition, Hints, Page, Via

_GONE = frozenset({"http_404", "http_410", "http_451"})


def follow(tx: Tx, page: Page, target: str, now: datetime, *, max_redirects: int, allowed: Sequence[str] = ()) -> str:
    """Let a page stand for another address: a redirect out of its site, or a meta refresh. Returns the reason.

    The target becomes a page of its own, that is fetched under its own site's lease, and this page is closed as
    `redirected`. A target that may not be fetched (`blocked_address`, `blocked_scheme`, `bad_url`), a chain that
    comes back (`redirect_loop`) or is too long (`redirect_limit`) closes it as rejected. `target` is absolute.
    """
    if reason := refusal(target, allowed):
        return close(tx, page, reason, now)
    lead = lead_of(Candidate(url=target, via=Via.REDIRECT, hints=_hints(tx, page)))
    if isinstance(lead, str):
        return close(tx, page, "bad_url", now)
    if page.url in pages.leads_to(tx, lead.key):
        return close(tx, page, "redirect_loop", now)
    if page.hops >= max_redirects:
        return close(tx, page, "redirect_limit", now)
    pages.discover(tx, page.source_id, [lead], now, priority=page.priority, hops=page.hops + 1)
    owned = _owned(tx, page)
    pages.finish(tx, page.id, owned or Disposition.DUPLICATE, "redirected", now, redirect_to=lead.key)
    return "redirected"


def close(tx: Tx, page: Page, reason: str, now: datetime) -> str:
    """Close a page that cannot be had, for good. Returns the reason.

    What was once read from it stays: the page of an article keeps the article and its disposition, with the reason
    `gone_http_404` or `kept_timeout`, so that a site that takes a story down, or fails, takes nothing from the store.
    """
    owned = _owned(tx, page)
    told = f"{'gone' if reason in _GONE else 'kept'}_{reason}" if owned else reason
    pages.finish(tx, page.id, owned or Disposition.REJECTED, told, now)
    return told


def put_off(tx: Tx, page: Page, code: str, now: datetime, *, max_attempts: int, wait: timedelta | None = None) -> str:
    """Deal with one failed try: wait for the next, close the page, or quarantine it after too many.

    Returns the reason. `wait` is what the server asked for with Retry-After.
    """
    attempts = page.attempts + 1
    delay = retry_delay(attempts, code, wait.total_seconds() if wait else None, max_attempts=max_attempts)
    if delay is not None:
        # a server that names a time is believed, and believed less each time
        pages.postpone(tx, page.id, now + (attempts * wait if wait else delay), attempts, reason=code)
        return code
    if fault(code) is Fault.LASTING or code == "http_404" or page.article_id:
        return close(tx, page, code, now)
    quarantine.put(tx, page.id, stage="fetch", error=code, attempts=attempts, now=now)
    return code


def _owned(tx: Tx, page: Page) -> Disposition | None:
    """The disposition that a page with an article keeps: its home stays an article, another copy a duplicate."""
    if page.article_id is None:
        return None
    at_home = articles.page_of(tx, page.article_id) == page.id
    return Disposition.ARTICLE if at_home else Disposition.DUPLICATE


def _hints(tx: Tx, page: Page) -> Hints:
    """What the listing said of the page holds for where it leads."""
    seen = pages.sightings(tx, page.id)
    return seen[0].hints if seen else Hints()
