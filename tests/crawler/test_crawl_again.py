"""Crawls of loopback sites in trouble, and the crawl after that."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.crawl import CrawlReport
from storage import quarantine, sites, sources
from storage.records import Disposition, PageState, Poll, SourceKind
from storage.records import Site as SiteRow

World = Any  # of conftest.py, which nobody can import
Site = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Sites in trouble, crawled, and crawled again once all but the `busy` one may be asked again."""

    world: World
    site: Mapping[str, Site]
    dead: str
    rows: Mapping[str, SiteRow | None]
    """The sites' rows between the crawls."""
    polls: Mapping[str, Poll]
    log: Mapping[str, list[str]]
    """What was asked for in the first crawl."""
    second: CrawlReport


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Return]:
    world = make_world(tmp_path_factory.mktemp("back"))
    names = ("steady", "turned", "busy", "robotless", "shielded", "lister", "failing", "one", "two", "index", "sealed")
    site = {name: world.site(sealed=name == "sealed") for name in names}
    with socket.create_server(("127.0.0.1", 0)) as unused:
        dead = f"127.0.0.1:{unused.getsockname()[1]}"
    _trouble(site)
    for name in ("steady", "turned", "busy", "lister", "failing", "one", "index", "sealed"):
        world.watch(name, site[name].url("/feed"), SourceKind.SITEMAP if name == "index" else SourceKind.FEED)
    world.watch("dead", f"http://{dead}/feed")
    options: dict[str, Any] = {"max_attempts": 2, "allow_addresses": [dead, *(one.address for one in world.sites)]}
    world.crawl(**options)
    with world.store.reading() as tx:
        rows = {name: sites.get(tx, one.address) for name, one in site.items()} | {"dead": sites.get(tx, dead)}
    polls = {name: world.poll(name) for name in ("steady", "turned", "lister", "index", "dead", "sealed")}
    log = {name: one.paths() for name, one in site.items()}
    site["turned"].on("/feed", site["turned"].html("front"), Content_Type="text/html", ETag='"o"')
    world.make_due([one for name, one in site.items() if name != "busy"])
    second = world.crawl(**options)
    yield Return(world=world, site=site, dead=dead, rows=rows, polls=polls, log=log, second=second)
    world.close()


def _trouble(site: Mapping[str, Site]) -> None:
    for name in ("steady", "turned"):
        site[name].add_pages("/a1")
        site[name].add_feed("/feed", ["/a1"], etag='"x-1"')
    site["busy"].add_pages("/a1", "/a3")
    site["busy"].on("/a2", status=429, Retry_After="120")
    site["busy"].add_feed("/feed", ["/a1", "/a2", "/a3"])
    site["robotless"].on("/robots.txt", status=503)
    site["shielded"].redirect("/robots.txt", site["lister"].url("/rules"))
    site["lister"].on("/rules", b"User-agent: copydesk\nDisallow: /")
    site["lister"].add_feed("/feed", [site["robotless"].url("/a1"), site["shielded"].url("/a1")])
    site["failing"].on("/a1", status=502)
    site["failing"].add_feed("/feed", ["/a1"])
    site["one"].add_feed("/feed", ["/x"])
    site["one"].redirect("/x", site["two"].url("/y"))
    site["two"].redirect("/y", site["one"].url("/x"))
    site["sealed"].add_feed("/feed", ["/a1"])
    _index(site["index"])


def _index(site: Site) -> None:
    site.add_pages("/s1", "/s2")
    named = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/m1", "/feed", "/m1", "/back"))
    urls = f"<urlset><url><loc>{site.url('/s1')}</loc></url><url><loc>{site.url('/s2')}</loc></url></urlset>"
    kind = {"Content_Type": "application/xml", "ETag": '"i"'}
    site.on("/feed", f"<sitemapindex>{named}</sitemapindex>".encode(), **kind)
    site.on("/m1", urls.encode(), **kind)
    site.redirect("/back", "/feed")


