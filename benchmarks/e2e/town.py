"""The sites of the end-to-end benchmark: their feeds show a new article at set times, and a log keeps what was asked.

    python -m benchmarks.e2e.town PLAN LOG

PLAN is a file that `Plan.write` made. It says `open` once all sites listen. The clock of the articles starts at the
Unix time that it then reads from standard input; when that ends, it writes the log and ends too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from email.utils import formatdate
from pathlib import Path

from benchmarks.newsprint import printed

_SHOWN = 60
Arrival = tuple[float, int, str, str]
"""A request: when it had arrived in Unix time, the number of the site, the path, and from which address."""
_NOT_YET = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many sites there are, and how fast they bring how many articles, in turn."""

    sites: int
    rate: float
    """New articles a second, of all sites together."""
    seconds: float
    port: int
    size: int = 30_000
    network: str = "127.92"
    """The first two numbers of the sites' addresses."""
    standing: int = 3
    """Articles of each site that are there from the beginning."""

    @property
    def old(self) -> int:
        """How many articles are there from the beginning: the first ones."""
        return self.standing * self.sites

    @property
    def articles(self) -> int:
        """How many articles there are in all."""
        return self.old + round(self.rate * self.seconds)

    @property
    def addresses(self) -> list[str]:
        """Of the sites: one each, so that each is a site of its own."""
        return [f"{self.network}.{number // 200}.{number % 200 + 10}" for number in range(self.sites)]

    def appears(self, number: int, start: float) -> float:
        """When an article appears, in Unix time; 0 if it was always there."""
        return 0.0 if number < self.old else start + (number - self.old) / self.rate

    def appeared(self, at: float, start: float) -> int:
        """How many articles have appeared by that time."""
        new = 0 if start > at else 1 + int((at - start) * self.rate)
        return min(self.articles, self.old + new)

    def write(self, file: Path) -> None:
        """Put it where a process of its own can read it."""
        file.write_text(json.dumps(asdict(self)), "utf-8")


class Town:
    """All sites: what they answer now, and what they were asked."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.start = _NOT_YET
        self.log: list[Arrival] = []
        self._paths: list[str] = []
        self._pages: list[bytes] = []
        for one in printed(plan.articles, size=plan.size):
            home, path = one.url.rsplit("/news", 1)
            site = len(self._pages) % plan.sites
            origin = f"http://{plan.addresses[site]}:{plan.port}"
            self._paths.append(f"/news{path}")
            self._pages.append(one.body.replace(home.encode(), origin.encode()))
        self._robots = _response("text/plain", b"User-agent: *\nDisallow: /search\n")

    def answer(self, site: int, head: bytes, at: float, peer: str) -> bytes:
        """The whole response to a request that arrived at that time."""
        path = head.split(b" ", 2)[1].decode("latin-1")
        self.log.append((at, site, path, peer))
        if path == "/feed":
            return self._feed(site, head, at)
        if path == "/robots.txt":
            return self._robots
        number = int(path.rpartition("-")[2])
        if self.plan.appears(number, self.start) > at:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        return _response("text/html; charset=utf-8", self._pages[number])

    def _feed(self, site: int, head: bytes, at: float) -> bytes:
        numbers = range(site, self.plan.appeared(at, self.start), self.plan.sites)[-_SHOWN:]
        tag = f'"{numbers[-1]}"'
        if f"if-none-match: {tag}".encode() in head.lower():
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        origin = f"http://{self.plan.addresses[site]}:{self.plan.port}"
        items = "".join(self._item(origin, number) for number in reversed(numbers))
        body = f"<rss version='2.0'><channel><title>T</title><link>{origin}</link>{items}</channel></rss>"
        return _response("application/rss+xml", body.encode(), tag)

    def _item(self, origin: str, number: int) -> str:
        link, date = origin + self._paths[number], formatdate(max(self.plan.appears(number, self.start), 1.7e9))
        return f"<item><title>Story {number}</title><link>{link}</link><pubDate>{date}</pubDate></item>"


def _response(kind: str, body: bytes, tag: str = "") -> bytes:
    etag = f"ETag: {tag}\r\n" if tag else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{etag}\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, town: Town, site: int) -> None:
        self._town, self._site = town, site
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._peer = transport.get_extra_info("peername")[0]

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._town.answer(self._site, head, time.time(), self._peer))


async def serve(town: Town) -> None:
    """Serve all sites until standard input ends."""
    loop, plan = asyncio.get_running_loop(), town.plan
    for site, address in enumerate(plan.addresses):
        await loop.create_server(lambda site=site: _Connection(town, site), address, plan.port, backlog=512)  # type: ignore[misc]
    print("open", flush=True)
    if line := await asyncio.to_thread(sys.stdin.readline):
        town.start = float(line)
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve, then write the log."""
    plan, log = (Path(name) for name in sys.argv[1:3])
    town = Town(Plan(**json.loads(plan.read_text("utf-8"))))
    asyncio.run(serve(town))
    log.write_text(json.dumps(town.log), "utf-8")


if __name__ == "__main__":
    main()
