"""Files one page that was read: decides what it is to the store and writes that, in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.follow import follow
from storage import articles, clusters, doubts, pages, parts, similar
from storage.batch import Batch
from storage.database import Tx
from storage.processing import Held
from storage.records import (
    Boilerplate,
    Decision,
    DecisionKind,
    Disposition,
    Filing,
    Fingerprint,
    Known,
    Page,
    PageState,
    Rejection,
)
from storage.settings import Settings
from tasks.compare import announces_retraction
from tasks.credit import credited, original
from tasks.fingerprint import common_lines, draft, finish
from tasks.identity import identify
from tasks.outcome import Outcome, OutcomeKind
from tasks.pipeline import Read, judge
from tasks.setbacks import is_home, returned, set_back, shut_out
from tasks.twins import is_twin

_TWIN = "canonical_twin"
NEARLY_EQUAL = 0.95
"""Share of common trigrams from which a copy is not found by keys of its own."""
_STAYED = ("unchanged", "cosmetic")
"""Reasons for no version by which the page still is the article: what else it says is heard."""
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
    batch: Batch | None = None,
) -> Outcome:
    """Close a fetched page by what was read from that snapshot of it; in a batch that holds it, if one is given.

    A page without an article that sends its readers elsewhere by itself is followed like a redirect.

    Deciders stand in line: of two workers that hold copies of one story, the second sees what the first filed. A page
    that was closed or fetched anew in the meantime is left alone.
    """
    if batch is None:
        batch = batch_of(tx, {page_id: result})
        outcome = settle(tx, page_id, snapshot_id, result, now, settings, batch)
        batch.flush()
        return outcome
    held = batch.pages.get(page_id)
    if held is None or held.page.snapshot_id != snapshot_id:
        return Outcome(page_id=page_id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    page = held.page
    if page.article_id is not None or (isinstance(result, Rejection) and result.target):
        batch.flush()
    own = _own(tx, page)
    if isinstance(result, Rejection) and result.target and own is None:
        limits = {"max_redirects": settings.max_redirects, "allowed": settings.allow_addresses}
        gone_after = timedelta(seconds=settings.gone_after_s)
        reason = follow(tx, page, result.target, now, gone_after=gone_after, **limits)  # type: ignore[arg-type]
        closed = pages.get(tx, page.id)
        return Outcome(page_id=page.id, kind=OutcomeKind.FOLLOWED, reason=reason, disposition=closed.disposition)
    if isinstance(result, Rejection):
        return set_back(tx, page, result.reason, now, settings) or _refuse(tx, page, own, result.reason, now)
    return _file(batch, held, own, result, now)


def batch_of(tx: Tx, results: Mapping[int, Read | Rejection | None]) -> Batch:
    """What files these pages in one transaction: by their ids what was read of them, None where that is not known."""
    read = [one for one in results.values() if isinstance(one, Read)]
    urls, lines = (one.clean.url for one in read), (line for one in read for line in one.fingerprint.lines)
    batch = Batch(tx, list(results), urls=set(urls), lines=set(lines))
    new = (one for one in read if batch.is_new(one.clean.url))
    batch.foresee([_signed(one, batch.boilerplate(one.fingerprint.lines)) for one in new])
    return batch


def _signed(read: Read, lines: Boilerplate) -> Fingerprint:
    """The fingerprint of what was read, without boilerplate."""
    return finish(read.draft, lines.common) if lines.common else read.fingerprint


def _own(tx: Tx, page: Page) -> Known | None:
    """The article that is read from this very page."""
    if page.article_id is None or articles.page_of(tx, page.article_id) != page.id:
        return None
    return articles.known(tx, page.article_id)


def _refuse(tx: Tx, page: Page, own: Known | None, reason: str, now: datetime) -> Outcome:
    if own is not None:
        return _close(tx, page, OutcomeKind.KEPT, Disposition.ARTICLE, f"kept_after_{reason}", now, own.article_id)
    if is_home(tx, page):  # of an article that is withdrawn
        return _close(tx, page, OutcomeKind.KEPT, Disposition.ARTICLE, reason, now)
    return _close(tx, page, OutcomeKind.REJECTED, Disposition.REJECTED, reason, now)


def _file(batch: Batch, held: Held, own: Known | None, read: Read, now: datetime) -> Outcome:
    tx, page, url = batch.tx, held.page, read.clean.url
    # Its own article first: a site that changes the declared address moves no article that others know by the old one.
    own = own or returned(tx, page, now, retracted=announces_retraction(f"{read.clean.title}\n{read.clean.text}"))
    if held.is_doubted:
        doubts.clear(tx, page.id)
    if own is None and batch.is_new(url):
        return _first(batch, held, read, now)
    batch.flush()
    known = own or articles.known_at(tx, url)
    if known is not None and own is None and page.url != known.url and not is_twin(known, read):
        url = identify(page.url, ()).url
        read, known = replace(read, clean=replace(read.clean, url=url)), articles.known_at(tx, url)
    if known is None and articles.is_withdrawn(tx, url):
        return shut_out(tx, page, url, now)
    if known is not None and own is None and page.url != known.url:
        return _close(tx, page, OutcomeKind.TWIN, Disposition.DUPLICATE, _TWIN, now, known.article_id)
    if known is not None and own is None:
        _adopt(tx, known.article_id, page, now)
    return _again(batch, held, known, read, now) if known is not None else _first(batch, held, read, now)


def _first(batch: Batch, held: Held, read: Read, now: datetime) -> Outcome:
    """File a page whose address is new, beside what is like it."""
    lines = batch.boilerplate(read.fingerprint.lines)
    read = replace(read, fingerprint=_signed(read, lines))
    near, keys = batch.neighbours(read.fingerprint)
    decision = judge(read, site=held.page.site, same_url=None, candidates=lambda _: near)
    if decision.cluster_id is not None and (decision.similarity or 0.0) >= NEARLY_EQUAL:
        keys = ()  # whoever is like it is like the other one, which is found already
    return _write(batch, held, _filing(held.page, read, decision, lines, keys), now)


def _again(batch: Batch, held: Held, known: Known, read: Read, now: datetime) -> Outcome:
    """File a page whose article is known."""
    return _write(batch, held, filing_again(batch.tx, held.page, known, read), now)


def filing_again(tx: Tx, page: Page, known: Known, read: Read) -> Filing:
    """What there is to file of a page whose article is known."""
    lines = similar.boilerplate(tx, read.fingerprint.lines)
    old = draft(known.title, known.text)
    common = lines.common | similar.boilerplate(tx, old.lines()).common
    read = replace(read, fingerprint=_signed(read, lines))
    folded = common_lines(read.clean.text, common) | common_lines(known.text, common)
    decision = judge(read, site=page.site, same_url=known, candidates=lambda _: (), boilerplate=folded)
    return _filing(page, read, decision, lines, read.fingerprint.keys[: similar.POSTINGS])


def _adopt(tx: Tx, article_id: int, page: Page, now: datetime) -> None:
    """An article read so far from a twin (AMP, print) gets its own page; the twin becomes a duplicate."""
    twin = pages.get(tx, articles.page_of(tx, article_id))
    articles.adopt(tx, article_id, page.id)
    if twin.state is PageState.DONE:  # else its own processing will find that it is a twin
        pages.finish(tx, twin.id, Disposition.DUPLICATE, _TWIN, now, article_id=article_id)


def _filing(page: Page, read: Read, decision: Decision, lines: Boilerplate, keys: tuple[int, ...]) -> Filing:
    _, standing = credited(read.clean)
    source = original(read.clean)
    if source is not None:
        standing = clusters.DECLARES
        decision = replace(decision, evidence={**decision.evidence, clusters.CANONICAL: source})
    return Filing(
        page=page,
        decision=decision,
        clean=read.clean,
        fingerprint=read.fingerprint,
        content_hash=read.content_hash,
        word_count=read.word_count,
        boilerplate=lines,
        keys=keys,
        standing=standing,
    )


def _write(batch: Batch, held: Held, filing: Filing, now: datetime) -> Outcome:
    page, decision = filing.page, filing.decision
    article_id = articles.add(batch, filing, now)
    if decision.kind is DecisionKind.SAME and decision.reason in _STAYED:
        articles.restand(batch.tx, filing, now)
    kind = _KINDS[decision.kind]
    if decision.kind is DecisionKind.DUPLICATE:
        return _close(batch.tx, page, kind, Disposition.DUPLICATE, decision.reason, now, article_id)
    if held.has_parts or page.part_of is not None:
        return _close(batch.tx, page, kind, Disposition.ARTICLE, decision.reason, now, article_id)
    batch.close(page.id, article_id, decision.reason, now)
    disposition = Disposition.ARTICLE
    return Outcome(page_id=page.id, kind=kind, reason=decision.reason, disposition=disposition, article_id=article_id)


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
    if article_id is not None:
        parts.filed(tx, page.id, article_id)
    return Outcome(page_id=page.id, kind=kind, reason=reason, disposition=disposition, article_id=article_id)
