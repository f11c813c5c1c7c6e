"""What becomes of a page that gave no bytes: it is closed with a reason, put off, or leads to another address."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from crawler.addresses import refusal
from crawler.leads import lead_of
from crawler.retry import Fault, fault, retry_delay
from storage import articles, doubts, pages, quarantine, withdrawals
from storage.database import Tx
from storage.records import Candidate, Disposition, Hints, Page, Via

GONE = frozenset({"http_404", "http_410", "http_451", "redirected_home", "soft_404"})
"""What an answer says of an article that was there before: it is gone."""
SECOND_LOOK = timedelta(hours=6)
BLOCKED_FOR = timedelta(hours=1)
"""How long a page rests after a block page came in its place; longer at each try."""


def follow(
    tx: Tx,
    page: Page,
    target: str,
    now: datetime,
    *,
    max_redirects: int,
    allowed: Sequence[str] = (),
    gone_after: timedelta = SECOND_LOOK,
) -> str:
    """Let a page stand for another address: a redirect out of its site, or a meta refresh. Returns the reason.

    The target becomes a page of its own, that is fetched under its own site's lease, and this page is closed as
    `redirected`. A target that may not be fetched (`blocked_address`, `blocked_scheme`, `bad_url`), a chain that
    comes back (`redirect_loop`), is too long (`redirect_limit`) or ends in a trap closes it as rejected. `target` is
    absolute. An article's page that leads to a home page is gone.
    """
    if reason := refusal(target, allowed):
        return close(tx, page, reason, now)
    if page.article_id is not None and is_home(target) and not is_home(page.url):
        return close(tx, page, "redirected_home", now, gone_after=gone_after)
    lead = lead_of(Candidate(url=target, via=Via.REDIRECT, hints=_hints(tx, page)))
    if isinstance(lead, str):
        return close(tx, page, lead, now)
    if page.url in pages.leads_to(tx, lead.key):
        return close(tx, page, "redirect_loop", now)
    if page.hops >= max_redirects:
        return close(tx, page, "redirect_limit", now)
    pages.discover(tx, page.source_id, [lead], now, priority=page.priority, hops=page.hops + 1)
    owned = _owned(tx, page)
    pages.finish(tx, page.id, owned or Disposition.DUPLICATE, "redirected", now, redirect_to=lead.key)
    return "redirected"


def close(tx: Tx, page: Page, reason: str, now: datetime, *, gone_after: timedelta = SECOND_LOOK) -> str:
    """Close a page that cannot be had. Returns the reason.

    What was once read from it stays: the page of an article keeps the article and its disposition, with the reason
    `kept_timeout`, so that a site that fails takes nothing from the store. One that is gone (GONE) is looked at once
    more after `gone_after`, and only then counts as withdrawn: `gone_http_404`.
    """
    owned = _owned(tx, page)
    if owned is Disposition.ARTICLE and reason in GONE:
        return _gone(tx, page, reason, now, gone_after)
    told = f"{'gone' if reason in GONE else 'kept'}_{reason}" if owned else reason
    pages.finish(tx, page.id, owned or Disposition.REJECTED, told, now)
    return told


def is_home(url: str) -> bool:
    """Whether an address is that of a whole host: where a site sends those who ask for what is no more."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def _gone(tx: Tx, page: Page, reason: str, now: datetime, gone_after: timedelta) -> str:
    told = f"{withdrawals.GONE}{reason}"
    due = doubts.missed(tx, page.id, now) + gone_after
    if now < due:
        pages.again(tx, page.id, due, told)
        return f"{told}_perhaps"
    doubts.clear(tx, page.id)
    if page.article_id is not None:
        withdrawals.mark(tx, page.article_id, told, now)
    pages.finish(tx, page.id, Disposition.ARTICLE, told, now)
    return told


def put_off(
    tx: Tx,
    page: Page,
    code: str,
    now: datetime,
    *,
    max_attempts: int,
    wait: timedelta | None = None,
    gone_after: timedelta = SECOND_LOOK,
) -> str:
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
        return close(tx, page, code, now, gone_after=gone_after)
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
