"""What an evil server may send, and for how long: each way to send too much ends with a code, and soon."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from crawler.coding import TooLarge, decode, library
from crawler.crowding import FULL
from crawler.discovery import MAX_CANDIDATES, discover
from crawler.handler import MOST_HEAD
from storage.errors import DiscoveryError
from storage.records import PageState
from storage.tables import page

NOW = datetime(2026, 3, 10, tzinfo=UTC)
MB = 1_000_000
ZEROS = bytes(50 * MB)
BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(ZEROS),
    "deflate": lambda: zlib.compress(ZEROS),
    "br": lambda: bytes(library("brotli", "brotlicffi").compress(ZEROS, quality=1)),
    "zstd": lambda: bytes(library("compression.zstd", "backports.zstd").compress(ZEROS)),
    "gzip, gzip": lambda: gzip.compress(gzip.compress(ZEROS)),
    "gzip, br": lambda: bytes(library("brotli", "brotlicffi").compress(gzip.compress(ZEROS), quality=1)),
}
EMPTY = {"gzip": gzip.compress(b""), "zstd": bytes(library("compression.zstd", "backports.zstd").compress(b""))}


@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_of_any_coding_nested_or_not_goes_off_at_the_limit(coding: str) -> None:
    with pytest.raises(TooLarge):
        decode(BOMBS[coding](), [coding], MB)


@pytest.mark.parametrize("coding", EMPTY)
def test_hundreds_of_thousands_of_empty_streams_are_refused_at_once(coding: str) -> None:
    body = EMPTY[coding] * (8 * MB // len(EMPTY[coding]))
    began = time.process_time()
    with pytest.raises(TooLarge, match="streams"):
        decode(body, [coding], MB)
    assert time.process_time() - began < 10


def test_a_listing_of_empty_gzip_members_is_refused_at_once() -> None:
    began = time.process_time()
    with pytest.raises(DiscoveryError, match="too_large"):
        discover(EMPTY["gzip"] * 400_000, url="https://a.example/sitemap.xml.gz", now=NOW)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("form", ["rss", "atom", "sitemap", "json"])
def test_a_listing_brings_so_many_candidates_and_counts_the_rest(form: str) -> None:
    listing = discover(_listing(form, MAX_CANDIDATES + 7), url="https://a.example/feed", now=NOW)
    assert (len(listing.candidates), listing.surplus) == (MAX_CANDIDATES, 7)


def _listing(form: str, count: int) -> bytes:
    urls = [f"https://a.example/{number}" for number in range(count)]
    if form == "json":
        return b'{"items":[' + ",".join(f'{{"url":"{url}"}}' for url in urls).encode() + b"]}"
    start, entry, end = {
        "rss": ("<rss><channel>", "<item><link>{}</link></item>", "</channel></rss>"),
        "atom": ('<feed xmlns="http://www.w3.org/2005/Atom">', '<entry><link href="{}"/></entry>', "</feed>"),
        "sitemap": ("<urlset>", "<url><loc>{}</loc></url>", "</urlset>"),
    }[form]
    return (start + "".join(entry.format(url) for url in urls) + end).encode()


def test_a_site_has_so_many_waiting_pages_and_the_rest_comes_when_there_is_room(
    make_world: Callable[..., Any], tmp_path: Any
) -> None:
    world = make_world(tmp_path, waiting_per_site=5)
    try:
        site = world.site()
        elsewhere = [f"https://crowded.example/story-{number}" for number in range(9)]
        site.add_feed("/feed.xml", elsewhere)
        world.watch("crowd", site.url("/feed.xml"))
        report = world.crawl(pages_per_site=0)
        poll = world.poll("crowd")
        assert (poll.entries, poll.new, poll.note) == (9, 5, f"dropped 4 {FULL}")
        assert report.counts[f"dropped_{FULL}"] == 4
        with world.store.writing() as tx:
            tx.execute(update(page).where(page.c.url.in_(elsewhere[:3])).values(state="done", disposition="rejected"))
        world.make_due([site])
        world.crawl(pages_per_site=0)
        assert (world.poll("crowd").new, world.poll("crowd").note) == (3, f"dropped 1 {FULL}")
    finally:
        world.close()


class Dripping:
    """A server that answers robots.txt as it should, and all else as slowly or as endlessly as it can."""

    def __init__(self, drip: Callable[[socket.socket, threading.Event], None]) -> None:
        self._drip = drip
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                if b"robots.txt" in connection.recv(65_536):
                    connection.sendall(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                else:
                    self._drip(connection, self._over)
            except OSError:
                pass  # the crawler went away, as it should

    def close(self) -> None:
        self._over.set()
        self._server.close()


def one_byte_of_a_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(b"a")


def one_byte_of_a_head(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not over.wait(0.05):
        connection.sendall(b"a")


def headers_without_end(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.is_set():
        connection.sendall(b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(16)))


def interim_answers_without_end(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 400)


@pytest.fixture
def dripping() -> Iterator[Callable[..., Dripping]]:
    made: list[Dripping] = []

    def make(drip: Callable[[socket.socket, threading.Event], None]) -> Dripping:
        made.append(Dripping(drip))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.mark.parametrize(
    ("drip", "code", "timeout_s"),
    [
        (one_byte_of_a_body, "timeout", 1.5),
        (one_byte_of_a_head, "timeout", 1.5),
        (headers_without_end, "connection", 60.0),
        (interim_answers_without_end, "connection", 60.0),
    ],
)
def test_neither_slowness_nor_endless_headers_hold_a_crawl(
    make_world: Callable[..., Any],
    dripping: Callable[..., Dripping],
    tmp_path: Any,
    drip: Callable[[socket.socket, threading.Event], None],
    code: str,
    timeout_s: float,
) -> None:
    server = dripping(drip)
    world = make_world(tmp_path, allow_addresses=[server.address], timeout_s=timeout_s)
    try:
        world.watch("evil", f"http://{server.address}/feed.xml")
        began = time.monotonic()
        world.crawl()
        assert time.monotonic() - began < 20
        assert world.poll("evil").outcome == code
    finally:
        world.close()


def test_a_head_of_a_fair_size_is_read(make_world: Callable[..., Any], dripping: Any, tmp_path: Any) -> None:
    def generous(connection: socket.socket, over: threading.Event) -> None:
        lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(MOST_HEAD // 2_000))
        body = b"<rss><channel><item><link>https://a.example/1</link></item></channel></rss>"
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    server = dripping(generous)
    world = make_world(tmp_path, allow_addresses=[server.address])
    try:
        world.watch("large", f"http://{server.address}/feed.xml")
        world.crawl()
        poll = world.poll("large")
        assert (poll.outcome, poll.entries) == ("ok", 1)
        assert world.page("https://a.example/1").state is PageState.DISCOVERED
    finally:
        world.close()
