"""Walls with status 200 in the place of articles: counted by reason, never a text of ours, and asked for once more."""

from datetime import UTC, datetime, timedelta
from typing import Any

from storage import pages, reading
from storage.audit import audit
from storage.records import Disposition, PageState
from tasks.process import process_page

World = Any  # of conftest.py, which nobody can import
Site = Any

WALLS = {
    "/consent": (
        "consent_wall",
        "<title>Before you continue to the Harbour Gazette</title><body><main><h1>We value your privacy</h1><p>We and"
        " our 812 partners store and access information on your device, such as cookies, to show personalised ads."
        "</p><p>You can accept all or manage your choices.</p><button>Accept all</button><button>Reject all</button>"
        "<button>Manage preferences</button></main>",
    ),
    "/challenge": (
        "blocked_page",
        "<title>Just a moment...</title><body><h1>gazette.example</h1><p>Verifying you are human. This may take a few"
        " seconds.</p><p>gazette.example needs to review the security of your connection before proceeding.</p>",
    ),
    "/script": (
        "blocked_page",
        "<title>gazette.example</title><body><noscript><h1>Please enable JavaScript</h1><p>Please enable JS and disable"
        " any ad blocker</p></noscript><div id=cmsg><p>Please enable JavaScript to continue.</p></div>",
    ),
    "/robot": (
        "blocked_page",
        "<title>Are you a robot?</title><body><h1>Pardon Our Interruption</h1><p>As you were browsing something about"
        " your browser made us think you were a bot. Please complete the captcha below to continue.</p>",
    ),
}
STORY = "The harbour office opened a second berth this morning, and the ferries to the islands ran on time again. "


def story(path: str) -> bytes:
    """An article, other words on each path: like ones would be told to be one story."""
    told = " ".join(
        f"{path[1:]} {number} berths and {number * 7} boats were counted by the pilots." for number in range(9)
    )
    title = f"What the pilots counted at {path[1:]}"
    return f"<!doctype html><title>{title}</title><article><h1>{title}</h1><p>{STORY}</p><p>{told}</p>".encode()


def process(world: World) -> None:
    """File what was fetched."""
    now = datetime.now(UTC)
    with world.store.reading() as tx:
        fetched = pages.unannounced(tx, now + timedelta(minutes=5), 100)
    for page_id in fetched:
        process_page(world.store, page_id, now=now, recipes={}, settings=world.settings())


def texts(world: World) -> list[str]:
    with world.store.reading() as tx:
        return [f"{article.content.title} {article.content.text}" for article in reading.listed(tx, limit=100)]


def test_a_wall_is_counted_and_waits_and_the_article_behind_it_is_taken_later(world: World) -> None:
    site = world.site()
    for path, (_, wall) in WALLS.items():
        site.on(path, f"<!doctype html><html>{wall}".encode(), Content_Type="text/html")
    site.on("/open", story("/open"), Content_Type="text/html", TDM_Reservation="1", X_Robots_Tag="nosnippet")
    site.add_feed("/feed", [*WALLS, "/open"])
    world.watch("gazette", site.url("/feed"))
    assert world.crawl().fetched == 5
    process(world)
    (only,) = texts(world)
    assert "pilots counted at open" in only
    with world.store.reading() as tx:
        assert reading.listed(tx, limit=9)[0].content.tdm == "reserved, nosnippet"  # what its headers reserve is kept
    for path, (reason, _) in WALLS.items():
        page = world.page(site.url(path))
        assert (path, page.state, page.reason, page.article_id) == (path, PageState.DISCOVERED, reason, None)
        assert page.next_at > datetime.now(UTC) + timedelta(minutes=50)
        site.on(path, story(path), Content_Type="text/html")
    world.make_due([site])
    assert world.crawl().fetched == 4
    process(world)
    assert len(texts(world)) == 5
    assert not any(word in text for text in texts(world) for word in ("privacy", "human", "JavaScript", "captcha"))
    assert {world.page(site.url(path)).disposition for path in WALLS} == {Disposition.ARTICLE}
    assert not audit(world.store, datetime.now(UTC)).faults
