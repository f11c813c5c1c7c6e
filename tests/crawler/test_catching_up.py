"""A gap closes by itself from a site's pages of links, asked as the source wants it, and status tells of it."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from console.cli import main
from crawler import backpages
from storage import events
from storage.records import Event, EventKind, SourceKind
from storage.tables import event as event_table

World = Any  # of conftest.py, which nobody can import
Site = Any

HEADLINES = "a new berth opened for the island ferries this morning"
SLUG = HEADLINES.replace(" ", "-")
NEWS = [f"/story-{number:02}-{SLUG}" for number in range(16)]
"""The newest last."""


def listing(paths: Sequence[str], more: str = "") -> bytes:
    links = "".join(
        f'<article><h2><a href="{path}">Story {path[7:9]}: {HEADLINES}</a></h2></article>' for path in paths
    )
    return f"<!doctype html><title>News</title><main>{links}</main>{more}".encode()


def paged(site: Site, shown: int, *, size: int = 6) -> None:
    """A home page with the newest stories, and older ones behind ?page=2 and so on."""
    newest = NEWS[:shown][::-1]
    for start in range(0, len(newest), size):
        number = start // size + 1
        following = f'<a href="/?page={number + 1}">older</a>' if start + size < len(newest) else ""
        path = "/" if number == 1 else f"/?page={number}"
        site.on(path, listing(newest[start : start + size], following), Content_Type="text/html")


def daily(site: Site, shown: int) -> None:
    """A home page without stories, with a link to the archive page of a day; all that is new is of today."""
    today = datetime.now(UTC)
    site.on(
        "/",
        listing((), f'<a href="{today - timedelta(days=40):/archive/%Y-%m-%d}">archive</a>'),
        Content_Type="text/html",
    )
    site.on(f"{today:/archive/%Y-%m-%d}", listing(NEWS[4:shown][::-1]), Content_Type="text/html")


def mapped(site: Site, shown: int) -> None:
    """A sitemap that says which stories are of now."""
    site.on("/robots.txt", f"Sitemap: {site.url('/map')}".encode())
    now = datetime.now(UTC).isoformat()
    urls = "".join(f"<url><loc>{site.url(path)}</loc><lastmod>{now}</lastmod></url>" for path in NEWS[8:shown])
    site.on("/map", f"<urlset>{urls}</urlset>".encode())


def endless(site: Site, _shown: int) -> None:
    """Pages that each name a next one, and stories that nobody has."""
    for number in range(1, 40):
        path = "/" if number == 1 else f"/?page={number}"
        following = f'<a rel="next" href="/?page={number + 1}">older</a>'
        site.on(path, listing([f"/alpha-{number}-{SLUG}"], following), Content_Type="text/html")


def bare(_site: Site, _shown: int) -> None:
    """Nothing but the feed."""


FILLS: dict[str, Callable[[Site, int], None]] = {
    "paged": paged,
    "daily": daily,
    "mapped": mapped,
    "endless": endless,
    "later": bare,
}


def gap_of(world: World, name: str) -> Event:
    with world.store.reading() as tx:
        found: list[Event] = [one for one in events.history(tx) if one.source == name]
    [gap] = found
    assert gap.kind is EventKind.GAP
    return gap


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[World]:
    """Sites whose feed of three stories was polled twice, with five stories missed in between."""
    world = make_world(tmp_path_factory.mktemp("caught"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TOKEN", "t0psecret")
        for name in FILLS:
            secret = {"bearer": "A_TOKEN", "headers": (("X-Plain", "p1"),)} if name in ("paged", "mapped") else {}
            world.watch(name, world.site().url("/feed"), SourceKind.FEED, **secret)
        for shown in (8, 16):
            for site, fill in zip(world.sites, FILLS.values(), strict=True):
                site.add_pages(*NEWS[:16])
                fill(site, shown)
                site.add_feed("/feed", NEWS[shown - 3 : shown])
            world.make_due(world.sites)
            world.crawl()
    yield world
    world.close()


def site_of(world: World, name: str) -> Site:
    return world.sites[list(FILLS).index(name)]


def lists(site: Site) -> list[str]:
    return [path for path in site.paths() if path == "/" or path.startswith("/?")]


@pytest.mark.parametrize("name", ["paged", "daily"])
def test_what_was_missed_is_fetched_and_the_gap_closes(caught: World, name: str) -> None:
    assert set(NEWS[8:16]) <= set(site_of(caught, name).paths())
    gap = gap_of(caught, name)
    assert gap.closed_at is not None
    assert "new: 5, pages of links read:" in gap.detail
    assert "(back to what was known)" in gap.detail


def test_it_goes_back_no_further_than_what_was_known(caught: World) -> None:
    site = site_of(caught, "paged")
    assert lists(site) == ["/", "/?page=2"]
    assert set(NEWS[:5]).isdisjoint(site.paths())


def test_it_asks_as_the_source_wants_its_site_to_be_asked(caught: World) -> None:
    for name, paths in (("paged", ("/", "/?page=2")), ("mapped", ("/map",))):
        asked = [one for one in site_of(caught, name).log if one.path in paths]
        assert [(one.headers["Authorization"], one.headers["X-Plain"]) for one in asked] == [
            ("Bearer t0psecret", "p1")
        ] * len(paths)
    assert all("Authorization" not in asked.headers for asked in site_of(caught, "daily").log)


def test_where_a_sitemap_tells_no_pages_of_links_are_read(caught: World) -> None:
    assert gap_of(caught, "mapped").closed_at is not None
    assert lists(site_of(caught, "mapped")) == []


def test_pages_without_end_are_bounded(caught: World) -> None:
    assert len(lists(site_of(caught, "endless"))) == backpages.MOST_PAGES
    assert "(not back to what was known)" in gap_of(caught, "endless").detail


def test_status_shows_an_open_gap_and_that_it_closed(caught: World) -> None:
    site = site_of(caught, "later")
    told = status(caught)
    assert told["events"] == {"gap": 1}
    assert (told["open_events"][0]["source"], told["open_events"][0]["kind"]) == ("later", "gap")

    paged(site, 16)
    with caught.store.writing() as tx:  # an hour later it is tried again
        past = datetime.now(UTC) - timedelta(hours=2)
        tx.execute(update(event_table).where(event_table.c.closed_at.is_(None)).values(tried_at=past))
    caught.make_due([site])
    caught.crawl()

    told = status(caught)
    assert (told["events"], told["open_events"]) == ({}, [])
    assert [one["source"] for one in told["closed_events"]].count("later") == 1
    assert "new: 5" in gap_of(caught, "later").detail


def status(world: World) -> Any:
    return json.loads(CliRunner().invoke(main, ["--data", str(world.folder), "status", "--json"]).stdout)
