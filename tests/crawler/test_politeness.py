"""Whole crawls of sites that stand in the way: traps, block pages, protests, removals, broken bodies."""

import gzip
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import doubts, pages, sites
from storage.records import Disposition, PageState, SourceKind

World = Any  # of conftest.py, which nobody can import
Site = Any


def html(links: str) -> bytes:
    return f"<!doctype html><title>News</title><main>{links}</main>".encode()


def link(path: str, words: str = "A headline that is long enough to be one of a story") -> str:
    return f'<h2><a href="{path}">{words}</a></h2>'


def test_a_site_without_end_ends_and_says_why(world: World) -> None:
    site = world.site()
    months = "".join(link(f"/calendar/{year}/{month:02}") for year in range(2020, 2040) for month in range(1, 13))
    facets = "".join(link(f"/find?colour={n}&size={n}&brand={n}") for n in range(60))
    pager = "".join(link(f"/news/page/{n}/") for n in range(200))
    circles = "".join(link("/a/b" * n + "/story-of-the-day") for n in range(2, 30))
    sessions = "".join(link(f"/news/one-story-about-ferries?PHPSESSID={n:032x}") for n in range(50))
    flood = "".join(link(f"/news/made-up-story-number-{n}") for n in range(700))
    site.on("/news/", html(months + facets + pager + circles + sessions + flood), Content_Type="text/html")
    world.watch("news", site.url("/news/"), SourceKind.SECTION)
    report = world.crawl(pages_per_site=5)
    with world.store.reading() as tx:
        found = sum(pages.counts(tx).values())
    assert found <= 500
    assert report.fetched <= 5
    told = {reason for reason in report.counts if reason.startswith("dropped_trap")}
    assert {"dropped_trap_repeating_path", "dropped_trap_facets", "dropped_trap_budget"} <= told, report.counts


