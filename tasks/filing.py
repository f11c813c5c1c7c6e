"""Files one page that was read: decides what it is to the store and writes that, in the caller's transaction."""

from datetime import datetime

from crawler.follow import follow
from storage import articles, pages
from storage.database import Tx, stand_in_line
from storage.records import Decision, DecisionKind, Disposition, Filing, Known, Page, PageState, Rejection
from storage.settings import Settings
from tasks.outcome import Outcome, OutcomeKind
from tasks.pipeline import Read, judge

_TWIN = "canonical_twin"
_KINDS = {
    DecisionKind.NEW: OutcomeKind.NEW,
    DecisionKind.SAME: OutcomeKind.SAME,
    DecisionKind.VERSION: OutcomeKind.VERSION,
    DecisionKind.DUPLICATE: OutcomeKind.DUPLICATE,
}


def settle(
    tx: Tx,
    page_id: int,
    snapshot_id: int | None,
    result: Read | Rejection,
    now: datetime,
    settings: Settings,
) -> Outcome:
    """Close a fetched page by what was read from that snapshot of it.

    A page without an article that sends its readers elsewhere by itself is followed like a redirect.

    Deciders stand in line: of two workers that hold copies of one story, the second sees what the first filed. A page
    that was closed or fetched anew in the meantime is left alone.
    """
    stand_in_line(tx)
    page = pages.hold(tx, page_id)
    if page is None or page.snapshot_id != snapshot_id:
        return Outcome(page_id=page_id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    own = _own(tx, page)
    if isinstance(result, Rejection) and result.target and own is None:
        reason = follow(
            tx, page, result.target, now, max_redirects=settings.max_redirects, allowed=settings.allow_addresses
        )
        closed = pages.get(tx, page.id)
        return Outcome(page_id=page.id, kind=OutcomeKind.FOLLOWED, reason=reason, disposition=closed.disposition)
    if isinstance(result, Rejection):
        return _refuse(tx, page, own, result.reason, now)
    return _file(tx, page, own, result, now)


def _own(tx: Tx, page: Page) -> Known | None:
    """The article that is read from this very page."""
    if page.article_id is None or articles.page_of(tx, page.article_id) != page.id:
        return None
    return articles.known(tx, page.article_id)


def _refuse(tx: Tx, page: Page, own: Known | None, reason: str, now: datetime) -> Outcome:
    if own is not None:
        return _close(tx, page, OutcomeKind.KEPT, Disposition.ARTICLE, f"kept_after_{reason}", now, own.article_id)
    return _close(tx, page, OutcomeKind.REJECTED, Disposition.REJECTED, reason, now)


def _file(tx: Tx, page: Page, own: Known | None, read: Read, now: datetime) -> Outcome:
    # Its own article first: a site that changes the declared address moves no article that others know by the old one.
    known = own or articles.known_at(tx, read.clean.url)
    if known is None and articles.is_withdrawn(tx, read.clean.url):
        return _close(tx, page, OutcomeKind.REJECTED, Disposition.REJECTED, "withdrawn", now)
    if known is not None and own is None and page.url != known.url:
        return _close(tx, page, OutcomeKind.TWIN, Disposition.DUPLICATE, _TWIN, now, known.article_id)
    decision = judge(read, site=page.site, same_url=known, candidates=lambda print_: articles.candidates(tx, print_))
    if known is not None and own is None:
        _adopt(tx, known.article_id, page, now)
    return _write(tx, page, read, decision, now)


def _adopt(tx: Tx, article_id: int, page: Page, now: datetime) -> None:
    """An article read so far from a twin (AMP, print) gets its own page; the twin becomes a duplicate."""
    twin = pages.get(tx, articles.page_of(tx, article_id))
    articles.adopt(tx, article_id, page.id)
    if twin.state is PageState.DONE:  # else its own processing will find that it is a twin
        pages.finish(tx, twin.id, Disposition.DUPLICATE, _TWIN, now, article_id=article_id)


def _write(tx: Tx, page: Page, read: Read, decision: Decision, now: datetime) -> Outcome:
    facts = {"clean": read.clean, "fingerprint": read.fingerprint, "content_hash": read.content_hash}
    filing = Filing(page=page, decision=decision, word_count=read.word_count, **facts)  # type: ignore[arg-type]
    article_id = articles.file(tx, filing, now)
    is_copy = decision.kind is DecisionKind.DUPLICATE
    disposition = Disposition.DUPLICATE if is_copy else Disposition.ARTICLE
    return _close(tx, page, _KINDS[decision.kind], disposition, decision.reason, now, article_id)


def _close(
    tx: Tx,
    page: Page,
    kind: OutcomeKind,
    disposition: Disposition,
    reason: str,
    now: datetime,
    article_id: int | None = None,
) -> Outcome:
    pages.finish(tx, page.id, disposition, reason, now, article_id=article_id)
    return Outcome(page_id=page.id, kind=kind, reason=reason, disposition=disposition, article_id=article_id)
