from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.robots import MAX_BYTES, allows, crawl_delay, lifetime, product_token, sitemaps
from storage.records import Robots

AGENT = "NewsWorker/1.0 (+https://desk.example/about)"
SITE = "https://www.harbour-courier.example"
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def robots(body: str | bytes, status: int = 200) -> Robots:
    data = body.encode() if isinstance(body, str) else body
    return Robots(origin=SITE, status=status, body=data, fetched_at=NOW, expires_at=NOW + lifetime(status))


def may(body: str | bytes, path: str, status: int = 200) -> bool:
    return allows(robots(body, status), AGENT, SITE + path)


GROUPS = (
    "\ufeffUser-agent: *\r\nUser-agent: GreenBot\r\nDisallow: /private\r\nAllow: "
    "/private/open$\r\nDisallow: /*?print=\r\n"
    "Disallow: # nothing\r\nCrawl-delay: 5\r\n\r\nuser-agent: OtherBot\r\ndisallow: "
    "/\r\n\r\nSITEMAP: https://a.example/s.xml\r\n"
)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/private/a", False),
        ("/private/open", True),
        ("/private/open/more", False),
        ("/news/x?print=1", False),
        ("/news/x", True),
        ("/news/x?id=1&print=1", True),
        ("/robots.txt", True),
    ],
)
def test_groups_and_wildcards(path: str, allowed: bool) -> None:
    assert may(GROUPS, path) is allowed


def test_delay_and_sitemaps() -> None:
    assert crawl_delay(robots(GROUPS), AGENT) == 5.0
    assert crawl_delay(robots(GROUPS), "OtherBot/2") is None
    assert sitemaps(robots(GROUPS + GROUPS)) == ("https://a.example/s.xml",)
    assert crawl_delay(robots("User-agent: *\nCrawl-delay: soon"), AGENT) is None


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("NewsWorker", False),
        ("newsworker", False),
        ("NewsWorker/2.1", False),
        ("NewsWorker # ours", False),
        ("News", True),
        ("Worker", True),
        ("NewsWorkerPro", True),
    ],
)
def test_only_the_whole_product_token_names_us(name: str, allowed: bool) -> None:
    assert may(f"User-agent: {name}\nDisallow: /", "/a") is allowed


def test_own_group_goes_before_the_star_and_its_parts_are_joined() -> None:
    body = (
        "User-agent: *\nDisallow: /\n\nUser-agent: newsworker\nDisallow: /x\n\nUser-agent: "
        "B\nDisallow: /\nUser-Agent: NewsWorker\nDisallow: /y\n"
    )
    assert may(body, "/a")
    assert not may(body, "/x")
    assert not may(body, "/y")


def test_own_group_without_rules_allows_all() -> None:
    assert may("User-agent: *\nDisallow: /\n\nUser-agent: NewsWorker\nDisallow:\n", "/a")


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        (0, False),
        (500, False),
        (503, False),
        (599, False),
        (301, True),
        (400, True),
        (401, True),
        (403, True),
        (404, True),
        (410, True),
        (429, True),
    ],
)
def test_status_without_rules(status: int, allowed: bool) -> None:
    assert may("User-agent: *\nDisallow: /", "/a", status) is allowed
    assert may("User-agent: *\nDisallow: /", "/robots.txt", status)
    assert sitemaps(robots("Sitemap: https://a.example/s.xml", status)) == ()
    assert crawl_delay(robots(GROUPS, status), AGENT) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body><h1>Welcome</h1><p>Our terms: disallow nothing.</p></body></html>",
        b"\x00\xff\xfe\x80",
        "Disallow: /",
    ],
)
def test_lines_that_are_no_rules_are_ignored(body: str | bytes) -> None:
    assert may(body, "/a")


def test_utf_16() -> None:
    assert not may("User-agent: *\nDisallow: /x".encode("utf-16"), "/x")


def test_long_file_is_cut_between_lines() -> None:
    head = "User-agent: *\nDisallow: /x\n"
    tail = "Disallow: /private\n"
    filler = "#" * (MAX_BYTES - len(head) - len("Disallow: /") - 1) + "\n"
    body = head + filler + tail
    assert body[:MAX_BYTES].endswith("Disallow: /")
    assert not may(body, "/x")
    assert may(body, "/a")


def test_lifetime() -> None:
    assert lifetime(200) == lifetime(404) == timedelta(hours=24)
    assert lifetime(0) == lifetime(503) < timedelta(hours=1)


def test_product_token() -> None:
    assert product_token("Copydesk/0.1 (+https://a.example)") == product_token(" copydesk ") == "copydesk"
    assert product_token("") == ""
