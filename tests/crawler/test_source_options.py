"""What a source's entry says of its requests, seen from the site's side."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from storage import sources
from storage.records import SourceKind

World = Any  # of conftest.py, which nobody can import


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A crawl of sites whose sources say how they want to be asked."""

    world: World
    site: dict[str, Any]
    most_at_once: int


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Asked]:
    world = make_world(tmp_path_factory.mktemp("asked"))
    names = ("secret", "other", "unset", "far", "hidden", "slow", "wide", "proxy", "picky", "ranked")
    site = {name: world.site() for name in names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TOKEN", "t0psecret")
        patch.setenv("A_SID", "s1dsecret")
        most = _fill(world, site)
        for _ in range(2):  # the second time for what the first found on a site that nobody watches
            world.crawl(proxies=[site["proxy"].url().rstrip("/")])
    yield Asked(world=world, site=site, most_at_once=most[0])
    world.close()


def _fill(world: World, site: dict[str, Any]) -> list[int]:
    for name in ("secret", "other", "unset", "slow", "wide", "picky", "ranked"):
        site[name].add_pages("/a1", "/a2", "/a3", "/a4", "/a5")
    site["secret"].add_feed("/feed", ["/a1", site["other"].url("/a1")])
    headers = (("X-Plain", "p1"), ("X-Key", "env:A_SID"))
    cookies = (("seen", "yes"), ("sid", "env:A_SID"))
    world.watch("secret", site["secret"].url("/feed"), headers=headers, cookies=cookies, bearer="A_TOKEN")
    named = f"<sitemap><loc>{site['secret'].url('/m1')}</loc></sitemap>"
    site["secret"].on("/index", f"<sitemapindex>{named}</sitemapindex>".encode())
    site["secret"].on("/m1", b"<urlset></urlset>")
    world.watch("index", site["secret"].url("/index"), SourceKind.SITEMAP, bearer="A_TOKEN")
    world.watch("unset", site["unset"].url("/feed"), basic="NOBODY_SET_THIS")
    proxy = site["proxy"].url().rstrip("/")
    site["proxy"].on(site["far"].url("/robots.txt"), status=404)
    site["proxy"].add_feed(site["far"].url("/feed"), [site["far"].url("/a1")])
    site["proxy"].add_pages(site["far"].url("/a1"))
    world.watch("far", site["far"].url("/feed"), proxy=proxy)
    world.watch("hidden", site["hidden"].url("/feed"), proxy="http://proxy.example:3128")
    site["slow"].add_feed("/feed", ["/a1"])
    world.watch("slow", site["slow"].url("/feed"), delay_s=0.6)
    site["wide"].add_feed("/feed", ["/a1", "/a2", "/a3", "/a4", "/a5"])
    world.watch("wide", site["wide"].url("/feed"), SourceKind.FEED, concurrency=2)
    site["picky"].add_feed("/feed", ["/a1", "/a2", "/a3"])
    world.watch("picky", site["picky"].url("/feed"), include=("/a[12]$",), exclude=("/a2$",))
    site["ranked"].add_feed("/low", ["/a1", "/a2"])
    site["ranked"].add_feed("/high", ["/a3", "/a4"])
    world.watch("low", site["ranked"].url("/low"), priority=1)
    world.watch("high", site["ranked"].url("/high"), priority=2)
    return _count(site["wide"])


def _count(site: Any) -> list[int]:
    """The most requests that the site works on at the same time; each takes a while."""
    most, now, door = [0], [0], threading.Lock()

    def work() -> None:
        with door:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.15)
        with door:
            now[0] -= 1

    site.watch = work
    return most


def sent(site: Any, path: str) -> dict[str, str]:
    [one] = [asked for asked in site.log if asked.path == path]
    return {name.lower(): value for name, value in one.headers.items()}


@pytest.mark.parametrize("path", ["/feed", "/a1"])
def test_headers_cookies_and_credentials_go_to_the_sources_own_site(asked: Asked, path: str) -> None:
    got = sent(asked.site["secret"], path)
    assert (got["x-plain"], got["x-key"]) == ("p1", "s1dsecret")
    assert (got["cookie"], got["authorization"]) == ("seen=yes; sid=s1dsecret", "Bearer t0psecret")


def test_credentials_go_with_the_files_of_an_index_too(asked: Asked) -> None:
    assert sent(asked.site["secret"], "/m1")["authorization"] == "Bearer t0psecret"


def test_and_nowhere_else(asked: Asked) -> None:
    assert not {"x-plain", "x-key", "cookie", "authorization"} & sent(asked.site["other"], "/a1").keys()


def test_no_secret_is_stored(asked: Asked) -> None:
    with asked.world.store.reading() as tx:
        rows = tx.exec_driver_sql("SELECT request_headers FROM snapshot").scalars().all()
        configs = tx.exec_driver_sql("SELECT config FROM source").scalars().all()
    assert "withheld" in str(rows)
    assert "p1" in str(rows)
    assert "t0psecret" not in str(rows) + str(configs)
    assert "s1dsecret" not in str(rows) + str(configs)


def test_a_secret_that_is_not_set_is_our_fault_and_nothing_is_asked(asked: Asked) -> None:
    poll = asked.world.poll("unset")
    assert (poll.outcome, "NOBODY_SET_THIS" in poll.note) == ("no_credentials", True)
    assert asked.site["unset"].log == []
    with asked.world.store.reading() as tx:
        assert sources.get(tx, "unset").failures == 0


def test_all_requests_to_a_site_go_through_the_proxy_of_its_source(asked: Asked) -> None:
    assert asked.world.poll("far").outcome == "ok"
    assert asked.site["far"].log == []
    assert asked.site["proxy"].paths() == [asked.site["far"].url(path) for path in ("/robots.txt", "/feed", "/a1")]


def test_a_proxy_that_the_operator_does_not_name_is_not_used_nor_gone_without(asked: Asked) -> None:
    assert asked.world.poll("hidden").outcome == "proxy_not_allowed"
    assert asked.site["hidden"].log == []


def test_a_source_slows_its_site_down(asked: Asked) -> None:
    times = [one.at for one in asked.site["slow"].log]
    assert len(times) == 3
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.6


def test_some_requests_may_run_at_the_same_time_and_no_more(asked: Asked) -> None:
    assert sorted(asked.site["wide"].paths()) == ["/a1", "/a2", "/a3", "/a4", "/a5", "/feed", "/robots.txt"]
    assert asked.most_at_once == 2


def test_only_addresses_that_are_included_and_not_excluded_are_asked_for(asked: Asked) -> None:
    assert asked.site["picky"].paths() == ["/robots.txt", "/feed", "/a1"]
    assert asked.world.poll("picky").note == "dropped 1 excluded, 1 not_included"


def test_the_pages_of_the_higher_priority_are_asked_for_first(asked: Asked) -> None:
    got = [path for path in asked.site["ranked"].paths() if path.startswith("/a")]
    assert (set(got[:2]), set(got[2:])) == ({"/a3", "/a4"}, {"/a1", "/a2"})
