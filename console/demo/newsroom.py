"""The invented newsroom as a whole: serves its sites on loopback, keeps a log, and knows what must come out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from urllib.parse import urlsplit

from console.demo.articles import SITES
from console.demo.edition import Edition
from console.demo.quirks import Faults
from console.demo.responses import Response, negotiate
from console.demo.server import Call, Server
from console.demo.sites import Site, make_sites
from console.demo.truth import Truth, tell
from storage.records import SourceConfig, SourceKind

# One site compresses, as many do; the others send their pages plain.
_COMPRESSING = "coast"

_SOURCES = (
    ("harbour-rss", "harbour", "/feeds/news.rss", SourceKind.FEED),
    ("harbour-news", "harbour", "/news-sitemap.xml", SourceKind.SITEMAP),
    ("valley-atom", "valley", "/atom.xml", SourceKind.FEED),
    ("valley-latest", "valley", "/latest", SourceKind.SECTION),
    ("valley-partners", "valley", "/feeds/partners.xml", SourceKind.AUTO),
    ("coast-json", "coast", "/feed.json", SourceKind.FEED),
    ("coast-sitemap", "coast", "/sitemap_index.xml", SourceKind.SITEMAP),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One line of the log. `at` is a reading of time.monotonic() in seconds; `path` has the query."""

    at: float
    site: str
    method: str
    path: str
    status: int
    agent: str


class Newsroom:
    """Three newspapers on 127.0.0.1, each on its own port, as a context manager.

    `now` is the time from which the articles' dates count back (default: the present, in UTC). `extra` adds that many
    generated articles for tests under load. `ports` fixes the ports of harbour, valley and coast; 0 takes a free one.
    The attributes may be read from any thread.
    """

    def __init__(self, now: datetime | None = None, *, extra: int = 0, ports: tuple[int, int, int] = (0, 0, 0)) -> None:
        self.now = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        self.extra = extra
        self._sockets = _bind(ports)
        self.sites: Mapping[str, Site] = make_sites(
            {name: sock.getsockname()[1] for name, sock in self._sockets.items()}
        )
        self._edition = self._first
        self._faults = Faults()
        self._log: list[Request] = []
        self._lock = threading.Lock()
        self._server = Server(self._sockets, self._handle)

    def __enter__(self) -> Newsroom:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def sources(self) -> tuple[SourceConfig, ...]:
        """The listings of all sites, ready to be added."""
        found = [*_SOURCES]
        if self.extra:
            found += [(f"{name}-extra", name, "/sitemap-extra.xml", SourceKind.SITEMAP) for name in SITES]
        return tuple(
            SourceConfig(name=name, url=self.sites[site].url(path), kind=kind, publisher=self.sites[site].title)
            for name, site, path, kind in found
        )

    @property
    def allow_addresses(self) -> tuple[str, ...]:
        """The exceptions that the address guard needs, as ADDRESS:PORT."""
        return tuple(f"127.0.0.1:{site.port}" for site in self.sites.values())

    @property
    def requests(self) -> list[Request]:
        """The log so far, in the order of the answers."""
        with self._lock:
            return list(self._log)

    @property
    def state(self) -> int:
        """Which state of the world is served: 1 or 2."""
        return self._edition.state

    def advance(self) -> None:
        """Move to the second state: one article corrected, one retouched, three new. Again: no effect."""
        self._edition = self._second

    @cached_property
    def truth(self) -> Truth:
        """What must come out of a correct crawl."""
        return tell(self._first, self._second)

    @cached_property
    def _first(self) -> Edition:
        return Edition(self.sites, self.now, extra=self.extra, state=1)

    @cached_property
    def _second(self) -> Edition:
        return Edition(self.sites, self.now, extra=self.extra, state=2)

    def _handle(self, site: str, call: Call) -> Response:
        """Answer one request on the server's thread."""
        response = self._respond(site, call)
        line = Request(
            at=time.monotonic(),
            site=site,
            method=call.method,
            path=call.target,
            status=response.status,
            agent=call.headers.get("user-agent", ""),
        )
        with self._lock:
            self._log.append(line)
        return response

    def _respond(self, site: str, call: Call) -> Response:
        if call.method not in ("GET", "HEAD"):
            return Response(status=405, headers=(("Allow", "GET, HEAD"),))
        edition = self._edition
        path = urlsplit(call.target).path
        story = edition.story_at(site, path)
        failure = self._faults.failure(story.key) if story else None
        return failure or negotiate(edition.answer(site, path), call.headers, compress=site == _COMPRESSING)


def _bind(ports: tuple[int, int, int]) -> dict[str, socket.socket]:
    return {name: socket.create_server(("127.0.0.1", port)) for name, port in zip(SITES, ports, strict=True)}
