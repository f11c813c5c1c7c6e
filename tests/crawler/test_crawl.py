"""Whole crawls of real loopback sites, in the crawl process that production uses."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
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
from storage import pages, quarantine, sites, snapshots, sources
from storage.records import Disposition, Page, PageState, Poll, SourceConfig, SourceKind
from storage.records import Site as SiteRow
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.tables import page as page_table
from storage.tables import source as source_table

TEXT = "The harbour office opened a second berth this morning, and the ferries ran on time for the first week in June."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    """What Content-Length says; the connection is closed after the body where it is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    at: float
    path: str
    headers: Mapping[str, str]


class Site:
    """One HTTP server on a port of its own: replies by path, and a log of what was asked for."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.scheme = "https" if certificate else "http"
        self.replies: dict[str, Reply | Callable[[Asked], Reply]] = {}
        self.log: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.address}{path}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.log]

    def add_pages(self, *paths: str) -> None:
        for path in paths:
            self.replies[path] = Reply(body=html(path), headers={"Content-Type": "text/html; charset=utf-8"})

    def add_feed(self, path: str, links: Sequence[str], **headers: str) -> None:
        body = feed(self.url(), [link if "://" in link else self.url(link) for link in links])
        self.replies[path] = Reply(body=body, headers={"Content-Type": "application/rss+xml", **headers})

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
            asked = Asked(at=time.monotonic(), path=self.path, headers=dict(self.headers.items()))
            site.log.append(asked)
            reply = site.replies.get(self.path, Reply(status=404))
            reply = reply if isinstance(reply, Reply) else reply(asked)
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


def html(name: str) -> bytes:
    return f"<!doctype html><title>Story {name}</title><article><h1>Story {name}</h1><p>{TEXT}</p></article>".encode()


def feed(home: str, links: Sequence[str]) -> bytes:
    items = "".join(f"<item><title>Story {link}</title><link>{link}</link></item>" for link in links)
    return f"<rss version='2.0'><channel><title>T</title><link>{home}</link>{items}</channel></rss>".encode()


class World:
    """Some sites and a store, and crawls of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sites: list[Site] = []
        self.events: list[dict[str, Any]] = []
        self._options: dict[str, Any] = {"data": folder, "delay_s": 0.0, "timeout_s": 5.0, "log_level": "WARNING"}
        self._store: Store | None = None

    def site(self, *, robots: str | None = None, sealed: bool = False) -> Site:
        site = Site(_certificate(self.folder) if sealed else None)
        if robots is not None:
            site.replies["/robots.txt"] = Reply(body=robots.encode(), headers={"Content-Type": "text/plain"})
        self.sites.append(site)
        return site

    def settings(self, **options: Any) -> Settings:
        allowed = [site.address for site in self.sites]
        merged = {"allow_addresses": allowed, **self._options, **options}
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crawl")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One crawl of a paper with every fault, a partner site, and a service that must not be touched."""

    world: World
    paper: Site
    partner: Site
    secret: Site
    report: CrawlReport


@pytest.fixture(scope="module")
def scene(folder: Path) -> Iterator[Scene]:
    world = World(folder)
    paper = world.site(robots="User-agent: *\nDisallow: /private\n")
    partner = world.site(robots="User-agent: *\nCrawl-delay: 0.3\n")
    partner.add_pages("/landing", "/d1", "/d2", "/d3")
    partner.add_feed("/feed", ["/d1", "/d2", "/d3"])
    secret = Site()
    _fill(paper, partner, secret)
    world.watch("paper", paper.url("/feed"), SourceKind.FEED)
    world.watch("partner", partner.url("/feed"), SourceKind.FEED)
    report = world.crawl(max_bytes=200_000)
    yield Scene(world=world, paper=paper, partner=partner, secret=secret, report=report)
    secret.close()
    world.close()


