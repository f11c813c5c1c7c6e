from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from storage import changes, erasure, pages, reading, sites, snapshots
from storage.audit import audit
from storage.records import ChangeClass, ChangeKind, Disposition, Exchange, Page, PageState
from storage.settings import Settings
from storage.store import Store
from tasks.outcome import Outcome, OutcomeKind
from tasks.process import process_page
from tasks.setbacks import MOST_WALLS

URL = "https://harbour.example/news/ferry"
WORDS = "The ferry to the islands ran again on Tuesday after the storm had passed, and the harbour office was content. "
STORY = f"<!doctype html><title>Ferry runs again</title><article><h1>Ferry runs again</h1><p>{WORDS * 4}</p></article>"
MISSING = "<!doctype html><title>Page not found</title><h1>Page not found</h1><p>Sorry, this page is not found.</p>"
WALL = "<!doctype html><title>Just a moment...</title><h1>Checking your browser</h1><p>Please verify you are human.</p>"
CONSENT = (
    "<!doctype html><title>Before you continue</title><h1>We value your privacy</h1><p>We and our 812 partners"
    " use cookies to show personalised ads.</p><p>You can accept all or manage choices.</p><button>Reject all</button>"
)
LATER = timedelta(hours=6)

Fetched = Callable[..., int]


@pytest.fixture
def refetch(store: Store, fetched: Fetched) -> Callable[[str, datetime], int]:
    """The page answers with that body at that time, asked by us."""

    def go(html: str, at: datetime) -> int:
        page_id = fetched(URL, html)
        with store.writing() as tx:
            asked = (("User-Agent", "Copydesk/0.1"),)
            kind = (("Content-Type", "text/html"),)
            answer = Exchange(
                url=URL, status=200, headers=kind, request_headers=asked, body=html.encode(), fetched_at=at
            )
            pages.fetched(tx, page_id, snapshots.keep(tx, page_id, answer), at)
        return page_id

    return go


def run(store: Store, page_id: int, now: datetime) -> Outcome:
    return process_page(store, page_id, now=now, recipes={}, settings=Settings())


def page_of(store: Store, page_id: int) -> Page:
    with store.reading() as tx:
        return pages.get(tx, page_id)


def kinds(store: Store) -> list[ChangeKind]:
    with store.reading() as tx:
        return [change.kind for change in changes.read(tx, 0)]


