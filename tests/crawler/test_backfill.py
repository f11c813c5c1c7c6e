"""Backfills: a span of the past out of the sitemaps, after the news, and on after an interruption."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import backfills, sources
from storage.backfills import Backfill
from storage.records import SourceKind

World = Any  # of conftest.py, which nobody can import

SINCE, UNTIL = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)


def urlset(site: Any, *paths: str) -> bytes:
    return f"<urlset>{''.join(f'<url><loc>{site.url(path)}</loc></url>' for path in paths)}</urlset>".encode()


def index(site: Any, *paths: str) -> bytes:
    named = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in paths)
    return f"<sitemapindex>{named}</sitemapindex>".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Sites with a past, crawled twice."""

    world: World
    site: dict[str, Any]
    first: dict[str, Backfill]
    """How far the backfills were after the first crawl."""
    asked: dict[str, list[str]]
    """What the sites were asked for until then."""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Past]:
    world = make_world(tmp_path_factory.mktemp("past"))
    site = {name: old_site(world, name) for name in ("whole", "broken", "busy", "known")}
    site["bare"] = world.site()
    site["bare"].add_feed("/feed", [])
    world.watch("bare", site["bare"].url("/feed"), SourceKind.FEED)
    site["broken"].on("/map-2025-03b.xml", status=503)
    site["busy"].on("/news/1", status=503, Retry_After="1")  # it stays to be fetched, and the site has to be left alone
    site["known"].add_feed("/feed", ["/2025/03/01/a"])
    for name in site:
        if name != "known":
            ask(world, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAST_TOKEN", "t0psecret")
        world.crawl()
    ask(world, "known")
    first = {name: job(world, name) for name in site}
    asked = {name: one.paths() for name, one in site.items()}
    site["broken"].on("/map-2025-03b.xml", urlset(site["broken"], "/2025/03/30/c"))
    world.make_due([site["broken"], site["known"]])
    world.crawl()
    yield Past(world=world, site=site, first=first, asked=asked)
    world.close()


def old_site(world: World, name: str) -> Any:
    site = world.site()
    site.on("/robots.txt", f"User-agent: *\nDisallow:\nSitemap: {site.url('/index.xml')}\n".encode())
    site.on("/index.xml", index(site, "/map-2025-02.xml", "/map-2025-03a.xml", "/map-2025-03b.xml", "/map-2025-06.xml"))
    site.on("/map-2025-03a.xml", urlset(site, "/2025/03/01/a", "/2025/03/02/b", "/undated"))
    site.on("/map-2025-03b.xml", urlset(site, "/2025/03/30/c", "/2025/05/09/late"))
    site.add_pages("/2025/03/01/a", "/2025/03/02/b", "/2025/03/30/c", "/news/1")
    site.add_feed("/feed", ["/news/1"])
    world.watch(name, site.url("/feed"), SourceKind.FEED, bearer="PAST_TOKEN" if name == "whole" else None)
    return site


def ask(world: World, name: str, until: datetime = UNTIL) -> Backfill:
    def write(tx: Any) -> Backfill:
        return backfills.start(tx, sources.get(tx, name).id, SINCE, until, datetime.now(UTC))

    found: Backfill = world.store.write(write)
    return found


def job(world: World, name: str) -> Backfill:
    with world.store.reading() as tx:
        found = backfills.of_source(tx, sources.get(tx, name).id)
    assert found is not None
    return found


def test_a_span_is_fetched_after_the_news_and_nothing_else(past: Past) -> None:
    paths = past.asked["whole"]
    assert paths[:3] == ["/robots.txt", "/feed", "/news/1"]
    found = ["/2025/03/01/a", "/2025/03/02/b", "/2025/03/30/c"]
    assert sorted(path for path in paths if path.startswith("/2025")) == found
    assert "/map-2025-02.xml" in paths  # the last day of February is the first of March somewhere
    assert "/map-2025-06.xml" not in paths
    done, site = past.first["whole"], past.site["whole"]
    assert (done.state, done.found, done.undated, done.todo) == ("done", 3, 1, ())
    assert done.failed == (f"http_404 {site.url('/map-2025-02.xml')}",)
    assert past.world.page(site.url("/2025/03/01/a")).priority < past.world.page(site.url("/news/1")).priority


def test_it_asks_with_the_sources_credentials(past: Past) -> None:
    asked = [one for one in past.site["whole"].log if one.path != "/robots.txt"]
    assert {"/index.xml", "/map-2025-03a.xml", "/2025/03/01/a"} <= {one.path for one in asked}
    assert {one.headers.get("Authorization") for one in asked} == {"Bearer t0psecret"}
    assert all("Authorization" not in one.headers for one in past.site["known"].log)


def test_it_goes_on_where_it_was_interrupted(past: Past) -> None:
    stopped, site = past.first["broken"], past.site["broken"]
    assert (stopped.state, stopped.found, stopped.todo) == ("open", 2, (site.url("/map-2025-03b.xml"),))
    done = job(past.world, "broken")
    assert (done.state, done.found) == ("done", 3)
    assert site.paths().count("/map-2025-03a.xml") == 1


def test_it_waits_while_pages_of_the_news_wait(past: Past) -> None:
    assert "/index.xml" not in past.asked["busy"]
    assert (past.first["busy"].state, past.first["busy"].done) == ("open", ())


def test_known_pages_are_not_fetched_again(past: Past) -> None:
    assert past.site["known"].paths().count("/2025/03/01/a") == 1
    done = job(past.world, "known")
    assert (done.state, done.found) == ("done", 2)


def test_a_site_without_sitemaps_says_so(past: Past) -> None:
    missing = past.site["bare"].url("/sitemap.xml")
    assert (past.first["bare"].state, past.first["bare"].failed) == ("no_sitemap", (f"http_404 {missing}",))


def test_the_same_span_goes_on_and_another_takes_its_place(world: World) -> None:
    old_site(world, "it")
    ask(world, "it")
    world.store.write(lambda tx: backfills.stop(tx, sources.get(tx, "it").id))
    assert job(world, "it").state == "stopped"
    assert ask(world, "it").state == "open"
    with world.store.reading() as tx:
        assert backfills.open_at(tx, sources.get(tx, "it").site) == [job(world, "it")]
    later = UNTIL + timedelta(days=1)
    assert ask(world, "it", later).until == later
