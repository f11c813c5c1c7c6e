"""The sites: small servers on addresses of their own, each with its manners and a log of arrivals."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

STORY = (
    "The harbour office opened a second berth this morning, and the ferries ran on time for the first week in June. "
)
_PROTEST_AT = 7
"""The request, robots.txt not counted, at which a site that protests does so; and again as many later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What one site wants and does. Times in seconds."""

    address: str
    port: int
    neighbour: str
    """The site that its redirects lead to."""
    robots: str = "rules"
    """`rules`, `missing` (404), `down` (503 for good) or `away` (a redirect to the neighbour's)."""
    crawl_delay: float | None = None
    protest: str = ""
    """`seconds` or `date` (429 with such a Retry-After), `busy` (503 with seconds)."""
    feed: str = "own"
    """`own`, or `away`: a redirect to the neighbour's."""
    slowness_s: float = 0.0
    """Of every answer but a protest."""
    connections: int = 1
    """How many it allows at the same time."""

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request as the site saw it: at `at` in monotonic seconds, over which connection."""

    at: float
    path: str
    status: int
    open_connections: int
    """While it arrived, this one included."""
    free_at: float = 0.0
    """Where the answer asks for peace: until then, in monotonic seconds."""


@dataclass(slots=True)
class Place:
    """A running site."""

    manners: Manners
    log: list[Arrival] = field(default_factory=list)
    open: int = 0
    served: int = 0
    protests: int = 0
    peace_s: float = 2.0
    started: float = field(default_factory=time.monotonic)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes, float]:
        """Status, headers and body, and until when it asks for peace."""
        if path == "/robots.txt":
            return (*self._robots(), 0.0)
        self.served += 1
        if self.manners.protest and self.served % _PROTEST_AT == 0:
            return self._protest()
        if path == "/feed":
            return (*self._feed(), 0.0)
        if path.startswith("/away/"):
            return 302, {"Location": f"{self.manners.neighbour}/landed{path[5:]}"}, b"", 0.0
        title = f"Ferries on time at {self.manners.address}{path}"
        page = f"<!doctype html><title>{title}</title><article><h1>{title}</h1><p>{STORY * 3}</p></article>"
        return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode(), 0.0

    def _robots(self) -> tuple[int, dict[str, str], bytes]:
        kind = self.manners.robots
        if kind == "missing":
            return 404, {}, b"no"
        if kind == "down":
            return 503, {}, b"down"
        if kind == "away":
            return 302, {"Location": f"{self.manners.neighbour}/robots.txt"}, b""
        lines = ["User-agent: *", "Disallow: /", "", "User-agent: Copydesk", "Disallow: /private/"]
        lines += [f"Crawl-delay: {self.manners.crawl_delay}"] if self.manners.crawl_delay else []
        return 200, {"Content-Type": "text/plain"}, "\n".join(lines).encode()

    def _feed(self) -> tuple[int, dict[str, str], bytes]:
        if self.manners.feed == "away":
            return 302, {"Location": f"{self.manners.neighbour}/feed"}, b""
        newest = 4 + int((time.monotonic() - self.started) / 2)
        paths = [f"/story/{number}" for number in range(newest)] + [f"/private/{number}" for number in range(3)]
        paths += ["/away/1", "/away/2"]
        items = "".join(f"<item><title>{p}</title><link>{self.manners.origin}{p}</link></item>" for p in paths)
        body = f"<rss version='2.0'><channel><title>T</title><link>{self.manners.origin}</link>{items}</channel></rss>"
        return 200, {"Content-Type": "application/rss+xml"}, body.encode()

    def _protest(self) -> tuple[int, dict[str, str], bytes, float]:
        self.protests += 1
        free_at = time.monotonic() + self.peace_s
        value = str(int(self.peace_s))
        if self.manners.protest == "date":  # whole seconds: it asks for what is left of the last one too
            until = datetime.now(UTC) + timedelta(seconds=self.peace_s)
            value = format_datetime(until.replace(microsecond=0), usegmt=True)
            free_at -= until.microsecond / 1e6
        return 503 if self.manners.protest == "busy" else 429, {"Retry-After": value}, b"peace", free_at


async def serve(place: Place) -> asyncio.Server:
    """Open a site."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place.open += 1
        try:
            while head := await _head(reader):
                await _reply(place, head.split(b" ")[1].decode("latin-1"), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            place.open -= 1
            writer.close()

    return await asyncio.start_server(client, place.manners.address, place.manners.port)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _reply(place: Place, path: str, writer: asyncio.StreamWriter) -> None:
    at = time.monotonic()
    status, headers, body, free_at = place.answer(path)
    place.log.append(Arrival(at=at, path=path, status=status, open_connections=place.open, free_at=free_at))
    if place.manners.slowness_s and not free_at:
        await asyncio.sleep(place.manners.slowness_s)
    lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in headers.items()), f"Content-Length: {len(body)}"]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()


async def town(manners: Sequence[Manners]) -> str:
    """Serve all sites until standard input ends; returns their logs as JSON."""
    places = [Place(one) for one in manners]
    servers = [await serve(place) for place in places]
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()
    return json.dumps({place.manners.address: [asdict(one) for one in place.log] for place in places})


def main() -> None:
    """Run the sites whose manners stand in one file, and leave their logs in another."""
    manners = [Manners(**one) for one in json.loads(Path(sys.argv[1]).read_text("utf-8"))]
    Path(sys.argv[2]).write_text(asyncio.run(town(manners)), "utf-8")


if __name__ == "__main__":
    main()