def _fill(paper: Site, partner: Site, secret: Site) -> None:
    gzipped = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    paper.add_pages("/a1", "/a2", "/private/x")
    paper.replies |= {
        "/zipped": Reply(body=gzip.compress(html("/zipped")), headers=gzipped),
        "/gone": Reply(status=410),
        "/photo": Reply(body=b"\xff\xd8\xff", headers={"Content-Type": "image/jpeg"}),
        "/moved": Reply(status=301, headers={"Location": "a2?from=moved"}),
        "/a2?from=moved": Reply(body=html("/a2"), headers={"Content-Type": "text/html"}),
        "/to-private": Reply(status=302, headers={"Location": "/private/x"}),
        "/loop": Reply(status=302, headers={"Location": "/pool"}),
        "/pool": Reply(status=302, headers={"Location": "/loop"}),
        "/away": Reply(status=302, headers={"Location": partner.url("/landing")}),
        "/inside": Reply(status=302, headers={"Location": secret.url("/admin")}),
        "/scheme": Reply(status=302, headers={"Location": "file:///etc/hostname"}),
        "/cut": Reply(body=html("/cut")[:40], headers={"Content-Type": "text/html"}, length=4000),
        "/bomb": Reply(body=gzip.compress(b"a" * 5_000_000), headers=gzipped),
        "/large": Reply(body=b"a" * 300_000, headers={"Content-Type": "text/html"}),
        "/broken": Reply(status=500),
    }
    paper.replies |= {f"/hop{n}": Reply(status=302, headers={"Location": f"/hop{n + 1}"}) for n in range(9)}
    names = [path for path in paper.replies if path not in ("/robots.txt", "/pool", "/a2?from=moved")]
    hops = [f"/hop{n}" for n in range(1, 9)]
    paper.add_feed("/feed", [name for name in names if name not in hops], ETag='"v1"')


def test_what_a_feed_names_is_fetched_and_stored(scene: Scene) -> None:
    for path in ("/a1", "/a2", "/zipped"):
        page = scene.world.page(scene.paper.url(path))
        assert page.state is PageState.FETCHED
        with scene.world.store.reading() as tx:
            snapshot = snapshots.get(tx, page.snapshot_id or 0)
            assert snapshots.body(tx, scene.world.store.archive, snapshot) == html(path)
        assert dict(snapshot.headers)["Content-Type"].startswith("text/html")
        assert "Copydesk/0.1" in dict(snapshot.request_headers)["User-Agent"]


def test_pages_are_announced_once_and_the_report_counts_them(scene: Scene) -> None:
    told = [page for event in scene.world.events for page in event.get("fetched", [])]
    assert len(told) == len(set(told)) == scene.report.fetched == scene.report.counts["fetched"]
    with scene.world.store.reading() as tx:
        assert all(page.state is PageState.FETCHED for page in pages.some(tx, told))
    assert not scene.report.failed


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/private/x", "robots_disallowed"),
        ("/to-private", "robots_disallowed"),
        ("/gone", "http_410"),
        ("/photo", "not_html"),
        ("/loop", "redirect_loop"),
        ("/hop0", "redirect_limit"),
        ("/inside", "blocked_address"),
        ("/scheme", "blocked_scheme"),
        ("/bomb", "too_large"),
        ("/large", "too_large"),
    ],
)
def test_what_cannot_be_had_is_rejected_with_its_reason(scene: Scene, path: str, reason: str) -> None:
    page = scene.world.page(scene.paper.url(path))
    assert (page.disposition, page.reason, page.snapshot_id) == (Disposition.REJECTED, reason, None)


@pytest.mark.parametrize(("path", "reason"), [("/cut", "truncated"), ("/broken", "http_500")])
def test_what_may_come_later_is_tried_again(scene: Scene, path: str, reason: str) -> None:
    page = scene.world.page(scene.paper.url(path))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, reason, 1)
    assert page.next_at is not None
    assert page.next_at > datetime.now(UTC)


def test_what_robots_or_the_guard_forbid_is_never_asked_for(scene: Scene) -> None:
    assert "/private/x" not in scene.paper.paths()
    assert scene.secret.log == []


def test_robots_come_first_and_once(scene: Scene) -> None:
    assert scene.paper.paths()[:2] == ["/robots.txt", "/feed"]
    assert scene.paper.paths().count("/robots.txt") == 1