def test_an_article_that_says_it_is_gone_is_withdrawn_at_the_second_look_and_may_return(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    page_id = refetch(STORY, now)
    run(store, page_id, now)
    refetch(MISSING, now)
    first = run(store, page_id, now)
    waiting = page_of(store, page_id)
    assert (first.kind, first.reason) == (OutcomeKind.KEPT, "gone_soft_404_perhaps")
    assert (waiting.state, waiting.next_at) == (PageState.DISCOVERED, now + LATER)
    assert kinds(store) == [ChangeKind.CREATED]

    refetch(MISSING, now + LATER)
    assert run(store, page_id, now + LATER).reason == "gone_soft_404"
    assert kinds(store) == [ChangeKind.CREATED, ChangeKind.WITHDRAWN]
    with store.reading() as tx:
        assert reading.listed(tx) == []
        gone = reading.at(tx, URL)
    assert gone is not None
    assert (gone.withdrawn_at, gone.withdrawn_reason) == (now + LATER, "gone_soft_404")
    assert WORDS.strip() in gone.content.text

    refetch(STORY, now + 2 * LATER)
    assert run(store, page_id, now + 2 * LATER).kind is OutcomeKind.SAME
    assert kinds(store)[2:] == [ChangeKind.UPDATED]
    with store.reading() as tx:
        assert len(reading.listed(tx)) == 1
    assert not audit(store, now).faults


def test_an_article_that_was_gone_for_a_moment_was_never_gone(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    page_id = refetch(STORY, now)
    run(store, page_id, now)
    for body, at in ((MISSING, now), (STORY, now + LATER), (MISSING, now + 2 * LATER)):
        refetch(body, at)
        run(store, page_id, at)
    assert kinds(store) == [ChangeKind.CREATED]
    assert page_of(store, page_id).next_at == now + 3 * LATER


def test_a_block_page_is_tried_again_a_few_times_and_slows_the_site_down(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    for number in range(1, MOST_WALLS + 1):
        page_id = refetch(WALL, now)
        outcome = run(store, page_id, now)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.POSTPONED, "blocked_page")
        assert page_of(store, page_id).next_at == now + timedelta(hours=number)
    with store.reading() as tx:
        site = sites.get(tx, "harbour.example")
    assert site is not None
    assert site.delay_s == 8.0
    refetch(WALL, now)
    last = run(store, page_id, now)
    assert (last.kind, last.disposition) == (OutcomeKind.REJECTED, Disposition.REJECTED)


def test_a_question_for_consent_is_asked_again_a_few_times_and_slows_nothing(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    for _ in range(MOST_WALLS):
        page_id = refetch(CONSENT, now)
        outcome = run(store, page_id, now)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.POSTPONED, "consent_wall")
        then = page_of(store, page_id).next_at
        assert then is not None
        assert then > now
        now += LATER
    with store.reading() as tx:
        slowed = sites.get(tx, "harbour.example")
        assert reading.listed(tx, limit=9) == []
    assert slowed is not None
    assert slowed.delay_s == 0
    page_id = refetch(CONSENT, now)
    assert run(store, page_id, now).disposition is Disposition.REJECTED
    assert page_of(store, page_id).reason == "consent_wall"


def test_a_block_page_that_somebody_hands_in_is_just_rejected(store: Store, fetched: Fetched, now: datetime) -> None:
    assert run(store, fetched(URL, WALL), now).kind is OutcomeKind.REJECTED


def test_nothing_is_kept_of_what_comes_in_for_an_erased_article(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    page_id = refetch(STORY, now)
    run(store, page_id, now)
    erasure.erase(store, page_id, "asked by the person named", datetime(2026, 3, 11, tzinfo=UTC))
    refetch(STORY, now)
    assert run(store, page_id, now).reason == "erased"
    with store.reading() as tx:
        last = snapshots.of_page(tx, page_id)[-1]
        assert snapshots.body(tx, store.archive, last) == b""
    assert not audit(store, now).faults


def test_a_notice_in_the_place_of_a_text_withdraws_it_in_a_version_of_its_own(
    store: Store, refetch: Callable[[str, datetime], int], now: datetime
) -> None:
    why = "The talks that it told of never took place, as the harbour office has shown to the editors of this paper. "
    text = f"<p>This article has been retracted.</p><p>{why * 3}</p>"
    head = "<!doctype html><title>Ferry runs again</title><meta property='og:type' content='article'>"
    notice = f"{head}<article><h1>Ferry runs again</h1>{text}</article>"
    page_id = refetch(STORY, now)
    run(store, page_id, now)
    refetch(notice, now)
    outcome = run(store, page_id, now)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.VERSION, "retraction")
    assert kinds(store) == [ChangeKind.CREATED, ChangeKind.WITHDRAWN]
    refetch(notice, now + LATER)
    run(store, page_id, now + LATER)
    assert kinds(store) == [ChangeKind.CREATED, ChangeKind.WITHDRAWN]
    with store.reading() as tx:
        assert reading.listed(tx) == []
        told = reading.versions(tx, 1)
    assert [one.change_class for one in told] == [ChangeClass.FIRST, ChangeClass.RETRACTION]
    assert told[-1].withdrawn_reason == "gone_retracted"
    assert (WORDS.strip() in told[0].content.text, WORDS.strip() in told[1].content.text) == (True, False)

    refetch(STORY, now + 2 * LATER)
    run(store, page_id, now + 2 * LATER)
    with store.reading() as tx:
        (back,) = reading.listed(tx)
    assert (back.version, WORDS.strip() in back.content.text) == (4, True)
    assert not audit(store, now).faults
