from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.follow import SECOND_LOOK, close, follow, put_off
from crawler.leads import lead_of
from storage import articles, pages, quarantine, reading, snapshots, sources
from storage.records import (
    Candidate,
    Clean,
    Decision,
    DecisionKind,
    Disposition,
    Exchange,
    Filing,
    Fingerprint,
    Hints,
    Lead,
    Page,
    PageState,
    SourceConfig,
    Via,
)
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://a.example/story"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(load_settings({"data": tmp_path}, {}, tmp_path / "none.toml"))
    config = SourceConfig(name="a", url="https://a.example/feed")
    found.write(lambda tx: sources.add(tx, config, site="a.example", now=NOW, interval_s=60))
    yield found
    found.close()


def seen(store: Store, url: str = URL, hops: int = 0) -> Page:
    lead = lead_of(Candidate(url=url, via=Via.FEED, hints=Hints(title="Ferries run on time")))
    assert isinstance(lead, Lead)
    store.write(lambda tx: pages.discover(tx, 1, [lead], NOW, hops=hops))
    return now_of(store, url)


def now_of(store: Store, url: str = URL) -> Page:
    with store.reading() as tx:
        page = pages.find(tx, url)
    assert page is not None
    return page


def with_article(store: Store) -> Page:
    """A page that became an article and is now being fetched once more."""
    page = seen(store)
    clean = Clean(url=URL, title="Ferries run on time", text="They do.", blocks=(), fetched_at=NOW)
    exchange = Exchange(url=URL, status=200, headers=(), body=b"x", fetched_at=NOW)
    print_ = Fingerprint(algorithm=1, exact=1, marks=b"")
    with store.writing() as tx:
        pages.fetched(tx, page.id, snapshots.keep(tx, page.id, exchange), NOW)
        filing = Filing(
            page=pages.get(tx, page.id),
            clean=clean,
            fingerprint=print_,
            content_hash="h",
            word_count=2,
            decision=Decision(kind=DecisionKind.NEW, reason="first"),
        )
        article_id = articles.file(tx, filing, NOW)
        pages.finish(tx, page.id, Disposition.ARTICLE, "new", NOW, article_id=article_id)
        pages.refetch(tx, [page.id], NOW)
    return now_of(store)


def withdrawn(store: Store) -> str | None:
    with store.reading() as tx:
        article = reading.at(tx, URL)
    assert article is not None
    return article.withdrawn_reason


def test_the_target_becomes_a_page_with_the_hints_of_the_listing(store: Store) -> None:
    page = seen(store)
    reason = store.write(lambda tx: follow(tx, page, "https://b.example/x?utm_source=a", NOW, max_redirects=5))
    target = now_of(store, "https://b.example/x")
    assert (reason, target.site, target.hops, target.state) == ("redirected", "b.example", 1, PageState.DISCOVERED)
    assert now_of(store).disposition is Disposition.DUPLICATE
    with store.reading() as tx:
        (sighting,) = pages.sightings(tx, target.id)
    assert (sighting.via, sighting.hints.title) == (Via.REDIRECT, "Ferries run on time")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://169.254.169.254/", "blocked_address"),
        ("javascript:void(0)", "blocked_scheme"),
        ("https://", "bad_url"),
        (f"{URL}#again", "redirect_loop"),
    ],
)
def test_a_target_that_may_not_be_followed_closes_the_page(store: Store, target: str, reason: str) -> None:
    page = seen(store)
    assert store.write(lambda tx: follow(tx, page, target, NOW, max_redirects=5)) == reason
    assert (now_of(store).disposition, now_of(store).reason) == (Disposition.REJECTED, reason)


def test_a_chain_across_sites_ends_when_it_comes_back_or_grows_too_long(store: Store) -> None:
    page, other = seen(store), "https://b.example/x"
    store.write(lambda tx: follow(tx, page, other, NOW, max_redirects=5))
    second = now_of(store, other)
    assert store.write(lambda tx: follow(tx, second, URL, NOW, max_redirects=5)) == "redirect_loop"
    far = seen(store, "https://c.example/y", hops=5)
    assert store.write(lambda tx: follow(tx, far, "https://d.example/z", NOW, max_redirects=5)) == "redirect_limit"


def test_an_article_outlives_its_page_and_is_withdrawn_at_the_second_look(store: Store) -> None:
    page, later = with_article(store), NOW + SECOND_LOOK
    assert store.write(lambda tx: close(tx, page, "http_404", NOW)) == "gone_http_404_perhaps"
    waiting = now_of(store)
    assert (waiting.state, waiting.next_at, waiting.reason) == (PageState.DISCOVERED, later, "gone_http_404")
    assert withdrawn(store) is None
    assert store.write(lambda tx: close(tx, waiting, "http_410", later - timedelta(seconds=1))) != "gone_http_410"
    assert store.write(lambda tx: close(tx, waiting, "http_410", later)) == "gone_http_410"
    after = now_of(store)
    assert (after.disposition, after.article_id) == (Disposition.ARTICLE, page.article_id)
    assert withdrawn(store) == "gone_http_410"


def test_an_article_that_leads_home_to_another_site_is_gone(store: Store) -> None:
    page = with_article(store)
    assert store.write(lambda tx: follow(tx, page, "https://b.example/", NOW, max_redirects=5)).startswith("gone_")


def test_what_was_never_an_article_is_not_looked_at_twice(store: Store) -> None:
    page = seen(store)
    assert store.write(lambda tx: close(tx, page, "http_410", NOW)) == "http_410"


def test_a_redirect_into_a_trap_ends_there(store: Store) -> None:
    page = seen(store)
    trap = "https://b.example/x/y/x/y/story"
    assert store.write(lambda tx: follow(tx, page, trap, NOW, max_redirects=5)) == "trap_repeating_path"


def test_an_article_outlives_a_failing_server(store: Store) -> None:
    page = with_article(store)
    reason = store.write(lambda tx: put_off(tx, page, "http_502", NOW, max_attempts=1))
    assert (reason, now_of(store).disposition) == ("kept_http_502", Disposition.ARTICLE)


def test_an_article_outlives_a_move(store: Store) -> None:
    page = with_article(store)
    store.write(lambda tx: follow(tx, page, "https://b.example/x", NOW, max_redirects=5))
    assert (now_of(store).disposition, now_of(store).reason) == (Disposition.ARTICLE, "redirected")


def test_a_failed_try_waits_and_the_last_one_is_quarantined(store: Store) -> None:
    page = seen(store)
    store.write(lambda tx: put_off(tx, page, "timeout", NOW, max_attempts=2, wait=timedelta(hours=2)))
    waiting = now_of(store)
    assert (waiting.attempts, waiting.reason, waiting.next_at) == (1, "timeout", NOW + timedelta(hours=2))
    store.write(lambda tx: put_off(tx, waiting, "timeout", NOW, max_attempts=2))
    with store.reading() as tx:
        assert quarantine.get(tx, page.id).attempts == 2


def test_a_lasting_failure_is_not_tried_again(store: Store) -> None:
    page = seen(store)
    assert store.write(lambda tx: put_off(tx, page, "http_404", NOW, max_attempts=9)) == "http_404"
    assert now_of(store).disposition is Disposition.REJECTED