def test_chains_and_loops_end_with_a_reason(world: World) -> None:
    site = world.site()
    for number in range(40):
        site.redirect(f"/chain/{number}", f"/chain/{number + 1}")
    site.redirect("/grows", "/grows/x/grows/x/grows/x/story")
    site.add_feed("/feed", ["/chain/0", "/grows"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    assert world.page(site.url("/chain/0")).reason == "redirect_limit"
    assert len(site.log) < 12


def test_a_block_page_postpones_the_page_and_the_second_ends_the_turn(world: World) -> None:
    site = world.site()
    for path in ("/1", "/2", "/3", "/4"):
        site.on(path, b"<title>Just a moment...</title>", status=403, Content_Type="text/html")
    site.on("/3", b"no", status=403, Cf_Mitigated="challenge")
    site.add_feed("/feed", ["/1", "/2", "/3", "/4"])
    world.watch("a", site.url("/feed"))
    report = world.crawl()
    assert report.counts["blocked_page"] == 2
    asked = [path for path in site.paths() if path not in ("/robots.txt", "/feed")]
    assert len(asked) == 2
    page = world.page(site.url(asked[0]))
    assert (page.state, page.reason, page.disposition) == (PageState.DISCOVERED, "blocked_page", None)
    assert page.next_at > datetime.now(UTC) + timedelta(minutes=55)
    with world.store.reading() as tx:
        found = sites.get(tx, site.address)
    assert found is not None
    assert found.blocked_for == "blocked_page"
    assert found.blocked_until is not None
    assert found.blocked_until > datetime.now(UTC)


def test_a_plain_403_is_no_block_page(world: World) -> None:
    site = world.site()
    site.on("/1", b"<title>Forbidden</title>", status=403, Content_Type="text/html")
    site.add_feed("/feed", ["/1"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    assert world.page(site.url("/1")).reason == "http_403"


def test_a_body_cut_short_inside_its_compression_is_tried_again(world: World) -> None:
    site = world.site()
    whole = gzip.compress(site.html("/cut") * 50)
    site.on("/cut", whole[: len(whole) // 2], Content_Type="text/html", Content_Encoding="gzip")
    site.add_feed("/feed", ["/cut"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    page = world.page(site.url("/cut"))
    assert (page.state, page.reason, page.snapshot_id) == (PageState.DISCOVERED, "truncated", None)


def test_of_a_film_only_the_headers_are_read(world: World) -> None:
    site = world.site()
    # more than the limit: reading it would end as `too_large`
    site.on("/film", b"x" * 3_000_000, Content_Type="video/mp4")
    site.on("/paper", b"%PDF" * 500_000, Content_Type="application/pdf")
    site.add_feed("/feed", ["/film", "/paper"])
    world.watch("a", site.url("/feed"))
    world.crawl(max_bytes=4_000_000, timeout_s=20)
    for path in ("/film", "/paper"):
        page = world.page(site.url(path))
        assert (page.disposition, page.reason) == (Disposition.REJECTED, "not_html")


def test_a_protest_of_robots_txt_is_heard(world: World) -> None:
    site = world.site()
    site.on("/robots.txt", b"", status=429, Retry_After="120")
    site.add_feed("/feed", ["/1"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    assert site.paths() == ["/robots.txt"]
    with world.store.reading() as tx:
        found = sites.get(tx, site.address)
    assert found is not None
    assert found.blocked_for == "retry_after"
    assert found.blocked_until is not None
    assert found.blocked_until > datetime.now(UTC) + timedelta(seconds=100)


def test_a_feed_on_a_busy_site_waits_and_on_a_free_one_is_read(world: World) -> None:
    site, host = world.site(), world.site()
    host.add_feed("/feed", ["/x"])
    host.add_pages("/x")
    site.redirect("/feed", host.url("/feed"))
    world.watch("a", site.url("/feed"))
    with world.store.writing() as tx:
        now = datetime.now(UTC)
        assert sites.borrow(tx, "another", host.address, now, lease=timedelta(minutes=5))
        sites.rest(tx, host.address, now + timedelta(minutes=5), "delay")
    world.crawl()
    assert (host.log, world.poll("a").outcome) == ([], "site_busy")
    with world.store.writing() as tx:
        sites.release(tx, "another", [host.address])
    world.make_due([site, host])
    world.crawl()
    assert world.poll("a").outcome == "ok"
    assert "/feed" in host.paths()
    assert world.leases() == [None, None]


@pytest.mark.parametrize("ending", ["gone", "home"])
def test_an_article_that_is_gone_is_looked_at_once_more(
    world: World, ending: str, filed: Callable[[World, str], None]
) -> None:
    site = world.site()
    site.add_pages("/")
    site.on(
        "/story",
        site.html("/story").replace(b"</p>", b" It was a good week for the ferries.</p>") * 2,
        Content_Type="text/html",
    )
    site.add_feed("/feed", ["/story"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    filed(world, site.url("/story"))
    site.on("/story", status=410) if ending == "gone" else site.redirect("/story", "/")
    world.make_due([site])
    report = world.crawl(gone_after_s=0)
    reason = "gone_http_410" if ending == "gone" else "gone_redirected_home"
    page = world.page(site.url("/story"))
    assert page.reason == reason
    assert page.disposition is Disposition.ARTICLE
    assert report.counts[reason] == 1
    with world.store.reading() as tx:
        assert doubts.gone_since(tx, page.id) is None


@pytest.fixture
def filed() -> Callable[[World, str], None]:
    """Lets a fetched page stand as an article's, which is to be fetched once more."""

    def file(world: World, url: str) -> None:
        from tasks.process import process_page  # noqa: PLC0415 - only these tests file anything

        page = world.page(url)
        process_page(world.store, page.id, now=datetime.now(UTC), recipes={}, settings=world.settings())
        assert world.page(url).article_id is not None
        with world.store.writing() as tx:
            pages.refetch(tx, [page.id], datetime.now(UTC))

    return file


def test_a_request_that_waits_beside_one_that_is_told_to_wait_is_not_sent(world: World) -> None:
    site = world.site()
    site.add_pages("/a1", "/a2", "/a3")
    site.add_feed("/feed", ["/a1", "/a2", "/a3"])
    for path in ("/a2", "/a3"):  # the first page goes alone, and these two together
        site.on(path, status=429, Retry_After="100")
    world.watch("wide", site.url("/feed"), SourceKind.FEED, concurrency=2, delay_s=0.3)
    world.crawl()
    assert site.paths()[-2:] in (["/a1", "/a2"], ["/a1", "/a3"])
    waiting = [world.page(site.url(path)) for path in ("/a2", "/a3")]
    assert {page.state for page in waiting} == {PageState.DISCOVERED}
    assert sorted(page.attempts for page in waiting) == [0, 1]


def test_two_at_a_time_are_a_delay_apart_though_the_first_has_to_connect(world: World) -> None:
    site = world.site()
    paths = [f"/a{number}" for number in range(6)]
    site.add_pages(*paths)
    site.add_feed("/feed", paths)

    def work() -> None:
        threading.Event().wait(0.4)

    site.watch = work
    world.watch("wide", site.url("/feed"), SourceKind.FEED, concurrency=2, delay_s=0.2)
    world.crawl()
    times = [asked.at for asked in site.log]
    assert len(times) == 8
    gaps = [later - before for before, later in itertools.pairwise(times)]
    assert min(gaps) > 0.195
    assert min(gaps) < 0.55  # the second did not wait for the answer to the first
