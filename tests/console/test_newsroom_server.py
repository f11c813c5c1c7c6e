"""The demo's server: its log, many requests at once, connections kept, and what it refuses."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from console.demo.newsroom import Newsroom
from console.demo.server import parse_head


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
