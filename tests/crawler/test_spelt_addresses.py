"""Addresses in odd spellings: read as a browser reads them, and judged as what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.addresses import BLOCKED_ADDRESS, refusal
from crawler.answers import Answer
from crawler.discovery import discover
from crawler.discovery.entries import address
from crawler.robots import allows
from crawler.traps import trap_of
from crawler.urls import canonical_key, clean, without_dots
from storage.records import Robots, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.gull-rock.example"


def target(location: str) -> str | None:
    headers = (("Location", location),)
    return Answer(url=f"{SITE}/r/1", status=302, headers=headers, body=b"", at=NOW).target()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\\news\\pier", f"{SITE}/news/pier"),
        ("HTTPS:///www.gull-rock.example/news/pier", f"{SITE}/news/pier"),
        ("https:\\\\www.gull-rock.example\\news\\pier?a=\\b", f"{SITE}/news/pier?a=\\b"),
        ("///www.gull-rock.example/x", f"{SITE}/x"),
    ],
)
def test_slashes_of_any_kind_and_number_lead_where_a_browser_goes(written: str, meant: str) -> None:
    assert clean(written, f"{SITE}/r/1") == meant
    assert target(written) == meant
    assert refusal(meant) is None


@pytest.mark.parametrize(
    "location", ["/\\127.0.0.1/", "\\\\127.0.0.1\\x", "///127.0.0.1/", "http:///127.0.0.1/", "http:\\\\10.0.0.1\\"]
)
def test_no_spelling_of_slashes_leads_inside(location: str) -> None:
    assert refusal(target(location) or "") == BLOCKED_ADDRESS


@pytest.mark.parametrize("around", ["\u200b{}", "{}\ufeff", '"{}"', "\u201c{}\u201d", "<{}>", "\u00a0{}\u200e "])
def test_what_is_pasted_around_an_address_is_none_of_it(around: str) -> None:
    assert address(around.format(f"{SITE}/1"), f"{SITE}/feed.xml") == f"{SITE}/1"


def test_quotes_of_a_relative_address_stay() -> None:
    assert address("'n-sync'", f"{SITE}/feed.xml") == f"{SITE}/'n-sync'"


def test_a_media_type_with_parameters_is_a_pages_too() -> None:
    links = f'<link type="application/pdf" href="/1.pdf"/><link type="Text/HTML; charset=utf-8" href="{SITE}/1"/>'
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title>{links}</entry></feed>'
    assert [entry.url for entry in discover(feed.encode(), url=f"{SITE}/f", now=NOW).candidates] == [f"{SITE}/1"]


@pytest.mark.parametrize("home", ["http://localhost:8080/", "http://10.0.0.7/", "http://other.example:6379/"])
def test_a_home_that_nobody_can_ask_is_no_base(home: str) -> None:
    feed = f"<rss><channel><link>{home}</link><item><link>/1</link></item></channel></rss>"
    assert [entry.url for entry in discover(feed.encode(), url=f"{SITE}/f", now=NOW).candidates] == [f"{SITE}/1"]
    json = f'{{"version": "1", "home_page_url": "{home}", "items": [{{"url": "/1"}}]}}'
    assert [entry.url for entry in discover(json.encode(), url=f"{SITE}/f", now=NOW).candidates] == [f"{SITE}/1"]
    inside = discover(feed.encode(), url="http://10.0.0.7/f", now=NOW).candidates
    assert [entry.url for entry in inside] == [f"{home}1"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/x/../private/1", False),
        ("/./private/1", False),
        ("/x/%2E%2e/private/1", False),
        ("/private/../x", True),
        ("/x/..", True),
    ],
)
def test_robots_txt_holds_for_the_path_that_the_server_reads(path: str, allowed: bool) -> None:
    body = b"User-agent: *\nDisallow: /private/\nDisallow: /y?z=\n"
    rules = Robots(origin=SITE, status=200, body=body, fetched_at=NOW, expires_at=NOW + timedelta(days=1))
    assert allows(rules, "Copydesk/1.0", SITE + path) is allowed
    assert not allows(rules, "Copydesk/1.0", f"{SITE}/x/../y?z=1")


def test_dots_are_followed() -> None:
    assert [without_dots(path) for path in ("", "/a/./b", "/a/b/..", "/../a", "/a/%2e%2E/b/")] == [
        *("/", "/a/b", "/a/", "/a", "/b/")
    ]


@pytest.mark.parametrize("query", ["ref=home", "ref=RSS", "source=newsletter&id=5", "id=5&src=facebook"])
def test_the_place_where_a_link_stood_is_no_part_of_the_key(query: str) -> None:
    assert canonical_key(f"{SITE}/story?{query}") in (f"{SITE}/story", f"{SITE}/story?id=5")


@pytest.mark.parametrize("query", ["ref=B77-12", "source=council", "from=2026-03-01", "ref=", "src=homes", "id=home"])
def test_a_parameter_that_may_name_a_story_stays(query: str) -> None:
    assert canonical_key(f"{SITE}/story?{query}") == f"{SITE}/story?{query}"


def test_an_address_that_holds_itself_is_a_trap_on_a_page() -> None:
    growing = f"{SITE}/news?back=%2Fnews%3Fback%3D%2Fnews"
    assert trap_of(growing, Via.SECTION) == "trap_repeating_path"
    assert trap_of(growing, Via.FEED) is None
    assert trap_of(f"{SITE}/news?back=%2Fstory%3Fid%3D5", Via.SECTION) is None
    assert trap_of(f"{SITE}/news?p=%2Fstory%3Fhelp%3D5", Via.SECTION) is None
