"""Rejections that may not be the last word: a wall in a page's place, an article that seems to be gone."""

from datetime import datetime, timedelta

from crawler import follow
from storage import articles, doubts, erasure, pages, sites, snapshots, withdrawals
from storage.database import Tx
from storage.records import Disposition, Known, Page
from storage.settings import Settings
from tasks.outcome import Outcome, OutcomeKind

MOST_WALLS = 3
"""Times that a page is tried again after a block page or a question for consent came in its place with status 200."""


def set_back(tx: Tx, page: Page, reason: str, now: datetime, settings: Settings) -> Outcome | None:
    """Deal with a rejection that is to be seen once more; None where it is the last word.

    A page behind a wall is tried again later, a few times; after a block page its site is asked half as often from then
    on. An article whose page says that it is no more is looked at again before it counts as withdrawn.
    """
    if reason in ("blocked_page", "consent_wall"):
        return _wall(tx, page, reason, now, settings)
    if reason in follow.GONE and is_home(tx, page):
        told = follow.close(tx, page, reason, now, gone_after=timedelta(seconds=settings.gone_after_s))
        left = pages.get(tx, page.id).disposition
        return Outcome(
            page_id=page.id, kind=OutcomeKind.KEPT, reason=told, disposition=left, article_id=page.article_id
        )
    return None


def is_home(tx: Tx, page: Page) -> bool:
    """Whether an article is read from this very page, withdrawn or not."""
    return page.article_id is not None and articles.page_of(tx, page.article_id) == page.id


def returned(tx: Tx, page: Page, now: datetime, *, retracted: bool = False) -> Known | None:
    """The article of a page that was gone and is back; None where it was not gone.

    `retracted`: what stands there says that the article is withdrawn; one that was withdrawn for that stays so.
    """
    if page.article_id is None or not is_home(tx, page):
        return None
    if retracted and withdrawals.is_retracted(tx, page.article_id):
        return None
    if not withdrawals.restore(tx, page.article_id, now):
        return None
    return articles.known(tx, page.article_id)


def shut_out(tx: Tx, page: Page, url: str, now: datetime) -> Outcome:
    """Reject what came in for an article that is withdrawn; of one that was erased, the bytes go too."""
    reason = "withdrawn"
    if erasure.is_erased(tx, url):
        reason = pages.ERASED
        if page.snapshot_id is not None:
            erasure.blank(tx, page.snapshot_id)
    kind = Disposition.ARTICLE if is_home(tx, page) else Disposition.REJECTED
    pages.finish(tx, page.id, kind, reason, now)
    return Outcome(page_id=page.id, kind=OutcomeKind.REJECTED, reason=reason, disposition=kind)


def _wall(tx: Tx, page: Page, reason: str, now: datetime, settings: Settings) -> Outcome | None:
    if page.snapshot_id is None or not snapshots.get(tx, page.snapshot_id).request_headers:
        return None  # somebody handed it in: the site was never asked
    walls = doubts.walled(tx, page.id)
    if walls > MOST_WALLS:
        doubts.clear(tx, page.id)
        return None
    if reason == "blocked_page":  # the other asks readers too, and says nothing of how often we come
        sites.slow_down(tx, page.site, least_s=settings.delay_s, most_s=settings.max_delay_s)
    pages.again(tx, page.id, now + walls * follow.BLOCKED_FOR, reason)
    return Outcome(page_id=page.id, kind=OutcomeKind.POSTPONED, reason=reason)