def test_a_redirect_within_the_site_is_followed_at_once(scene: Scene) -> None:
    page = scene.world.page(scene.paper.url("/moved"))
    with scene.world.store.reading() as tx:
        assert snapshots.get(tx, page.snapshot_id or 0).url == scene.paper.url("/a2?from=moved")


def test_a_redirect_to_another_site_becomes_a_page_of_that_site(scene: Scene) -> None:
    page = scene.world.page(scene.paper.url("/away"))
    target = scene.world.page(scene.partner.url("/landing"))
    assert (page.disposition, page.reason) == (Disposition.DUPLICATE, "redirected")
    assert (target.site, target.hops, target.source_id) == (scene.partner.address, 1, page.source_id)
    with scene.world.store.reading() as tx:
        assert pages.leads_to(tx, page.url) == [page.url, target.url]
        assert pages.sightings(tx, target.id)[0].hints.title == f"Story {scene.paper.url('/away')}"


def test_the_crawl_delay_of_a_site_is_kept(scene: Scene) -> None:
    times = [asked.at for asked in scene.partner.log if asked.path != "/landing"]
    assert len(times) == 5
    gaps = [later - sooner for sooner, later in pairwise(times[1:])]
    assert min(gaps) > 0.28, gaps


def test_all_sites_are_given_back(scene: Scene) -> None:
    assert scene.world.leases() == [None, None]
    assert set(scene.report.sites) == {scene.paper.address, scene.partner.address}


def test_a_poll_is_written_down_with_what_it_brought(scene: Scene) -> None:
    poll = scene.world.poll("paper")
    assert (poll.outcome, poll.status) == ("ok", 200)
    assert poll.entries == poll.new == 17
    told = [event["polled"] for event in scene.world.events if "polled" in event]
    assert {(one["source"], one["outcome"]) for one in told} == {("paper", "ok"), ("partner", "ok")}
    with scene.world.store.reading() as tx:
        assert sources.get(tx, "paper").etag == '"v1"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Sites in trouble, crawled, and crawled again once all but the `busy` one may be asked again."""

    world: World
    site: Mapping[str, Site]
    dead: str
    rows: Mapping[str, SiteRow | None]
    """The sites' rows between the crawls."""
    polls: Mapping[str, Poll]
    log: Mapping[str, list[str]]
    """What was asked for in the first crawl."""
    second: CrawlReport


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Return]:
    world = World(tmp_path_factory.mktemp("back"))
    names = ("steady", "turned", "busy", "robotless", "shielded", "lister", "failing", "one", "two", "index", "sealed")
    site = {name: world.site(sealed=name == "sealed") for name in names}
    with socket.create_server(("127.0.0.1", 0)) as unused:
        dead = f"127.0.0.1:{unused.getsockname()[1]}"
    _trouble(site)
    for name in ("steady", "turned", "busy", "lister", "failing", "one", "index", "sealed"):
        world.watch(name, site[name].url("/feed"), SourceKind.SITEMAP if name == "index" else SourceKind.FEED)
    world.watch("dead", f"http://{dead}/feed")
    options: dict[str, Any] = {"max_attempts": 2, "allow_addresses": [dead, *(one.address for one in world.sites)]}
    world.crawl(**options)
    with world.store.reading() as tx:
        rows = {name: sites.get(tx, one.address) for name, one in site.items()} | {"dead": sites.get(tx, dead)}
    polls = {name: world.poll(name) for name in ("steady", "turned", "lister", "index", "dead", "sealed")}
    log = {name: one.paths() for name, one in site.items()}
    site["turned"].replies["/feed"] = Reply(body=html("front"), headers={"Content-Type": "text/html", "ETag": '"o"'})
    world.make_due([one for name, one in site.items() if name != "busy"])
    second = world.crawl(**options)
    yield Return(world=world, site=site, dead=dead, rows=rows, polls=polls, log=log, second=second)
    world.close()