def test_an_unchanged_feed_is_not_read_again(back: Return) -> None:
    again = back.site["steady"].log[len(back.log["steady"]) :]
    assert [(asked.path, asked.headers["If-None-Match"]) for asked in again] == [("/feed", '"x-1"')]
    assert back.world.poll("steady").outcome == "not_modified"
    with back.world.store.reading() as tx:
        found = sources.get(tx, "steady")
    assert (found.etag, found.body_digest is not None, found.failures) == ('"x-1"', True, 0)


def test_a_failed_poll_keeps_the_validators_and_deletes_nothing(back: Return) -> None:
    assert (back.polls["turned"].outcome, back.world.poll("turned").outcome) == ("ok", "not_a_feed")
    with back.world.store.reading() as tx:
        found = sources.get(tx, "turned")
    assert (found.etag, found.failures > 0) == ('"x-1"', True)
    assert back.world.page(back.site["turned"].url("/a1")).state is PageState.FETCHED


def test_a_site_that_asks_for_peace_gets_it(back: Return) -> None:
    assert back.log["busy"][-1] == "/a2", "nothing was asked after the 429"
    row = back.rows["busy"]
    assert row is not None
    assert row.blocked_until is not None
    assert row.blocked_until > datetime.now(UTC) + timedelta(seconds=60)
    assert back.site["busy"].address not in back.second.sites
    assert back.site["busy"].paths() == back.log["busy"]


def test_unreachable_robots_hold_the_pages_back(back: Return) -> None:
    page = back.world.page(back.site["robotless"].url("/a1"))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, "robots_unreachable", 0)
    assert back.site["robotless"].paths() == ["/robots.txt"]


def test_the_rules_of_redirected_robots_hold_for_the_first_host(back: Return) -> None:
    page = back.world.page(back.site["shielded"].url("/a1"))
    assert (page.disposition, page.reason) == (Disposition.REJECTED, "robots_disallowed")
    assert back.site["shielded"].paths() == ["/robots.txt"]


def test_a_host_that_is_down_is_left_alone_for_a_while(back: Return) -> None:
    row = back.rows["dead"]
    assert row is not None
    assert row.blocked_until is not None
    assert (back.polls["dead"].outcome, row.failures) == ("refused", 1)
    assert row.blocked_until > datetime.now(UTC)
    assert back.dead not in back.second.sites


def test_a_certificate_that_nobody_vouches_for_is_refused(back: Return) -> None:
    assert back.polls["sealed"].outcome == "tls"
    assert back.site["sealed"].log == []


def test_a_page_that_keeps_failing_is_quarantined(back: Return) -> None:
    page = back.world.page(back.site["failing"].url("/a1"))
    with back.world.store.reading() as tx:
        found = quarantine.get(tx, page.id)
    assert (page.disposition, found.stage, found.error) == (Disposition.QUARANTINED, "fetch", "http_502")


def test_redirects_between_two_sites_end(back: Return) -> None:
    one, two = back.site["one"], back.site["two"]
    assert back.world.page(one.url("/x")).reason == "redirected"
    page = back.world.page(two.url("/y"))
    assert (page.disposition, page.reason) == (Disposition.REJECTED, "redirect_loop")
    assert (one.paths().count("/x"), two.paths().count("/y")) == (1, 1)


def test_an_index_of_sitemaps_is_read_file_by_file(back: Return) -> None:
    assert back.log["index"] == ["/robots.txt", "/feed", "/m1", "/back", "/s1", "/s2"]
    assert (back.polls["index"].outcome, back.polls["index"].entries) == ("ok", 2)


def test_an_index_is_read_without_conditions(back: Return) -> None:
    again = back.site["index"].log[len(back.log["index"]) :]
    assert [asked.path for asked in again] == ["/feed", "/m1", "/back"]
    assert "If-None-Match" not in again[0].headers
