"""Whole crawls of real loopback sites, in the crawl process that production uses."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from crawler.crawl import CrawlReport
from storage import pages, sites, snapshots, sources
from storage.records import Disposition, PageState
from storage.tables import site as site_table

World = Any  # of conftest.py, which nobody can import
Site = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One crawl of a paper with every fault, a partner site, and a service that must not be touched."""

    world: World
    paper: Site
    partner: Site
    secret: Site
    report: CrawlReport


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Scene]:
    world = make_world(tmp_path_factory.mktemp("scene"))
    paper = world.site(robots="User-agent: *\nDisallow: /private\n")
    partner = world.site(robots="User-agent: *\nCrawl-delay: 0.3\n")
    partner.add_pages("/landing", "/d1", "/d2", "/d3")
    partner.add_feed("/feed", ["/d1", "/d2", "/d3"])
    secret = world.site(allowed=False)
    _fill(paper, partner, secret)
    world.watch("paper", paper.url("/feed"))
    world.watch("partner", partner.url("/feed"))
    report = world.crawl(max_bytes=200_000)
    yield Scene(world=world, paper=paper, partner=partner, secret=secret, report=report)
    world.close()


def _fill(paper: Site, partner: Site, secret: Site) -> None:
    marked = {"Content_Type": "text/html"}
    paper.add_pages("/a1", "/a2", "/private/x", "/a2?from=moved")
    paper.on("/zipped", gzip.compress(paper.html("/zipped")), Content_Encoding="gzip", **marked)
    paper.on("/gone", status=410)
    paper.on("/photo", b"\xff\xd8\xff", Content_Type="image/jpeg")
    paper.on("/cut", paper.html("/cut")[:40], length=4000, **marked)
    paper.on("/bomb", gzip.compress(b"a" * 5_000_000), Content_Encoding="gzip", **marked)
    paper.on("/large", b"a" * 300_000, **marked)
    paper.on("/broken", status=500)
    leads = {"/moved": "a2?from=moved", "/to-private": "/private/x", "/loop": "/pool", "/pool": "/loop"}
    leads |= {"/away": partner.url("/landing"), "/inside": secret.url("/admin"), "/scheme": "file:///etc/hostname"}
    leads |= {f"/hop{n}": f"/hop{n + 1}" for n in range(9)}
    for path, to in leads.items():
        paper.redirect(path, to)
    unlisted = {"/robots.txt", "/pool", "/a2?from=moved", *(f"/hop{n}" for n in range(1, 9))}
    paper.add_feed("/feed", [path for path in paper.replies if path not in unlisted], etag='"v1"')


def test_what_a_feed_names_is_fetched_and_stored(scene: Scene) -> None:
    for path in ("/a1", "/a2", "/zipped"):
        page = scene.world.page(scene.paper.url(path))
        assert page.state is PageState.FETCHED
        with scene.world.store.reading() as tx:
            snapshot = snapshots.get(tx, page.snapshot_id or 0)
            assert snapshots.body(tx, scene.world.store.archive, snapshot) == scene.paper.html(path)
        assert dict(snapshot.headers)["Content-Type"].startswith("text/html")
        assert "Copydesk/0.1" in dict(snapshot.request_headers)["User-Agent"]


def test_pages_are_announced_once_and_the_report_counts_them(scene: Scene) -> None:
    told = [page for event in scene.world.events for page in event.get("fetched", [])]
    assert len(told) == len(set(told)) == scene.report.fetched == scene.report.counts["fetched"]
    with scene.world.store.reading() as tx:
        assert all(page.state is PageState.FETCHED for page in pages.some(tx, told))
    assert not scene.report.failed


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/private/x", "robots_disallowed"),
        ("/to-private", "robots_disallowed"),
        ("/gone", "http_410"),
        ("/photo", "not_html"),
        ("/loop", "redirect_loop"),
        ("/hop0", "redirect_limit"),
        ("/inside", "blocked_address"),
        ("/scheme", "blocked_scheme"),
        ("/bomb", "too_large"),
        ("/large", "too_large"),
    ],
)
def test_what_cannot_be_had_is_rejected_with_its_reason(scene: Scene, path: str, reason: str) -> None:
    page = scene.world.page(scene.paper.url(path))
    assert (page.disposition, page.reason, page.snapshot_id) == (Disposition.REJECTED, reason, None)


@pytest.mark.parametrize(("path", "reason"), [("/cut", "truncated"), ("/broken", "http_500")])
def test_what_may_come_later_is_tried_again(scene: Scene, path: str, reason: str) -> None:
    page = scene.world.page(scene.paper.url(path))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, reason, 1)
    assert page.next_at is not None
    assert page.next_at > datetime.now(UTC)


def test_what_robots_or_the_guard_forbid_is_never_asked_for(scene: Scene) -> None:
    assert "/private/x" not in scene.paper.paths()
    assert scene.secret.log == []


def test_robots_come_first_and_once(scene: Scene) -> None:
    assert scene.paper.paths()[:2] == ["/robots.txt", "/feed"]
    assert scene.paper.paths().count("/robots.txt") == 1


