"""Polls whose answers only make sense beside what the source was before: two crawls of many sites."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from storage import memory, pages, sources
from storage.records import Candidate, Disposition, Lead, Poll, SourceKind, Via
from storage.tables import article, cluster

World = Any  # of conftest.py, which nobody can import

EMPTY = b"<rss version='2.0'><channel><title>T</title></channel></rss>"
CHALLENGE = b"<!doctype html><html><body><h1>One moment</h1><a href='/2026/03/04/x-y-z-w'>x</a></body></html>"
KINDS = {
    "emptied": SourceKind.AUTO,
    "empty": SourceKind.AUTO,
    "turned": SourceKind.AUTO,
    "renamed": SourceKind.AUTO,
    "shared": SourceKind.AUTO,
    "index": SourceKind.SITEMAP,
    "liar": SourceKind.SITEMAP,
    "deep": SourceKind.SITEMAP,
    "section": SourceKind.SECTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Sources polled twice, with what the first poll came to."""

    world: World
    site: dict[str, Any]
    first: dict[str, Poll]
    page_id: int
    """Of the renamed item, after the first poll."""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Twice]:
    world = make_world(tmp_path_factory.mktemp("twice"))
    site = {name: world.site() for name in KINDS}
    for name, kind in KINDS.items():
        site[name].add_pages("/a1", "/a2", *(f"/s{number}" for number in range(6)))
        world.watch(name, site[name].url("/latest"), kind)
    _before(site)
    world.crawl()
    first = {name: world.poll(name) for name in KINDS}
    page_id = world.page(site["renamed"].url("/a1")).id
    _after(world, site)
    world.make_due(list(site.values()))
    world.crawl()
    yield Twice(world=world, site=site, first=first, page_id=page_id)
    world.close()


def _before(site: dict[str, Any]) -> None:
    site["emptied"].add_feed("/latest", ["/a1"], etag='"1"')
    site["empty"].on("/latest", EMPTY)
    site["turned"].add_feed("/latest", ["/a1"])
    site["renamed"].on("/latest", _item(site["renamed"], "g1", "One"))
    items = "".join(f"<item><guid>1</guid><link>{site['shared'].url(path)}</link></item>" for path in ("/a1", "/a2"))
    site["shared"].on("/latest", f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    site["index"].on("/latest", _index(site["index"], "/m1", "/m2"))
    site["index"].on("/m1", f"<urlset><url><loc>{site['index'].url('/s1')}</loc></url></urlset>".encode())
    site["liar"].on("/latest", _stamped(site["liar"]))
    site["deep"].on("/latest", _index(site["deep"], "/i1"))
    for level in range(1, 9):
        site["deep"].on(f"/i{level}", _index(site["deep"], f"/i{level + 1}"))
    links = "".join(f"<p><a href='/{path}'>More</a></p>" for path in ("wire/moon", "wire/sun", "shop/moon"))
    site["section"].on("/latest", f"<html><body><main>{links}</main></body></html>".encode())


def _after(world: World, site: dict[str, Any]) -> None:
    site["emptied"].on("/latest", EMPTY, Content_Type="application/rss+xml", ETag='"2"')
    site["turned"].on("/latest", CHALLENGE)
    site["renamed"].on("/latest", _item(site["renamed"], "g2", "One, corrected"))
    site["liar"].on("/latest", _stamped(site["liar"]))
    with world.store.writing() as tx:
        for number in range(6):
            _file_article(tx, site["section"], f"/wire/tide{number}")


def _item(site: Any, guid: str, title: str) -> bytes:
    item = f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><link>{site.url('/a1')}</link></item>"
    return f"<rss version='2.0'><channel>{item}</channel></rss>".encode()


def _index(site: Any, *paths: str) -> bytes:
    named = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in paths)
    return f"<sitemapindex>{named}</sitemapindex>".encode()


def _stamped(site: Any) -> bytes:
    """A sitemap whose addresses all changed just now."""
    now = datetime.now(UTC).isoformat()
    urls = "".join(f"<url><loc>{site.url(f'/s{n}')}</loc><lastmod>{now}</lastmod></url>" for n in range(6))
    return f"<urlset>{urls}</urlset>".encode()


def _file_article(tx: Any, site: Any, path: str) -> None:
    """An article at this address, as the pipeline leaves it, as far as addresses go."""
    url, now = site.url(path), datetime.now(UTC)
    lead = Lead(key=url, site=site.address, candidate=Candidate(url=url, via=Via.FEED))
    source_id = sources.get(tx, "section").id
    [page_id] = pages.discover(tx, source_id, [lead], now).new
    pages.finish(tx, page_id, Disposition.REJECTED, "http_404", now)
    cluster_id = tx.execute(insert(cluster).values(primary_reason="earliest", created_at=now)).inserted_primary_key[0]
    place = {"page_id": page_id, "url": url, "site": site.address, "source_id": source_id, "cluster_id": cluster_id}
    tx.execute(insert(article).values(version=1, first_seen=now, updated_at=now, **place))


def test_a_feed_that_became_empty_is_a_failure_and_no_deletion(twice: Twice) -> None:
    assert twice.world.poll("emptied").outcome == "empty_feed"
    assert twice.world.page(twice.site["emptied"].url("/a1")).snapshot_id is not None
    with twice.world.store.reading() as tx:
        assert sources.get(tx, "emptied").etag == '"1"'  # of the version that was good


def test_a_feed_that_never_had_entries_is_just_empty(twice: Twice) -> None:
    assert (twice.first["empty"].outcome, twice.world.poll("empty").outcome) == ("ok", "ok")


def test_an_address_that_was_a_feed_and_serves_html_is_a_failure(twice: Twice) -> None:
    assert (twice.first["turned"].outcome, twice.world.poll("turned").outcome) == ("ok", "not_a_feed")


def test_an_item_is_not_new_again_because_its_guid_or_title_changed(twice: Twice) -> None:
    poll = twice.world.poll("renamed")
    assert (poll.outcome, poll.entries, poll.new) == ("ok", 1, 0)
    with twice.world.store.reading() as tx:
        [seen] = pages.sightings(tx, twice.page_id)
    assert (seen.hints.guid, seen.hints.title) == ("g2", "One, corrected")


def test_shared_guids_do_not_make_two_items_one(twice: Twice) -> None:
    assert twice.first["shared"].new == 2


def test_a_sitemap_that_is_gone_is_not_asked_for_again_soon(twice: Twice) -> None:
    asked = [path for path in twice.site["index"].paths() if path.startswith("/m")]
    assert asked == ["/m1", "/m2", "/m1"]
    assert "1 gone" in twice.world.poll("index").note


def test_a_sitemap_that_stamps_all_with_the_present_has_nothing_fetched_again(twice: Twice) -> None:
    assert twice.site["liar"].paths().count("/latest") == 2
    assert twice.site["liar"].paths().count("/s0") == 1
    with twice.world.store.reading() as tx:
        assert memory.recall(tx, sources.get(tx, "liar").id, "sitemap")["entries_lie_until"]


def test_an_index_without_end_is_left_at_the_deepest_level(twice: Twice) -> None:
    assert [path for path in twice.site["deep"].paths() if path.startswith("/i")][:4] == ["/i1", "/i2", "/i3", "/i1"]


def test_a_section_page_learns_from_the_articles_of_its_site(twice: Twice) -> None:
    assert twice.first["section"].entries == 0
    asked = [path for path in twice.site["section"].paths() if path.startswith(("/wire", "/shop"))]
    assert sorted(asked) == ["/wire/moon", "/wire/sun"]
