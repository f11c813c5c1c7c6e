"""A robots.txt that redirects to another site: that site's lease, pace and wishes hold, and its own log judges."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import sites
from storage.records import Disposition, PageState

World = Any  # of conftest.py, which nobody can import
Site = Any

SLOW = "User-agent: *\nDisallow: /private/\nCrawl-delay: 0.6\n"
FORBIDDING = b"User-agent: *\nDisallow: /"


def moved(world: World, to: str) -> Site:
    """A site with a feed of two stories, one of them forbidden by the rules that its robots.txt leads to."""
    site = world.site()
    site.redirect("/robots.txt", to)
    site.add_pages("/story", "/private/story")
    site.add_feed("/feed", ["/story", "/private/story"])
    world.watch(site.address, site.url("/feed"))
    return site


def watched(world: World, robots: str = "") -> Site:
    """A site that others lead to, and that is polled itself."""
    site = world.site(robots=robots)
    site.on("/rules", SLOW.encode(), Content_Type="text/plain")
    site.add_feed("/feed", [])
    world.watch(site.address, site.url("/feed"))
    return site


def gaps(site: Site) -> list[float]:
    times = [asked.at for asked in site.log]
    return [later - before for before, later in itertools.pairwise(times)]


def judged(world: World, *some: Site) -> None:
    """The rules that the redirect led to hold for the sites themselves."""
    for site in some:
        assert sorted(site.paths()) == ["/feed", "/robots.txt", "/story"]
        page = world.page(site.url("/private/story"))
        assert (page.disposition, page.reason) == (Disposition.REJECTED, "robots_disallowed")


@dataclass(slots=True, kw_only=True)
class Town:
    """All kinds of it, crawled twice."""

    world: World
    host: dict[str, Site] = field(default_factory=dict)
    led: dict[str, list[Site]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def town(make_world: Callable[..., World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    world: World = make_world(Path(tmp_path_factory.mktemp("town")))
    found = Town(world=world)
    kinds = {
        "shared": "/robots.txt",
        "forbids": "/private/rules",
        "robots says 429": "/robots.txt",
        "says 429": "/rules",
    }
    for kind, path in kinds.items():
        found.host[kind] = watched(world, SLOW)
        found.led[kind] = [moved(world, found.host[kind].url(path)) for _ in range(3 if kind == "shared" else 1)]
    found.host["forbids"].on("/private/rules", FORBIDDING, Content_Type="text/plain")
    for kind in ("robots says 429", "says 429"):
        found.host[kind].on(kinds[kind], status=429, Retry_After="120")
    pair = [moved(world, "/") for _ in range(2)]
    for site, other in (pair, reversed(pair)):
        site.redirect("/robots.txt", other.url("/robots.txt"))
    found.led["each other"] = pair
    gone = world.site()
    gone.close()
    found.led["nowhere"] = [moved(world, to) for to in (gone.url("/robots.txt"), "http://192.168.0.1/")]
    world.crawl()
    world.crawl()
    yield found
    world.close()


def test_the_delay_holds_across_processes_and_against_the_sites_own_polls(world: World) -> None:
    host = watched(world, SLOW)
    some = [moved(world, host.url("/rules")) for _ in range(3)]
    assert world.store  # opened before there are threads
    threads = [threading.Thread(target=world.crawl, kwargs={"sites_per_crawl": 2}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    judged(world, *some)
    assert sorted(host.paths()) == ["/feed", "/robots.txt", "/rules", "/rules", "/rules"]
    assert min(gaps(host)) > 0.595


def test_a_robots_txt_that_serves_several_sites_is_fetched_once(town: Town) -> None:
    host = town.host["shared"]
    judged(town.world, *town.led["shared"])
    assert sorted(host.paths()) == ["/feed", "/robots.txt"]
    assert min(gaps(host)) > 0.595


@pytest.mark.parametrize("kind", ["robots says 429", "says 429"])
def test_another_site_that_asks_for_peace_gets_it_from_all(town: Town, kind: str) -> None:
    host, site = town.host[kind], town.led[kind][0]
    assert host.log[-1].path == ("/rules" if kind == "says 429" else "/robots.txt")  # and nothing after it
    assert set(site.paths()) == {"/robots.txt"}
    assert town.world.poll(site.address).outcome == "robots_unreachable"
    with town.world.store.reading() as tx:
        found, home = sites.get(tx, host.address), sites.get(tx, site.address)
    assert found is not None
    assert found.blocked_until is not None
    assert found.blocked_for == "retry_after"
    assert found.blocked_until > datetime.now(UTC) + timedelta(seconds=60)
    assert home is not None
    assert home.blocked_for != "retry_after"  # it has asked for nothing


def test_after_a_429_the_rules_are_asked_for_again_before_anything_else(world: World) -> None:
    site = world.site()
    site.on("/robots.txt", status=429, Retry_After="1")
    site.add_feed("/feed", ["/private/story"])
    world.watch("a", site.url("/feed"))
    world.crawl()
    site.on("/robots.txt", SLOW.encode(), Content_Type="text/plain")
    with world.store.writing() as tx:  # a minute later
        known = sites.robots_of(tx, [site.url("")])[site.url("")]
        sites.keep_robots(tx, replace(known, expires_at=known.expires_at - timedelta(minutes=1)))
        assert known.expires_at - known.fetched_at == timedelta(minutes=1)
    world.make_due([site])
    world.crawl()
    assert site.paths() == ["/robots.txt", "/robots.txt", "/feed"]
    assert world.page(site.url("/private/story")).reason == "robots_disallowed"


def test_a_robots_txt_that_says_429_again_after_the_rest_is_as_unavailable_as_any_4xx(world: World) -> None:
    site = world.site()
    site.on("/robots.txt", status=429, Retry_After="120")
    site.add_feed("/feed", ["/story"])
    world.watch("a", site.url("/feed"))
    for _ in range(3):
        world.crawl()
        with world.store.writing() as tx:  # two minutes later, each time
            found = sites.get(tx, site.address)
            assert found is not None
            if "/feed" not in site.paths():
                assert found.blocked_for == "retry_after", "it is left alone each time"
            sites.block(tx, site.address, None, 0)
            known = sites.robots_of(tx, [site.url("")])[site.url("")]
            times = {name: getattr(known, name) - timedelta(minutes=2) for name in ("fetched_at", "expires_at")}
            sites.keep_robots(tx, replace(known, **times))
        world.make_due([site])
    assert site.paths() == ["/robots.txt", "/robots.txt", "/feed", "/story"]


def test_what_the_other_site_forbids_is_not_fetched_and_counts_as_no_rules(town: Town) -> None:
    assert sorted(town.host["forbids"].paths()) == ["/feed", "/robots.txt"]
    assert town.world.page(town.led["forbids"][0].url("/private/story")).state is PageState.FETCHED


def test_what_leads_nowhere_counts_as_unreachable_and_is_asked_again_soon(town: Town) -> None:
    for site in town.led["nowhere"]:
        assert site.paths() == ["/robots.txt"]
        assert town.world.poll(site.address).outcome == "robots_unreachable"
        with town.world.store.reading() as tx:
            found, known = sites.get(tx, site.address), sites.robots_of(tx, [site.url("")])[site.url("")]
        assert found is not None
        assert found.blocked_for != "host_down"
        assert (known.status, known.expires_at - known.fetched_at) == (0, timedelta(minutes=10))


def test_two_that_lead_to_each_other_end_and_count_as_no_rules(town: Town) -> None:
    for site in town.led["each other"]:
        assert site.paths().count("/robots.txt") <= 3
        assert town.world.page(site.url("/story")).state is PageState.FETCHED