def test_a_redirect_within_the_site_is_followed_at_once(scene: Scene) -> None:
    page = scene.world.page(scene.paper.url("/moved"))
    with scene.world.store.reading() as tx:
        assert snapshots.get(tx, page.snapshot_id or 0).url == scene.paper.url("/a2?from=moved")


def test_a_redirect_to_another_site_becomes_a_page_of_that_site(scene: Scene) -> None:
    page = scene.world.page(scene.paper.url("/away"))
    target = scene.world.page(scene.partner.url("/landing"))
    assert (page.disposition, page.reason) == (Disposition.DUPLICATE, "redirected")
    assert (target.site, target.hops, target.source_id) == (scene.partner.address, 1, page.source_id)
    with scene.world.store.reading() as tx:
        assert pages.leads_to(tx, page.url) == [page.url, target.url]
        assert pages.sightings(tx, target.id)[0].hints.title == f"Story {scene.paper.url('/away')}"


def test_the_crawl_delay_of_a_site_is_kept(scene: Scene) -> None:
    times = [asked.at for asked in scene.partner.log if asked.path != "/landing"]
    assert len(times) == 5
    gaps = [later - sooner for sooner, later in pairwise(times[1:])]
    assert min(gaps) > 0.28, gaps


def test_all_sites_are_given_back(scene: Scene) -> None:
    assert scene.world.leases() == [None, None]
    assert set(scene.report.sites) == {scene.paper.address, scene.partner.address}


def test_a_poll_is_written_down_with_what_it_brought(scene: Scene) -> None:
    poll = scene.world.poll("paper")
    assert (poll.outcome, poll.status) == ("ok", 200)
    assert poll.entries == poll.new == 17
    told = [event["polled"] for event in scene.world.events if "polled" in event]
    assert {(one["source"], one["outcome"]) for one in told} == {("paper", "ok"), ("partner", "ok")}
    with scene.world.store.reading() as tx:
        assert sources.get(tx, "paper").etag == '"v1"'


def test_events_are_plain_json(scene: Scene) -> None:
    assert json.loads(json.dumps(scene.world.events)) == scene.world.events


def test_a_crawl_that_is_stopped_loses_nothing_and_goes_on_later(world: World) -> None:
    site = world.site()
    paths = [f"/a{n}" for n in range(40)]
    site.add_pages(*paths)
    site.add_feed("/feed", paths)
    stop = threading.Event()

    def watch() -> None:
        if len(site.log) > 12:
            stop.set()

    site.watch = watch
    world.watch("a", site.url("/feed"))
    report = world.crawl(stop=stop, delay_s=0.02)
    assert (report.stopped, report.failed, world.leases()) == (True, False, [None])
    told = {page for event in world.events for page in event.get("fetched", [])}
    states = [world.page(site.url(path)).state for path in paths]
    asked = len([path for path in site.paths() if path.startswith("/a")])
    assert 10 <= states.count(PageState.FETCHED) == len(told) < 40
    assert asked - len(told) <= 1, "only the answer that was under way may be lost"
    world.crawl()
    assert all(world.page(site.url(path)).state is PageState.FETCHED for path in paths)


def test_leases_are_renewed_and_a_lost_one_is_respected(world: World) -> None:
    kept, stolen = world.site(), world.site()
    paths = [f"/a{n}" for n in range(12)]
    left: list[timedelta] = []
    for name, site in (("kept", kept), ("stolen", stolen)):
        site.add_pages(*paths)
        site.add_feed("/feed", paths)
        world.watch(name, site.url("/feed"))

    def steal() -> None:
        if len(stolen.log) == 4:
            with world.store.writing() as tx:
                tx.execute(update(site_table).where(site_table.c.key == stolen.address).values(lease_owner="thief"))

    def look() -> None:
        if len(kept.log) == 14:
            with world.store.reading() as tx:
                row = sites.get(tx, kept.address)
            if row is not None and row.lease_until is not None:
                left.append(row.lease_until - datetime.now(UTC))

    stolen.watch, kept.watch = steal, look
    world.crawl(delay_s=0.25, lease_s=2)
    assert left
    assert left[0] > timedelta(0)
    assert len(stolen.log) < len(kept.log) == 14
    assert world.leases() == [None, "thief"]


def test_a_crawl_writes_to_postgresql_as_well(
    tmp_path: Path, make_world: Callable[..., World], postgres_database: str
) -> None:
    world = make_world(tmp_path, database=postgres_database)
    site = world.site()
    site.add_pages("/a1", "/a2")
    site.add_feed("/feed", ["/a1", "/a2", "/gone"])
    world.watch("a", site.url("/feed"))
    report = world.crawl()
    assert (report.failed, report.fetched, world.leases()) == (False, 2, [None])
    assert world.page(site.url("/gone")).reason == "http_404"
    world.close()


def test_a_crawl_process_that_dies_gives_its_sites_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site = world.site()
    site.add_feed("/feed", [])
    world.watch("a", site.url("/feed"))
    monkeypatch.setattr("sys.executable", "/bin/false")
    report = world.crawl()
    assert (report.failed, report.sites, world.leases()) == (True, (site.address,), [None])


def test_nothing_to_do_starts_no_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent")
    report = world.crawl()
    assert (report.sites, report.failed) == ((), False)
