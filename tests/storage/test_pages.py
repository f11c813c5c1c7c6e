"""The contract of pages: each address once, one state, one disposition, sightings kept."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from storage import pages
from storage.errors import NotFound
from storage.records import Disposition, Lead, Page, PageState, Source, Via
from storage.store import Store

AddSource = Callable[..., Source]
MakeLead = Callable[..., Lead]
Fetch = Callable[..., Page]
HOUR = timedelta(hours=1)


def test_an_address_is_discovered_once(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        first = pages.discover(tx, source.id, [lead("1"), lead("2"), lead("1")], now)
        second = pages.discover(tx, source.id, [lead("2"), lead("3")], now + HOUR)
        assert (len(first.new), len(second.new), second.known) == (2, 1, 1)
        found = pages.find(tx, "https://harbour.example/1")
        assert found is not None
        assert (found.state, found.discovered_at) == (PageState.DISCOVERED, now)


def test_sightings_remember_first_and_last(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1", title="A ferry")], now).new[0]
        pages.discover(tx, source.id, [lead("1", title="A ferry")], now + HOUR)
        pages.discover(tx, source.id, [lead("1", via=Via.SITEMAP)], now + HOUR)
        seen = pages.sightings(tx, page_id)
        assert [(one.via, one.first_seen, one.last_seen) for one in seen] == [
            (Via.FEED, now, now + HOUR),
            (Via.SITEMAP, now + HOUR, now + HOUR),
        ]


@pytest.mark.parametrize("hint", [{"title": "A ferry sank"}, {"title": "A ferry", "modified_at": "later"}])
def test_a_listing_that_tells_of_a_change_sends_a_done_page_back(
    store: Store, add_source: AddSource, lead: MakeLead, fetch: Fetch, now: datetime, hint: dict[str, object]
) -> None:
    told = {**hint, **({"modified_at": now + HOUR} if "modified_at" in hint else {})}
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1", title="A ferry")], now).new[0]
        fetch(tx, page_id)
        pages.finish(tx, page_id, Disposition.REJECTED, "too_short", now)
        assert pages.discover(tx, source.id, [lead("1", title="A  ferry")], now).again == ()
        assert pages.discover(tx, source.id, [lead("1", **told)], now + HOUR).again == (page_id,)
        page = pages.get(tx, page_id)
        assert (page.state, page.disposition, page.next_at) == (PageState.DISCOVERED, None, now + HOUR)


def test_a_change_told_of_during_processing_is_not_lost(
    store: Store, add_source: AddSource, lead: MakeLead, fetch: Fetch, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1", title="A ferry")], now).new[0]
        fetch(tx, page_id)
        pages.discover(tx, source.id, [lead("1", title="A ferry sank")], now + HOUR)
        assert pages.get(tx, page_id).state is PageState.FETCHED
        pages.finish(tx, page_id, Disposition.REJECTED, "too_short", now + HOUR)
        page = pages.get(tx, page_id)
        assert (page.state, page.disposition, page.next_at) == (PageState.DISCOVERED, None, now + HOUR)


def test_a_fetched_page_waits_until_a_message_tells_of_it(
    store: Store, add_source: AddSource, lead: MakeLead, fetch: Fetch, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1")], now).new[0]
        assert pages.unannounced(tx, now, 10) == []
        fetch(tx, page_id)
        assert pages.unannounced(tx, now, 10) == [page_id]
        pages.announced(tx, [page_id], now)
        assert pages.unannounced(tx, now, 10) == []
        assert pages.unannounced(tx, now + HOUR, 10) == [page_id]  # the message was lost


def test_a_failed_fetch_is_tried_later(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1")], now).new[0]
        pages.postpone(tx, page_id, now + HOUR, attempts=1)
        assert pages.waiting(tx, "harbour.example", now, 10) == []
        assert [page.attempts for page in pages.waiting(tx, "harbour.example", now + HOUR, 10)] == [1]


def test_a_waiting_page_tells_why_it_waits(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1")], now).new[0]
        pages.postpone(tx, page_id, now + HOUR, attempts=1, reason="timeout")
        pages.postpone(tx, page_id, now + HOUR, attempts=2)
        assert pages.get(tx, page_id).reason == "timeout"


def test_what_a_source_has_shown_is_counted_for_it_alone(
    store: Store, add_source: AddSource, lead: MakeLead, now: datetime
) -> None:
    first, second = lead("1"), lead("2")
    with store.writing() as tx:
        one, other = add_source(tx), add_source(tx, "other")
        pages.discover(tx, one.id, [first, second], now)
        pages.discover(tx, other.id, [first], now)
        keys = [first.key, second.key, "https://harbour.example/never"]
        assert (pages.shown_by(tx, one.id, keys), pages.shown_by(tx, other.id, keys)) == (2, 1)


def test_important_and_fresh_pages_go_first(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        pages.discover(tx, source.id, [lead("old")], now - HOUR)
        pages.discover(tx, source.id, [lead("new")], now)
        pages.discover(tx, source.id, [lead("wanted")], now - HOUR, priority=1)
        order = [page.url.rsplit("/", 1)[1] for page in pages.waiting(tx, "harbour.example", now, 10)]
        assert order == ["wanted", "new", "old"]


def test_redirects_across_sites_are_followed_on_paper(
    store: Store, add_source: AddSource, lead: MakeLead, now: datetime
) -> None:
    a, b = lead("a"), lead("b")
    with store.writing() as tx:
        source = add_source(tx)
        first, second = pages.discover(tx, source.id, [a, b], now).new
        pages.finish(tx, first, Disposition.DUPLICATE, "redirected", now, redirect_to=b.key)
        assert pages.leads_to(tx, a.key) == [a.key, b.key]
        pages.finish(tx, second, Disposition.DUPLICATE, "redirected", now, redirect_to=a.key)
        assert pages.leads_to(tx, a.key) == [a.key, b.key]  # ends, although it goes round


def test_counts_tell_every_page_once(store: Store, add_source: AddSource, lead: MakeLead, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        first, *_ = pages.discover(tx, source.id, [lead("1"), lead("2")], now).new
        pages.finish(tx, first, Disposition.REJECTED, "too_short", now)
        assert pages.counts(tx) == {("done", "rejected", "too_short"): 1, ("discovered", None, None): 1}


def test_a_missing_page_is_named(store: Store) -> None:
    with store.reading() as tx, pytest.raises(NotFound, match="no page has id 7"):
        pages.get(tx, 7)


def test_the_sources_of_a_site_take_turns(
    store: Store, add_source: Callable[..., Source], lead: Callable[..., Lead], now: datetime
) -> None:
    with store.writing() as tx:
        large, small = add_source(tx, "large"), add_source(tx, "small")
        pages.discover(tx, small.id, [lead("s1"), lead("s2")], now)
        pages.discover(tx, large.id, [lead(f"l{number}") for number in range(50)], now + timedelta(hours=1))
        turns = [page.source_id for page in pages.waiting(tx, "harbour.example", now + timedelta(hours=2), 6)]
        assert turns == [large.id, small.id, large.id, small.id, large.id, large.id]
