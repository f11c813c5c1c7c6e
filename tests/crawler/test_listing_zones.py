"""The time zone of a source holds for what its listings date without one."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import inbox
from storage import pages, sources, subscriptions
from storage.records import Hints, SourceKind

World = Any  # of conftest.py, which nobody can import

HERE = "Asia/Tokyo"  # nine hours before Greenwich, all year
WRITTEN = "2026-03-04 09:01:00"
MEANT = datetime(2026, 3, 4, 0, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path, make_world: Callable[..., World]) -> Any:
    made = make_world(tmp_path)
    yield made
    made.close()


def test_feeds_and_the_files_of_an_index_are_read_in_the_zone_of_their_source(world: World) -> None:
    feed, index = world.site(), world.site()
    for site in (feed, index):
        site.add_pages("/a1")
    item = f"<item><link>{feed.url('/a1')}</link><pubDate>{WRITTEN}</pubDate></item>"
    feed.on("/latest", f"<rss version='2.0'><channel>{item}</channel></rss>".encode())
    index.on("/latest", f"<sitemapindex><sitemap><loc>{index.url('/m1')}</loc></sitemap></sitemapindex>".encode())
    entry = f"<url><loc>{index.url('/a1')}</loc><lastmod>{WRITTEN}</lastmod></url>"
    index.on("/m1", f"<urlset>{entry}</urlset>".encode())
    world.watch("feed", feed.url("/latest"), timezone=HERE)
    world.watch("index", index.url("/latest"), SourceKind.SITEMAP, timezone=HERE)
    world.crawl()
    assert _hints(world, feed.url("/a1")).published_at == MEANT
    assert _hints(world, index.url("/a1")).modified_at == MEANT


def test_what_a_hub_delivers_is_read_in_the_zone_of_its_source(world: World) -> None:
    topic = "https://tarn-post.example/feed"
    world.watch("pushed", topic, timezone=HERE)
    now = datetime.now(UTC)
    secret = "s" * 40
    with world.store.writing() as tx:
        source_id = sources.get(tx, "pushed").id
        subscriptions.ask(
            tx, source_id, hub="https://hub.example/", topic=topic, token="t" * 40, secret=secret, now=now
        )
    item = f"<item><link>https://tarn-post.example/a1</link><pubDate>{WRITTEN}</pubDate></item>"
    body = f"<rss version='2.0'><channel>{item}</channel></rss>".encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    told = inbox.deliver(world.store, "t" * 40, body, signature=signature, content_type=None, now=now)
    assert told == "accepted"
    assert _hints(world, "https://tarn-post.example/a1").published_at == MEANT


def _hints(world: World, url: str) -> Hints:
    page_id = world.page(url).id
    with world.store.reading() as tx:
        return pages.sightings(tx, page_id)[0].hints
