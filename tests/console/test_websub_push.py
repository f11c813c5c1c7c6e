"""A subscription from the first poll to a push: a small hub, the callback's web server, and crawls, all on loopback."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
import uvicorn

from console.web import create_app
from crawler.crawl import crawl
from storage import pages, sites, sources, subscriptions
from storage.records import SourceConfig
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.subscriptions import Subscription


class Place:
    """A site with a feed, and a hub that verifies and distributes (W3C WebSub sections 5 and 7)."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.verified = threading.Event()
        self.echoed: list[tuple[int, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.home = f"http://{self.address}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def feed(self, *numbers: int) -> bytes:
        items = "".join(f"<item><title>Story {n}</title><link>{self.home}/n/{n}</link></item>" for n in numbers)
        head = f"<link>{self.home}/</link>"
        return f"<rss version='2.0'><channel><title>T</title>{head}{items}</channel></rss>".encode()

    def publish(self, body: bytes, *, secret: str | None = None) -> int:
        wanted = self.asked[-1]
        signature = hmac.new((secret or wanted["hub.secret"]).encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature": f"sha256={signature}", "Content-Type": "application/rss+xml"}
        return httpx.post(wanted["hub.callback"], content=body, headers=headers, trust_env=False).status_code

    def verify(self, wanted: dict[str, str], challenge: str = "c-1", **changed: str) -> None:
        words = {"hub.mode": "subscribe", "hub.topic": wanted["hub.topic"], "hub.challenge": challenge}
        words |= {"hub.lease_seconds": "86400"} | {name.replace("_", "."): value for name, value in changed.items()}
        got = httpx.get(f"{wanted['hub.callback']}?{urlencode(words)}", trust_env=False)
        self.echoed.append((got.status_code, got.text))
        self.verified.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = place.feed(1, 2) if self.path == "/feed" else None
                self.send_response(404 if body is None else 200)
                self.send_header("Link", f'<{place.home}/hub>; rel="hub", <{place.home}/feed>; rel="self"')
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self) -> None:
                words = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                wanted = {name: values[0] for name, values in words.items()}
                place.asked.append(wanted)
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                threading.Thread(target=place.verify, args=(wanted,)).start()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    yield found
    found.server.shutdown()
    found.server.server_close()


class Desk:
    """A store, and its web server on a port of its own."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.place = place
        plain = {"data": folder, "delay_s": 0.0, "log_level": "WARNING"}
        self.store: Store = open_store(load_settings(plain, {}, folder / "none.toml"))
        self.server = uvicorn.Server(uvicorn.Config(create_app(self.store), port=0, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        ready = threading.Event()
        while not self.server.started and self.thread.is_alive():
            ready.wait(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        more = {"public_url": f"http://127.0.0.1:{port}", "allow_addresses": [place.address, f"127.0.0.1:{port}"]}
        self.settings: Settings = load_settings({**plain, **more}, {}, folder / "none.toml")
        config = SourceConfig(name="it", url=f"{place.home}/feed")
        self._write(lambda tx: sources.add(tx, config, site=place.address, now=datetime.now(UTC), interval_s=3600))

    def crawl(self, **changed: Any) -> None:
        def make_due(tx: Any) -> None:
            sources.trigger(tx, ["it"], datetime.now(UTC) - timedelta(seconds=5))
            sites.block(tx, self.place.address, None, 0)

        self._write(make_due)
        crawl(self.settings, self.store)

    def known(self) -> Subscription | None:
        with self.store.reading() as tx:
            return subscriptions.of_source(tx, sources.get(tx, "it").id)

    def next_in(self) -> timedelta:
        with self.store.reading() as tx:
            at = sources.get(tx, "it").next_at
        assert at is not None
        return at - datetime.now(UTC)

    def has_page(self, number: int) -> bool:
        with self.store.reading() as tx:
            return pages.find(tx, f"{self.place.home}/n/{number}") is not None

    def _write(self, work: Any) -> None:
        self.store.write(work)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path, place: Place) -> Iterator[Desk]:
    found = Desk(tmp_path, place)
    yield found
    found.close()


def test_a_feed_with_a_hub_is_subscribed_pushed_and_polled_less(desk: Desk, place: Place) -> None:
    desk.crawl()
    assert place.verified.wait(10)
    assert place.echoed == [(200, "c-1")]
    assert place.asked[0]["hub.mode"] == "subscribe"
    assert place.asked[0]["hub.topic"] == f"{place.home}/feed"
    known = desk.known()
    assert known is not None
    assert (known.state, known.failures) == ("active", 0)
    assert known.lease_until is not None
    assert timedelta(hours=23) < known.lease_until - datetime.now(UTC) < timedelta(hours=24)

    desk.crawl()
    before = desk.next_in()
    assert place.publish(place.feed(3)) == 202
    assert desk.has_page(3)
    desk.crawl()
    assert desk.next_in() > 2 * before
    assert len(place.asked) == 1  # the lease is young

    assert place.publish(place.feed(4), secret="guessed") == 202
    assert not desk.has_page(4)
    known = desk.known()
    assert known is not None
    assert known.refused == 1


def test_the_callback_believes_nobody_else(desk: Desk, place: Place) -> None:
    desk.crawl()
    assert place.verified.wait(10)
    wanted = place.asked[0]
    place.verify(wanted, hub_topic="https://else.example/feed")
    place.verify(wanted, hub_mode="unsubscribe")
    place.verify({**wanted, "hub.callback": wanted["hub.callback"] + "x"})
    assert [status for status, _ in place.echoed] == [200, 404, 404, 404]
    place.asked[-1] = {**wanted, "hub.callback": wanted["hub.callback"] + "x"}
    assert place.publish(place.feed(5)) == 410
    place.verify(wanted, hub_mode="denied")
    known = desk.known()
    assert known is not None
    assert known.state == "denied"


def test_without_a_public_address_no_hub_is_asked(desk: Desk, place: Place) -> None:
    desk.settings = load_settings(
        {"data": desk.settings.data, "delay_s": 0.0, "allow_addresses": [place.address]}, {}, Path("none.toml")
    )
    desk.crawl()
    assert place.asked == []
    assert desk.known() is None


def test_a_hub_or_callback_in_a_private_network_is_not_asked(desk: Desk, place: Place) -> None:
    desk.settings = load_settings(
        {
            "data": desk.settings.data,
            "delay_s": 0.0,
            "allow_addresses": [place.address],
            "public_url": "http://10.0.0.1",
        },
        {},
        Path("none.toml"),
    )
    desk.crawl()
    assert place.asked == []
    known = desk.known()
    assert known is not None
    assert known.failures == 1
