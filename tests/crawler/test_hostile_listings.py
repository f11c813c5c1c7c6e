"""Listings made to be slow: each shape takes time in the measure of its size, and no listing takes a crawl with it."""

import asyncio
import gzip
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawler import apart, listing
from crawler.answers import Answer
from crawler.discovery import discover
from crawler.listing import read_listing
from storage.errors import DiscoveryError
from storage.records import SourceKind

SIZE = 100_000
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
URL = "https://harbour.example/"
LINK = "<a href='/2026/03/01/a-long-story-here'>A long story of the day</a>"
JSON_FEED = '{"version":"https://jsonfeed.org/version/1.1","items":'


def times(piece: str) -> str:
    return piece * (SIZE // len(piece))


def rss(inner: str) -> str:
    return f"<rss version='2.0'><channel><title>T</title>{inner}</channel></rss>"


def item(inner: str) -> str:
    return rss(f"<item><link>https://harbour.example/1</link>{inner}</item>")


def atom(inner: str) -> str:
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{inner}</feed>"


def html(inner: str) -> str:
    return f"<html><body>{inner}"


SLOW = {
    "items": lambda: rss(times("<item><link>https://harbour.example/x</link></item>")),
    "links of an item": lambda: item(times("<link>https://harbour.example/x</link>")),
    "titles of an item": lambda: item(times("<title>x</title>")),
    "categories": lambda: item(times("<category>a</category>")),
    "open items": lambda: "<rss><channel>" + times("<item>"),
    "escaped markup": lambda: item(f"<description>{times('&lt;p&gt;x')}</description>"),
    "ampersands": lambda: item(f"<description>{times('&amp;')}</description>"),
    "unknown entities": lambda: item(f"<title>{times('&foo')}</title>"),
    "attributes": lambda: rss("<item " + " ".join(f'a{n}="1"' for n in range(SIZE // 9)) + "/>"),
    "a long date": lambda: item(f"<pubDate>{times('Mon, ')}</pubDate>"),
    "numbers for a date": lambda: item(f"<pubDate>{times('1 ')}</pubDate>"),
    "namespaces": lambda: rss(times('<x:a xmlns:x="u">')),
    "open CDATA": lambda: item(f"<title>{times('<![CDATA[')}</title>"),
    "open comments": lambda: rss(times("<!--")),
    "open instructions": lambda: times("<?a ") + rss(""),
    "blanks": lambda: " " * SIZE + rss(""),
    "a document type": lambda: f"<!DOCTYPE rss [{times('<!ELEMENT a ANY>')}]>" + rss(""),
    "an open document type": lambda: "<!DOCTYPE rss [" + times("<"),
    "depth": lambda: "<rss><channel>" + times("<a>"),
    "links of an entry": lambda: atom(f"<entry>{times('<link href=' + repr(URL) + '/>')}</entry>"),
    "entries": lambda: atom(times("<entry><link href='/x'/><title type='html'>&lt;b&gt;</title></entry>")),
    "addresses": lambda: f"<urlset>{times('<url><loc>https://harbour.example/x</loc></url>')}</urlset>",
    "one long address": lambda: f"<urlset><url><loc>https://{times('/')}</loc></url></urlset>",
    "open addresses": lambda: "<urlset>" + times("<url><loc>"),
    "lines": lambda: times("https://harbour.example/x\n"),
    "JSON items": lambda: f"{JSON_FEED}[{times('{},')}{{}}]}}",
    "open JSON": lambda: JSON_FEED + times("["),
    "deep JSON": lambda: times('{"a":'),
    "links": lambda: html(times(LINK)),
    "open links": lambda: html(times("<a href='/2026/03/01/a-long-story'>")),
    "deep links": lambda: html(times(f"<div>{LINK}")),
    "headlines": lambda: html(times(f"<article><h2>{LINK}</h2>")),
    "feeds": lambda: "<html><head>" + times("<link rel=alternate type='application/rss+xml' href=/f>"),
    "open JSON-LD": lambda: "<html><head><script type='application/ld+json'>" + times("["),
    "tag openings": lambda: "<html>" + times("<"),
    "an open attribute": lambda: html('<a href="' + times("x")),
    "times": lambda: html(times("<time datetime='2026-99-99'>")),
    "one long query": lambda: html(f"<a href='/x?{times('a=1&')}'>A long story</a>"),
    "dots": lambda: html(f"<a href='/{times('../')}'>A long story</a>"),
    "a class for each": lambda: html("".join(f"<div class=c{n}>{LINK}</div>" for n in range(SIZE // 90))),
}


@pytest.mark.parametrize("shape", SLOW)
def test_no_shape_takes_more_than_its_size_tells(shape: str) -> None:
    body = SLOW[shape]().encode()
    began = time.process_time()
    for expected in (SourceKind.AUTO, SourceKind.SECTION):
        try:
            discover(body, url=URL, now=NOW, expected=expected)
        except DiscoveryError:
            continue
    assert time.process_time() - began < 3, "honest ones of that size take a tenth of a second"


def _answer(body: bytes) -> Answer:
    return Answer(url=URL, status=200, headers=(("Content-Type", "application/rss+xml"),), body=body, at=NOW)


def _large() -> bytes:
    entry = "<item><title>Ferry {n}</title><link>https://harbour.example/{n}</link><pubDate>{day}</pubDate></item>"
    many = (entry.format(n=n, day="Tue, 03 Mar 2026 09:01:00") for n in range(9_000))
    return rss("".join(many)).encode()


def read(body: bytes, **more: Any) -> Any:
    return asyncio.run(read_listing(_answer(body), SourceKind.FEED, **more))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_large_one_is_read_apart_and_comes_to_the_same(
    monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    body = _large()
    expected = discover(
        body,
        url=URL,
        now=NOW,
        content_type="application/rss+xml",
        expected=SourceKind.FEED,
        zone=ZoneInfo("Asia/Tokyo"),
    )
    monkeypatch.setattr(listing, "discover", None)  # not here
    assert read(pack(body), zone="Asia/Tokyo") == expected
    assert len(expected.candidates) > 1_000


def test_what_is_wrong_with_a_large_one_is_told_as_ever() -> None:
    with pytest.raises(DiscoveryError) as told:
        read(b"nothing that lists " * 100_000)
    assert told.value.code == "not_a_feed"


def test_a_reader_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LIMIT_S", 0.5)
    monkeypatch.setattr(apart, "_COMMAND", (sys.executable, "-c", "while True: pass"))
    began = time.monotonic()
    with pytest.raises(DiscoveryError, match=r"too_slow: it could not be read within 0\.5 seconds"):
        read(b" " * 1_100_000 + _large())
    assert time.monotonic() - began < 10


def test_a_reader_that_crashes_takes_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_COMMAND", (sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"))
    with pytest.raises(DiscoveryError, match="internal_error: its reader was killed: SIGSEGV"):
        read(_large())


def test_a_small_one_is_not_waited_for_longer_either(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(_body: bytes, **_: object) -> None:
        over.wait(20)

    monkeypatch.setattr(apart, "LIMIT_S", 0.2)
    monkeypatch.setattr(listing, "discover", hang)

    async def go() -> None:
        try:
            await read_listing(_answer(b"<rss/>"), SourceKind.FEED)
        finally:
            over.set()

    with pytest.raises(DiscoveryError, match="too_slow"):
        asyncio.run(go())