def _trouble(site: Mapping[str, Site]) -> None:
    for name in ("steady", "turned"):
        site[name].add_pages("/a1")
        conditional(site[name], '"x-1"', links=["/a1"])
    site["busy"].add_pages("/a1", "/a3")
    site["busy"].replies["/a2"] = Reply(status=429, headers={"Retry-After": "120"})
    site["busy"].add_feed("/feed", ["/a1", "/a2", "/a3"])
    site["robotless"].replies["/robots.txt"] = Reply(status=503)
    site["shielded"].replies["/robots.txt"] = Reply(status=302, headers={"Location": site["lister"].url("/rules")})
    site["lister"].replies["/rules"] = Reply(body=b"User-agent: copydesk\nDisallow: /", headers={})
    site["lister"].add_feed("/feed", [site["robotless"].url("/a1"), site["shielded"].url("/a1")])
    site["failing"].replies["/a1"] = Reply(status=502)
    site["failing"].add_feed("/feed", ["/a1"])
    site["one"].add_feed("/feed", ["/x"])
    site["one"].replies["/x"] = Reply(status=302, headers={"Location": site["two"].url("/y")})
    site["two"].replies["/y"] = Reply(status=302, headers={"Location": site["one"].url("/x")})
    site["sealed"].add_feed("/feed", ["/a1"])
    _index(site["index"])


def _index(site: Site) -> None:
    site.add_pages("/s1", "/s2")
    named = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/m1", "/feed", "/m1", "/back"))
    urls = f"<urlset><url><loc>{site.url('/s1')}</loc></url><url><loc>{site.url('/s2')}</loc></url></urlset>"
    kind = {"Content-Type": "application/xml", "ETag": '"i"'}
    site.replies["/feed"] = Reply(body=f"<sitemapindex>{named}</sitemapindex>".encode(), headers=kind)
    site.replies["/m1"] = Reply(body=urls.encode(), headers=kind)
    site.replies["/back"] = Reply(status=301, headers={"Location": "/feed"})


def conditional(site: Site, etag: str, *, links: Sequence[str]) -> None:
    """Serve a feed that answers 304 to whoever brings its validator."""
    site.add_feed("/feed", links, ETag=etag)
    whole = site.replies["/feed"]
    assert isinstance(whole, Reply)

    def answer(asked: Asked) -> Reply:
        return Reply(status=304) if asked.headers.get("If-None-Match") == etag else whole

    site.replies["/feed"] = answer


def test_an_unchanged_feed_is_not_read_again(back: Return) -> None:
    again = back.site["steady"].log[len(back.log["steady"]) :]
    assert [(asked.path, asked.headers["If-None-Match"]) for asked in again] == [("/feed", '"x-1"')]
    assert back.world.poll("steady").outcome == "not_modified"
    with back.world.store.reading() as tx:
        found = sources.get(tx, "steady")
    assert (found.etag, found.body_digest is not None, found.failures) == ('"x-1"', True, 0)


def test_a_failed_poll_keeps_the_validators_and_deletes_nothing(back: Return) -> None:
    assert (back.polls["turned"].outcome, back.world.poll("turned").outcome) == ("ok", "not_a_feed")
    with back.world.store.reading() as tx:
        found = sources.get(tx, "turned")
    assert (found.etag, found.failures > 0) == ('"x-1"', True)
    assert back.world.page(back.site["turned"].url("/a1")).state is PageState.FETCHED


def test_a_site_that_asks_for_peace_gets_it(back: Return) -> None:
    assert back.log["busy"][-1] == "/a2", "nothing was asked after the 429"
    row = back.rows["busy"]
    assert row is not None
    assert row.blocked_until is not None
    assert row.blocked_until > datetime.now(UTC) + timedelta(seconds=60)
    assert back.site["busy"].address not in back.second.sites
    assert back.site["busy"].paths() == back.log["busy"]


def test_unreachable_robots_hold_the_pages_back(back: Return) -> None:
    page = back.world.page(back.site["robotless"].url("/a1"))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, "robots_unreachable", 0)
    assert back.site["robotless"].paths() == ["/robots.txt"]


