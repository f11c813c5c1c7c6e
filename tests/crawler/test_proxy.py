"""A source behind a real proxy that wants a log-in: plain requests, tunnels, and what is kept of the secret."""

import base64
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from storage import sources
from storage.records import PageState, SourceKind

World = Any  # of conftest.py, which nobody can import

LOGIN = "Basic " + base64.b64encode(b"jo:op3nsesame").decode()


@dataclass
class Proxy:
    """A forward proxy (RFC 9110 section 7.6): by absolute address, or by CONNECT."""

    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    """Method, target, and whether the log-in was right."""

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self._is_known():
                host = self.path.split("/")[2]
                onward = HTTPConnection(host, timeout=5)
                kept = {name: value for name, value in self.headers.items() if name != "Proxy-Authorization"}
                onward.request("GET", self.path.partition(host)[2], headers=kept)
                answer = onward.getresponse()
                self._answer(answer.status, answer.read(), {"Content-Type": answer.getheader("Content-Type") or ""})
                onward.close()

        def do_CONNECT(self) -> None:
            if not self._is_known():
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=5) as far:
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                _pass_on(self.connection, far)

        def _is_known(self) -> bool:
            good = self.headers.get("Proxy-Authorization") == LOGIN
            proxy.asked.append((self.command, self.path, good))
            if not good:
                self._answer(407, b"", {"Proxy-Authenticate": "Basic realm=x"})
            return good

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    ends = {near: far, far: near}
    while ready := select.select(list(ends), [], [], 5)[0]:
        for end in ready:
            if not (data := end.recv(65_536)):
                return
            ends[end].sendall(data)


def _certificate(file: Path) -> Path:
    """One that names its address, and that a client trusts who is told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "proxied")]), datetime.now(UTC)
    san = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(2).not_valid_before(now - timedelta(days=1)).add_extension(san, critical=False)
    signed = builder.not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key.private_bytes(*plain) + signed.public_bytes(Encoding.PEM))
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Crawls of sites that are asked through a proxy, with the right log-in, a wrong one, and none."""

    world: World
    proxy: Proxy
    site: dict[str, Any]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Behind]:
    folder, proxy = tmp_path_factory.mktemp("behind"), Proxy()
    world = make_world(folder, allow_addresses=[])
    site = {name: world.site() for name in ("right", "wrong", "unset")}
    site["sealed"] = type(site["right"])(_certificate(folder / "sealed.pem"))
    site["locked"] = type(site["right"])(_certificate(folder / "locked.pem"))
    world.sites += [site["sealed"], site["locked"]]
    for name, login in (("right", "GOOD"), ("wrong", "BAD"), ("unset", "NONE"), ("sealed", "GOOD"), ("locked", "BAD")):
        site[name].add_pages("/a1")
        site[name].add_feed("/feed", ["/a1"])
        way = f"http://jo:${{{login}}}@{proxy.address}"
        world.watch(name, site[name].url("/feed"), SourceKind.FEED, proxy=way)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOOD", "op3nsesame")
        patch.setenv("BAD", "wr0ng")
        patch.setenv("SSL_CERT_FILE", str(folder / "sealed.pem"))
        allowed = [proxy.address, *(one.address for one in site.values())]
        world.crawl(proxies=[f"http://{proxy.address}"], allow_addresses=allowed)
    yield Behind(world=world, proxy=proxy, site=site)
    world.close()
    proxy.close()


def test_all_that_is_asked_of_a_site_goes_through_the_proxy_with_the_log_in(behind: Behind) -> None:
    site = behind.site["right"]
    asked = [(method, good) for method, target, good in behind.proxy.asked if site.address in target]
    assert asked == [("GET", True)] * 3
    assert site.paths() == ["/robots.txt", "/feed", "/a1"]
    assert behind.world.page(site.url("/a1")).state is PageState.FETCHED
    assert not any("Proxy-Authorization" in one.headers for one in site.log)


def test_https_goes_through_a_tunnel_and_the_log_in_stays_outside_of_it(behind: Behind) -> None:
    site = behind.site["sealed"]
    assert behind.world.page(site.url("/a1")).state is PageState.FETCHED
    assert {one for one in behind.proxy.asked if site.address in one[1]} == {("CONNECT", site.address, True)}
    assert not any("Proxy-Authorization" in one.headers for one in site.log)


@pytest.mark.parametrize("name", ["wrong", "locked"])
def test_a_log_in_that_the_proxy_refuses_is_our_fault(behind: Behind, name: str) -> None:
    assert behind.world.poll(name).outcome == "proxy_refused"
    assert behind.site[name].log == []
    with behind.world.store.reading() as tx:
        assert sources.get(tx, name).failures == 0


def test_without_its_log_in_nothing_is_asked_at_all(behind: Behind) -> None:
    poll = behind.world.poll("unset")
    assert (poll.outcome, "NONE" in poll.note) == ("no_credentials", True)
    assert behind.site["unset"].log == []
    assert not any(behind.site["unset"].address in target for _, target, _ in behind.proxy.asked)


def test_the_secret_is_nowhere_in_the_store(behind: Behind) -> None:
    with behind.world.store.reading() as tx:
        rows = tx.exec_driver_sql("SELECT request_headers FROM snapshot").scalars().all()
        kept = tx.exec_driver_sql("SELECT config FROM source").scalars().all()
        notes = tx.exec_driver_sql("SELECT note FROM poll").scalars().all()
    told = str([rows, kept, notes])
    assert "${GOOD}" in told
    assert "withheld" in told
    assert "op3nsesame" not in told
    assert LOGIN.split()[1] not in told


def test_the_guard_judges_what_is_asked_for_and_the_proxy_itself(world: World) -> None:
    proxy, private, site = Proxy(), world.site(allowed=False), world.site()
    way = f"http://{proxy.address}"
    world.watch("literal", private.url("/feed"), proxy=way)
    world.watch("via", site.url("/feed"), proxy=way)
    world.crawl(proxies=[way], allow_addresses=[site.address])
    proxy.close()
    assert (world.poll("literal").outcome, world.poll("via").outcome) == ("blocked_address", "blocked_address")
    assert (proxy.asked, private.log, site.log) == ([], [], [])
