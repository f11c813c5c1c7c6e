"""The demo's server: its log, many requests at once, connections kept, and what it refuses."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import feedparser
import httpx
import pytest

from console.demo.edition import Edition
from console.demo.newsroom import Newsroom
from console.demo.server import parse_head

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}


@pytest.fixture(scope="module")
def room() -> Iterator[Newsroom]:
    with Newsroom(NOW) as newsroom:
        yield newsroom


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, headers={"User-Agent": "Copydesk-Test/1"}) as http:
        yield http


@pytest.fixture
def fresh() -> Iterator[Newsroom]:
    with Newsroom(NOW) as newsroom:
        yield newsroom


def address(room: Newsroom, key: str) -> str:
    story = Edition(room.sites, room.now, extra=0, state=1).by_key[key]
    return room.sites[story.site].url(story.path)


def locations(sitemap: bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(sitemap).iterfind(".//s:loc", SITEMAP)]


def listed(room: Newsroom, client: httpx.Client) -> set[str]:
    """Every address that the sources list, without queries."""
    found: list[str] = []
    for source in room.sources:
        body = client.get(source.url).content
        if source.url.endswith("/feed.json"):
            found += [item["url"] for item in json.loads(body)["items"]]
        elif source.url.endswith("_index.xml"):
            for part in locations(body):
                raw = client.get(part).content
                found += locations(gzip.decompress(raw) if part.endswith(".gz") else raw)
        elif "sitemap" in source.url:
            found += locations(body)
        elif source.url.endswith("/latest"):
            teasers = re.findall(r'<h2><a href="([^"]+)"', body.decode())
            found += [str(httpx.URL(source.url).join(link)) for link in teasers]
        else:
            found += [entry.link for entry in feedparser.parse(body).entries]
    return {url.partition("?")[0] for url in found}


def test_the_log_holds_each_request(fresh: Newsroom, client: httpx.Client) -> None:
    start = time.monotonic()
    client.get(fresh.sites["harbour"].url("/?a=1"))
    client.head(fresh.sites["valley"].url("/nothing"))
    first, second = fresh.requests
    assert (first.site, first.method, first.path, first.status) == ("harbour", "GET", "/?a=1", 200)
    assert (second.site, second.method, second.path, second.status) == ("valley", "HEAD", "/nothing", 404)
    assert first.agent == "Copydesk-Test/1"
    assert start <= first.at <= second.at <= time.monotonic()


def test_many_requests_at_once(fresh: Newsroom) -> None:
    with httpx.Client(trust_env=False) as http, ThreadPoolExecutor(8) as pool:
        urls = [site.url("/") for site in fresh.sites.values()] * 30
        assert {response.status_code for response in pool.map(http.get, urls)} == {200}
    assert len(fresh.requests) == 90


def converse(room: Newsroom, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", room.sites["harbour"].port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_one_connection_serves_many_requests_until_told_to_close(room: Newsroom) -> None:
    get = b"GET /robots.txt HTTP/1.1\r\nHost: h\r\n\r\n"
    head = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    got = converse(room, get + head + last + get)
    assert re.findall(rb"HTTP/1.1 (\d+)", got) == [b"200", b"200", b"404"]
    assert re.findall(rb"Connection: (\S+)", got) == [b"keep-alive", b"keep-alive", b"close"]
    assert got.count(b"<html") == 1  # of the 404: HEAD leaves its body out


def test_what_is_not_get_or_not_http_is_refused(room: Newsroom) -> None:
    post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n"
    assert re.findall(rb"HTTP/1.1 (\d+)", converse(room, post)) == [b"405", b"200"]
    assert b"HTTP/1.1 400 " in converse(room, b"nonsense\r\n\r\n")
    assert converse(room, b"GET / HT") == b""
    assert parse_head(b"GET http://x/ HTTP/1.1\r\n\r\n") is None


def test_no_source_lists_an_address_outside_the_newsroom(room: Newsroom, client: httpx.Client) -> None:
    hosts = {f"{url.host}:{url.port}" for url in map(httpx.URL, listed(room, client))}
    assert hosts == set(room.allow_addresses)
