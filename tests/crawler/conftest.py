"""Real loopback sites, and a store that crawls them, for the tests of whole crawls."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import update

from crawler.crawl import CrawlReport, crawl
from crawler.discovery import Listing, discover
from storage import pages, sites, sources
from storage.records import Hints, Page, Poll, SourceConfig, SourceKind
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.tables import page as page_table
from storage.tables import source as source_table

TEXT = "The harbour office opened a second berth this morning, and the ferries ran on time for the first week in June."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. Who brings its ETag gets 304; where `length` is given, the body is cut off before that."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, with the time of its arrival in monotonic seconds."""

    at: float
    path: str
    headers: Mapping[str, str]


class Site:
    """One HTTP server on a port of its own: replies by path, and a log of what was asked for."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.scheme = "https" if certificate else "http"
        self.replies: dict[str, Reply] = {}
        self.log: list[Asked] = []
        self.watch: Callable[[], None] = lambda: None
        """Called after each request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.address}{path}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.log]

    def on(self, path: str, body: bytes = b"", *, status: int = 200, length: int | None = None, **headers: str) -> None:
        """Answer a path like this; header names are given with underscores."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies[path] = Reply(status=status, body=body, headers=lines, length=length)

    def redirect(self, path: str, to: str) -> None:
        self.on(path, status=302, Location=to)

    def add_pages(self, *paths: str) -> None:
        for path in paths:
            self.on(path, self.html(path), Content_Type="text/html; charset=utf-8")

    def add_feed(self, path: str, links: Sequence[str], *, etag: str = "") -> None:
        found = [link if "://" in link else self.url(link) for link in links]
        items = "".join(f"<item><title>Story {link}</title><link>{link}</link></item>" for link in found)
        body = f"<rss version='2.0'><channel><title>T</title><link>{self.url()}</link>{items}</channel></rss>"
        validator = {"ETag": etag} if etag else {}
        self.replies[path] = Reply(body=body.encode(), headers={"Content-Type": "application/rss+xml", **validator})

    @staticmethod
    def html(name: str) -> bytes:
        body = f"<article><h1>Story {name}</h1><p>{TEXT}</p></article>"
        return f"<!doctype html><title>Story {name}</title>{body}".encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _certificate(folder: Path) -> Path:
    """A certificate that its own key signed, in one file with the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(*plain) + builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return file


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.log.append(Asked(at=time.monotonic(), path=self.path, headers=dict(self.headers.items())))
            site.watch()
            reply = site.replies.get(self.path, Reply(status=404))
            if reply.headers.get("ETag", "") == self.headers.get("If-None-Match"):
                reply = Reply(status=304)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = self.close_connection or reply.length is not None

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class World:
    """Some sites and a store, and crawls of them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.sites: list[Site] = []
        self._allowed: list[str] = []
        self.events: list[dict[str, Any]] = []
        self._options: dict[str, Any] = {
            "data": folder,
            "delay_s": 0.0,
            "timeout_s": 5.0,
            "log_level": "WARNING",
        } | options
        self._store: Store | None = None

    def site(self, *, robots: str | None = None, sealed: bool = False, allowed: bool = True) -> Site:
        site = Site(_certificate(self.folder) if sealed else None)
        if robots is not None:
            site.on("/robots.txt", robots.encode(), Content_Type="text/plain")
        self.sites.append(site)
        if allowed:
            self._allowed.append(site.address)
        return site

    def settings(self, **options: Any) -> Settings:
        merged = {"allow_addresses": self._allowed, **self._options, **options}
        return load_settings(merged, {}, self.folder / "none.toml")

    @property
    def store(self) -> Store:
        self._store = self._store or open_store(self.settings())
        return self._store

    def watch(self, name: str, url: str, kind: SourceKind = SourceKind.AUTO, **config: Any) -> None:
        site = url.split("/")[2]
        added = SourceConfig(name=name, url=url, kind=kind, **config)
        self.store.write(lambda tx: sources.add(tx, added, site=site, now=datetime.now(UTC), interval_s=3600))

    def crawl(self, stop: threading.Event | None = None, **options: Any) -> CrawlReport:
        return crawl(self.settings(**options), self.store, on_event=self.events.append, stop=stop)

    def make_due(self, some: Sequence[Site]) -> None:
        """All that waits at these sites may be polled and fetched now."""
        past, keys = datetime.now(UTC) - timedelta(seconds=1), [site.address for site in some]
        waiting = page_table.c.site.in_(keys) & (page_table.c.state == "discovered")
        with self.store.writing() as tx:
            tx.execute(update(source_table).where(source_table.c.site.in_(keys)).values(next_at=past))
            tx.execute(update(page_table).where(waiting).values(next_at=past))
            for key in keys:
                sites.block(tx, key, None, 0)
            sites.refresh(tx, keys)

    def page(self, url: str) -> Page:
        with self.store.reading() as tx:
            found = pages.find(tx, url)
        assert found is not None, f"{url} was never seen"
        return found

    def poll(self, name: str) -> Poll:
        with self.store.reading() as tx:
            return sources.history(tx, sources.get(tx, name).id)[0]

    def leases(self) -> list[str | None]:
        with self.store.reading() as tx:
            found = [sites.get(tx, site.address) for site in self.sites]
        return [site.lease_owner for site in found if site is not None]

    def close(self) -> None:
        for site in self.sites:
            site.close()
        if self._store:
            self._store.close()


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """A world in a folder; whoever makes one closes it."""
    return World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of one test."""
    found = World(tmp_path)
    yield found
    found.close()


PAPER = "https://www.harbour-courier.example"
PRINT_TIME = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def read() -> Callable[..., Listing]:
    """Reads a body as what a paper's feed address served."""

    def go(
        body: str | bytes, url: str = f"{PAPER}/feed.xml", expected: SourceKind = SourceKind.AUTO, **more: Any
    ) -> Listing:
        raw = body.encode() if isinstance(body, str) else body
        return discover(raw, url=url, now=PRINT_TIME, expected=expected, **more)

    return go


@pytest.fixture(scope="session")
def rss() -> Callable[..., str]:
    """Makes the paper's RSS feed of some items."""

    def make(items: str, head: str = "", attributes: str = "") -> str:
        start = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"{attributes}><channel>'
        return f"{start}<title>Harbour Courier</title><link>{PAPER}/</link>{head}{items}</channel></rss>"

    return make


@pytest.fixture(scope="session")
def item() -> str:
    """One whole item of that feed."""
    dated = "<pubDate>Wed, 04 Mar 2026 09:01:00 GMT</pubDate>"
    return f"<item><title>One</title><link>{PAPER}/n/1</link>{dated}</item>"


@pytest.fixture(scope="session")
def urls() -> Callable[[Listing], list[str]]:
    """The addresses that a listing names."""
    return lambda listing: [candidate.url for candidate in listing.candidates]


@pytest.fixture(scope="session")
def hints(read: Callable[..., Listing]) -> Callable[..., Hints]:
    """What a listing says of its first entry."""
    return lambda body, url=f"{PAPER}/feed.xml": read(body, url).candidates[0].hints
