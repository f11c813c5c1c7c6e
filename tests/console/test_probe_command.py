"""`copydesk sources probe`: a loopback newsroom says what it offers."""

import json
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import Result

from console.demo.newsroom import Newsroom

Cli = Callable[..., Result]
Rows = Callable[..., list[Any]]


class Site:
    """A site of fixed files that says much about itself."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.home = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        items = "".join(f"<item><link>{self.home}/n/{n}</link></item>" for n in range(4))
        self.files = {
            "/robots.txt": b"User-agent: *\nDisallow: /private\nCrawl-delay: 0.1\nContent-Signal: ai-train=no\n",
            "/": b"<html><head><link rel=alternate type='application/rss+xml' href='/rss'>"
            b"<link rel=alternate type='application/rss+xml' href='/private/rss'>"
            b"<meta name='tdm-reservation' content='1'></head><body></body></html>",
            "/rss": f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode(),
            "/.well-known/tdmrep.json": b'[{"location": "/*", "tdm-reservation": 1}]',
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    found = Site()
    monkeypatch.setenv("COPYDESK_ALLOW_ADDRESSES", "127.0.0.1")
    monkeypatch.setenv("COPYDESK_DELAY_S", "0")
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_probe_tells_what_there_is_and_leaves_no_store(cli: Cli, site: Site, tmp_path: Path) -> None:
    told = json.loads(cli("sources", "probe", site.home + "/", "--json").stdout)
    assert (told["best"]["url"], told["best"]["kind"], told["best"]["entries"]) == (f"{site.home}/rss", "feed", 4)
    assert (told["rules"]["allowed"], told["rules"]["crawl_delay_s"]) == (True, 0.1)
    assert {(one["where"], one["name"]) for one in told["signals"]} == {
        ("robots.txt", "content-signal"),
        ("meta", "tdm-reservation"),
        ("tdmrep.json", "tdm-reservation"),
    }
    assert told["failed"] == [[f"{site.home}/private/rss", "robots_disallowed"]]
    assert "/private/rss" not in site.asked
    assert not (tmp_path / "copydesk-data").exists()


def test_probe_prints_an_entry_that_import_takes_and_add_adds_it(cli: Cli, rows: Rows, site: Site) -> None:
    told = cli("sources", "probe", site.home + "/", "--add").stdout
    entry = told[told.index("# feed") : told.index("added ")]
    assert tomllib.loads(entry) == {"source": [{"url": f"{site.home}/rss", "kind": "feed"}]}
    assert [one["url"] for one in rows("sources", "list")] == [f"{site.home}/rss"]


def test_a_probe_where_nothing_answers_says_so(cli: Cli, site: Site) -> None:
    site.files = {}
    assert "nothing there" in cli("sources", "probe", site.home + "/x", exit_code=1).stderr
    assert "no http or https address" in cli("sources", "probe", "ftp://x.example/", exit_code=2).stderr


def test_a_probe_refuses_private_addresses(cli: Cli, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_ALLOW_ADDRESSES")
    assert "blocked_address" in cli("sources", "probe", site.home + "/", exit_code=1).stdout
    assert site.asked == []


def test_a_newsroom_is_found_by_its_front_page(cli: Cli, room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDESK_ALLOW_ADDRESSES", "127.0.0.1")
    monkeypatch.setenv("COPYDESK_DELAY_S", "0")
    home = "/".join(room.sources[0].url.split("/")[:3])
    told = json.loads(cli("sources", "probe", home + "/", "--json").stdout)
    assert told["best"] is not None
    assert told["best"]["entries"] > 3
