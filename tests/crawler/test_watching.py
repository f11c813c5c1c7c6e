"""Polls of loopback sites over time: gaps and how they are closed, servers that lie, articles looked at again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from crawler.habits import TOPIC, Habits, dump
from crawler.leads import lead_of
from crawler.rates import Rates, learn
from crawler.recheck import BUDGET, PAUSE, next_recheck
from storage import events, memory, pages, sites, snapshots, sources
from storage.records import Candidate, Disposition, EventKind, Lead, PageState, SourceKind, Via
from storage.tables import page as page_table

World = Any  # of conftest.py, which nobody can import
Site = Any
SOON = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[World]:
    """Two sites whose feed turned over between two polls; one has a sitemap."""
    world = make_world(tmp_path_factory.mktemp("gaps"))
    mapped, bare = world.site(), world.site()
    for site in (mapped, bare):
        site.add_pages("/a1", "/a2", "/a3", "/a4", "/old")
        site.add_feed("/feed", ["/a1"])
        world.watch("mapped" if site is mapped else "bare", site.url("/feed"), SourceKind.FEED)
    mapped.on("/robots.txt", f"Sitemap: {mapped.url('/map')}".encode())
    dated = datetime.now(UTC)
    days = {"/a1": dated, "/a2": dated, "/a3": dated, "/a4": dated, "/old": dated - timedelta(days=90)}
    urls = "".join(f"<url><loc>{mapped.url(p)}</loc><lastmod>{d.isoformat()}</lastmod></url>" for p, d in days.items())
    mapped.on("/map", f"<urlset>{urls}</urlset>".encode(), Content_Type="application/xml")
    world.crawl()
    for site in (mapped, bare):
        site.add_feed("/feed", ["/a4"])
    world.make_due([mapped, bare])
    world.crawl()
    yield world
    world.close()


def test_a_gap_is_caught_up_from_the_sitemap(gaps: World) -> None:
    mapped = gaps.sites[0]
    assert {"/a2", "/a3", "/a4"} <= set(mapped.paths())
    with gaps.store.reading() as tx:
        found = [event for event in events.history(tx) if event.source == "mapped"]
    assert [(event.kind, event.closed_at is not None) for event in found] == [(EventKind.GAP, True)]
    assert "sitemaps read: 1, entries since: 4, new: 2" in found[0].detail


def test_what_the_sitemap_lists_from_before_the_gap_is_left_alone(gaps: World) -> None:
    assert "/old" not in gaps.sites[0].paths()


def test_without_a_sitemap_the_gap_stays_open(gaps: World) -> None:
    with gaps.store.reading() as tx:
        found = [event for event in events.current(tx, EventKind.GAP) if event.source == "bare"]
    assert len(found) == 1
    assert found[0].tried_at is not None


def test_a_server_that_lies_is_found_out_and_asked_without_conditions(world: World) -> None:
    site = world.site()
    site.add_pages("/a1", "/a2", "/a3")
    site.add_feed("/feed", ["/a1"], etag='"same"')
    world.watch("liar", site.url("/feed"), SourceKind.FEED)
    world.crawl()
    site.add_feed("/feed", ["/a1", "/a2"], etag='"same"')
    outcomes = []
    for _ in range(6):
        world.make_due([site])
        world.crawl()
        outcomes.append(world.poll("liar").outcome)
    asked = ["If-None-Match" in one.headers for one in site.log if one.path == "/feed"]
    assert outcomes == ["not_modified"] * 4 + ["ok", "ok"]
    assert asked == [False, True, True, True, True, False, True, False]
    assert "/a2" in site.paths()


def test_a_date_is_sent_only_without_an_etag(world: World) -> None:
    site, date = world.site(), format_datetime(datetime(2026, 3, 1, tzinfo=UTC), usegmt=True)
    site.add_pages("/a1")
    site.add_feed("/feed", ["/a1"])
    for path, headers in (("/both", {"ETag": '"e"', "Last_Modified": date}), ("/date", {"Last_Modified": date})):
        site.on(path, site.replies["/feed"].body, Content_Type="application/rss+xml", **headers)
        world.watch(path[1:], site.url(path), SourceKind.FEED)
    for _ in range(2):
        world.crawl()
        world.make_due([site])
    asked = {one.path: {n.lower() for n in one.headers} for one in site.log}
    assert ("if-none-match" in asked["/both"], "if-modified-since" in asked["/both"]) == (True, False)
    assert "if-modified-since" in asked["/date"]


def test_a_source_that_went_quiet_is_told_until_something_comes(world: World) -> None:
    site, now = world.site(), datetime.now(UTC)
    site.add_pages("/a1", "/a2")
    site.add_feed("/feed", ["/a1"])
    world.watch("hourly", site.url("/feed"), SourceKind.FEED)
    world.crawl()
    dates = [now - timedelta(days=2, hours=hours) for hours in range(60)]
    known = learn(Rates(), until=now - timedelta(days=2), entries=60, new=60, dates=dates)
    with world.store.writing() as tx:
        memory.remember(tx, sources.get(tx, "hourly").id, TOPIC, dump(Habits(rates=known)))
    world.make_due([site])
    world.crawl()
    with world.store.reading() as tx:
        (quiet,) = events.current(tx, EventKind.QUIET)
    assert (quiet.source, "items are usual" in quiet.detail) == ("hourly", True)
    site.add_feed("/feed", ["/a1", "/a2"])
    world.make_due([site])
    world.crawl()
    with world.store.reading() as tx:
        assert events.current(tx, EventKind.QUIET) == []


def filed(world: World, site: Site, path: str) -> int:
    """Let the fetched page count as an article that is due for another look; returns its id."""
    page = world.page(site.url(path))
    assert page.state is PageState.FETCHED
    with world.store.writing() as tx:
        pages.finish(tx, page.id, Disposition.ARTICLE, "new_story", datetime.now(UTC))
        tx.execute(update(page_table).where(page_table.c.id == page.id).values(recheck_at=SOON))
        sites.refresh(tx, [page.site])
    return int(page.id)


@pytest.fixture
def article(world: World) -> tuple[Site, int]:
    """A site with one article that is due for another look."""
    site = world.site()
    site.on("/a1", site.html("/a1"), Content_Type="text/html", ETag='"v1"')
    site.add_feed("/feed", ["/a1"])
    world.watch("paper", site.url("/feed"), SourceKind.FEED)
    world.crawl()
    return site, filed(world, site, "/a1")


def test_an_unchanged_article_costs_a_304_and_stores_nothing(world: World, article: tuple[Site, int]) -> None:
    site, page_id = article
    report = world.crawl()
    assert site.log[-1].headers["If-None-Match"] == '"v1"'
    assert report.counts["rechecked_unchanged"] == 1
    with world.store.reading() as tx:
        assert len(snapshots.of_page(tx, page_id)) == 1
        assert pages.get(tx, page_id).state is PageState.DONE
        assert pages.to_recheck(tx, site.address, datetime.now(UTC), 9) == []
        assert len(pages.to_recheck(tx, site.address, datetime.now(UTC) + timedelta(hours=1), 9)) == 1


def test_a_changed_article_is_read_again(world: World, article: tuple[Site, int]) -> None:
    site, page_id = article
    site.on("/a1", site.html("/a1 (corrected)"), Content_Type="text/html", ETag='"v2"')
    report = world.crawl()
    assert (report.counts["rechecked_changed"], report.fetched) == (1, 1)
    with world.store.reading() as tx:
        assert len(snapshots.of_page(tx, page_id)) == 2
        assert pages.get(tx, page_id).state is PageState.FETCHED


def test_a_failed_look_changes_nothing(world: World, article: tuple[Site, int]) -> None:
    site, page_id = article
    site.on("/a1", status=500)
    assert world.crawl().counts["rechecked_in_vain"] == 1
    with world.store.reading() as tx:
        assert pages.get(tx, page_id).disposition is Disposition.ARTICLE


def test_with_the_setting_off_nobody_looks(world: World, article: tuple[Site, int]) -> None:
    site, _ = article
    asked = len(site.log)
    world.crawl(recheck=False)
    assert len(site.log) == asked
    with world.store.reading() as tx:
        assert pages.to_recheck(tx, site.address, datetime.now(UTC) + timedelta(days=9), 9) == []


def test_looks_are_bounded_and_come_after_the_news(world: World) -> None:
    site = world.site()
    old = [f"/old/{number:02}" for number in range(BUDGET + 5)]
    site.add_pages("/n1", "/n2", "/n3", *old)
    site.add_feed("/feed", ["/n1", "/n2", "/n3"])
    world.watch("paper", site.url("/feed"), SourceKind.FEED)
    now = datetime.now(UTC)
    with world.store.writing() as tx:
        leads = [lead for path in old if isinstance(lead := lead_of(Candidate(url=site.url(path), via=Via.FEED)), Lead)]
        pages.discover(tx, sources.get(tx, "paper").id, leads, now)
        for late, path in enumerate(reversed(old)):  # the first are the most overdue
            page = pages.find(tx, site.url(path))
            assert page is not None
            pages.finish(tx, page.id, Disposition.ARTICLE, "new_story", now)
            due = now - timedelta(hours=1, minutes=late)
            tx.execute(update(page_table).where(page_table.c.id == page.id).values(recheck_at=due))
        sites.refresh(tx, [site.address])
    report = world.crawl()
    asked = [path for path in site.paths() if path not in ("/robots.txt", "/feed")]
    assert sorted(asked[:3]) == ["/n1", "/n2", "/n3"]
    assert asked[3:] == old[:BUDGET]
    assert report.counts["rechecked_changed"] == BUDGET
    for path in old[BUDGET:]:
        query = select(page_table.c.recheck_at).where(page_table.c.id == world.page(site.url(path)).id)
        with world.store.reading() as tx:
            due_at = tx.execute(query).scalar_one()
        assert now + PAUSE <= due_at < now + PAUSE + timedelta(minutes=5)


def test_looks_become_rarer_and_end_after_a_week() -> None:
    born = datetime(2026, 3, 10, 12, tzinfo=UTC)
    at, ages = next_recheck(born, born, 7), []
    while at is not None:
        ages.append((at - born) / timedelta(hours=1))
        at = next_recheck(born, at, 7)
    assert len(ages) == 6
    assert all(low <= age <= 1.1 * low for age, low in zip(ages, (0.5, 2, 8, 24, 72, 168), strict=True))
    assert next_recheck(born, born + timedelta(days=30), 7) is None