def test_the_rules_of_redirected_robots_hold_for_the_first_host(back: Return) -> None:
    page = back.world.page(back.site["shielded"].url("/a1"))
    assert (page.disposition, page.reason) == (Disposition.REJECTED, "robots_disallowed")
    assert back.site["shielded"].paths() == ["/robots.txt"]


def test_a_host_that_is_down_is_left_alone_for_a_while(back: Return) -> None:
    row = back.rows["dead"]
    assert row is not None
    assert row.blocked_until is not None
    assert (back.polls["dead"].outcome, row.failures) == ("refused", 1)
    assert row.blocked_until > datetime.now(UTC)
    assert back.dead not in back.second.sites


def test_a_certificate_that_nobody_vouches_for_is_refused(back: Return) -> None:
    assert back.polls["sealed"].outcome == "tls"
    assert back.site["sealed"].log == []


def test_a_page_that_keeps_failing_is_quarantined(back: Return) -> None:
    page = back.world.page(back.site["failing"].url("/a1"))
    with back.world.store.reading() as tx:
        found = quarantine.get(tx, page.id)
    assert (page.disposition, found.stage, found.error) == (Disposition.QUARANTINED, "fetch", "http_502")


def test_redirects_between_two_sites_end(back: Return) -> None:
    one, two = back.site["one"], back.site["two"]
    assert back.world.page(one.url("/x")).reason == "redirected"
    page = back.world.page(two.url("/y"))
    assert (page.disposition, page.reason) == (Disposition.REJECTED, "redirect_loop")
    assert (one.paths().count("/x"), two.paths().count("/y")) == (1, 1)


def test_an_index_of_sitemaps_is_read_file_by_file(back: Return) -> None:
    assert back.log["index"] == ["/robots.txt", "/feed", "/m1", "/back", "/s1", "/s2"]
    assert (back.polls["index"].outcome, back.polls["index"].entries) == ("ok", 2)


def test_an_index_is_read_without_conditions(back: Return) -> None:
    again = back.site["index"].log[len(back.log["index"]) :]
    assert [asked.path for asked in again] == ["/feed", "/m1", "/back"]
    assert "If-None-Match" not in again[0].headers


def test_a_crawl_that_is_stopped_loses_nothing_and_goes_on_later(world: World) -> None:
    site = world.site()
    paths = [f"/a{n}" for n in range(40)]
    site.add_pages(*paths)
    site.add_feed("/feed", paths)
    stop = threading.Event()
    started = site.replies["/a0"]
    assert isinstance(started, Reply)

    def reply(asked: Asked) -> Reply:
        if len(site.log) > 12:
            stop.set()
        return Reply(body=html(asked.path), headers={"Content-Type": "text/html"})

    site.replies |= dict.fromkeys(paths, reply)
    world.watch("a", site.url("/feed"))
    report = world.crawl(stop=stop, delay_s=0.02)
    assert (report.stopped, report.failed, world.leases()) == (True, False, [None])
    told = {page for event in world.events for page in event.get("fetched", [])}
    states = [world.page(site.url(path)).state for path in paths]
    asked = len([path for path in site.paths() if path.startswith("/a")])
    assert 10 <= states.count(PageState.FETCHED) == len(told) < 40
    assert asked - len(told) <= 1, "only the answer that was under way may be lost"
    world.crawl()
    assert all(world.page(site.url(path)).state is PageState.FETCHED for path in paths)


def test_a_crawl_process_that_dies_gives_its_sites_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    site = world.site()
    site.add_feed("/feed", [])
    world.watch("a", site.url("/feed"))
    monkeypatch.setattr("sys.executable", "/bin/false")
    report = world.crawl()
    assert (report.failed, report.sites, world.leases()) == (True, (site.address,), [None])


def test_nothing_to_do_starts_no_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent")
    report = world.crawl()
    assert (report.sites, report.failed) == ((), False)


def test_events_are_plain_json(scene: Scene) -> None:
    assert json.loads(json.dumps(scene.world.events)) == scene.world.events
