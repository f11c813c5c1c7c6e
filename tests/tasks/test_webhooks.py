"""Webhooks take every change once, in order, signed; a dead one is put off, parked, and goes on where it stopped."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from crawler.post import PostFailed, post
from storage import webhooks
from storage.errors import NotFound, UsageError
from storage.settings import Settings
from storage.store import Store
from tasks.process import process_pages
from tasks.webhooks import deliver, signed

SECRET = {"MART_SECRET": "a secret of the mart"}
PAGE = "<article><h1>Ferry {n} returns</h1><p>{words}</p></article>"


class Mart:
    """A receiver that checks signatures, and answers what it is told to."""

    def __init__(self) -> None:
        self.status, self.told, self.headers = 204, [], []  # type: tuple[int, list[Any], list[dict[str, str]]]
        mart = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if mart.status < 300:
                    mart.headers.append(
                        {name.lower(): value for name, value in self.headers.items()} | {"body": body.decode()}
                    )
                    mart.told += json.loads(body)["changes"]
                self.send_response(mart.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def mart() -> Iterator[Mart]:
    opened = Mart()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture
def chosen(settings: Settings, mart: Mart) -> Settings:
    return replace(settings, allow_addresses=(f"127.0.0.1:{mart.port}",))


@pytest.fixture
def news(store: Store, fetched: Callable[..., int], now: datetime, settings: Settings) -> Callable[[int], None]:
    """Brings in an article."""

    def come(number: int) -> None:
        words = " ".join(f"word{number}x{place}" for place in range(60))
        page_id = fetched(f"https://harbour.example/{number}", PAGE.format(n=number, words=words))
        process_pages(store, [page_id], clock=lambda: now, recipes={}, settings=settings)

    return come


def watch(store: Store, mart: Mart, now: datetime, **more: Any) -> None:
    options: dict[str, Any] = {"secret_variable": "MART_SECRET", "with_articles": True, "since": 0, "now": now} | more
    store.write(lambda tx: webhooks.add(tx, "mart", f"http://127.0.0.1:{mart.port}/hook", **options))


def only(store: Store) -> webhooks.Webhook:
    with store.reading() as tx:
        return webhooks.listed(tx)[0]


def test_each_change_once_in_order_and_signed(
    store: Store, chosen: Settings, mart: Mart, news: Callable[[int], None], now: datetime
) -> None:
    for number in range(3):
        news(number)
    watch(store, mart, now)
    assert deliver(store, chosen, now, SECRET) == 3
    assert deliver(store, chosen, now, SECRET) == 0
    assert [(one["seq"], one["kind"]) for one in mart.told] == [(1, "created"), (2, "created"), (3, "created")]
    assert mart.told[0]["article"]["title"] == "Ferry 0 returns"
    sent = mart.headers[0]
    content = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.{sent['body']}".encode()
    mac = base64.b64encode(hmac.new(b"a secret of the mart", content, hashlib.sha256).digest()).decode()
    assert (sent["webhook-id"], sent["webhook-signature"]) == ("mart-1-3", f"v1,{mac}")


def test_nothing_is_lost_while_a_receiver_is_down(
    store: Store, chosen: Settings, mart: Mart, news: Callable[[int], None], now: datetime
) -> None:
    watch(store, mart, now)
    news(0)
    mart.status = 503
    for minute in (0, 1, 2):
        assert deliver(store, chosen, now + timedelta(minutes=minute), SECRET) == 0
    held = only(store)
    assert (held.failures, held.lag, held.problem) == (3, 1, "it answered 503 Service Unavailable")
    assert held.next_at == now + timedelta(minutes=2, seconds=20)
    news(1)
    mart.status = 200
    assert deliver(store, chosen, now + timedelta(minutes=2), SECRET) == 0, "it is not tried before its time"
    assert deliver(store, chosen, now + timedelta(hours=1), SECRET) == 2
    assert [one["seq"] for one in mart.told] == [1, 2]
    assert (only(store).failures, only(store).problem) == (0, None)


def test_a_dead_receiver_is_parked_and_can_be_resumed(
    store: Store, chosen: Settings, mart: Mart, news: Callable[[int], None], now: datetime
) -> None:
    watch(store, mart, now)
    news(0)
    mart.status = 410
    for day in range(5):
        deliver(store, chosen, now + timedelta(days=day), SECRET)
    assert only(store).parked_at == now + timedelta(days=3)
    mart.status = 200
    assert deliver(store, chosen, now + timedelta(days=9), SECRET) == 0
    store.write(lambda tx: webhooks.resume(tx, "mart"))
    assert deliver(store, chosen, now + timedelta(days=9), SECRET) == 1


def test_without_its_secret_nothing_is_sent(
    store: Store, chosen: Settings, mart: Mart, news: Callable[[int], None], now: datetime
) -> None:
    watch(store, mart, now)
    news(0)
    assert deliver(store, chosen, now, {}) == 0
    assert "MART_SECRET" in (only(store).problem or "")
    assert mart.told == []


def test_a_new_one_begins_now_and_may_leave_articles_out(
    store: Store, chosen: Settings, mart: Mart, news: Callable[[int], None], now: datetime
) -> None:
    news(0)
    watch(store, mart, now, since=None, with_articles=False)
    news(1)
    deliver(store, chosen, now, SECRET)
    assert [one["seq"] for one in mart.told] == [2]
    assert "article" not in mart.told[0]


def test_names(store: Store, mart: Mart, now: datetime) -> None:
    watch(store, mart, now)
    with pytest.raises(UsageError, match="called 'mart' already"):
        watch(store, mart, now)
    store.write(lambda tx: webhooks.remove(tx, "mart"))
    for verb in (webhooks.remove, webhooks.resume):
        with pytest.raises(NotFound, match="no webhook 'mart'"):
            store.write(lambda tx, verb=verb: verb(tx, "mart"))  # type: ignore[misc]


def test_the_guard_stands_before_every_post(mart: Mart) -> None:
    for url in (f"http://127.0.0.1:{mart.port}/", "http://localhost/", "file:///etc/passwd", "http://169.254.169.254/"):
        with pytest.raises(PostFailed, match="blocked"):
            post(url, b"{}", {}, timeout_s=5)


def test_a_redirect_is_not_followed(mart: Mart) -> None:
    mart.status = 307
    with pytest.raises(PostFailed, match="it answered 307"):
        post(f"http://127.0.0.1:{mart.port}/", b"{}", {}, timeout_s=5, allowed=("127.0.0.1",))


def test_a_closed_port_is_a_problem_and_no_crash() -> None:
    with pytest.raises(PostFailed, match="ConnectionRefusedError"):
        post("http://127.0.0.1:9/", b"{}", {}, timeout_s=5, allowed=("127.0.0.1",))


def test_the_signature_of_the_standards_example(now: datetime) -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        datetime.fromtimestamp(1614265330, now.tzinfo),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
