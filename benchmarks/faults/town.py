"""The town: newspapers on loopback addresses that publish when told, fail when told, and know what must come out."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from types import TracebackType

from console.demo.texts import compose, headline
from storage.records import SourceConfig, SourceKind

_IN_A_ROW = 5
"""Articles that one site publishes before it is the next one's turn."""
_CORRECTED = " (corrected)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How a site fails: `busy` (503), `drop` (no answer) or `cut` (half a body), for that many requests."""

    kind: str
    times: int


class Town:
    """Any number of sites, served by a thread, as a context manager. Its methods may be called from any thread."""

    def __init__(self, *, sites: int, seed: int) -> None:
        self._seed = seed
        self._began = datetime.now(UTC)
        self._port = _free_port()
        self._addresses = [f"127.88.{number // 250}.{number % 250 + 1}" for number in range(sites)]
        self.published = 0
        self._corrected: set[int] = set()
        self._troubles: dict[str, Trouble] = {}
        self._failed: set[tuple[str, str]] = set()
        self._served: Counter[int] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="town", daemon=True)

    def __enter__(self) -> Town:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def sources(self) -> list[SourceConfig]:
        """The feed of each site."""
        return [
            SourceConfig(name=address, url=f"{self._origin(address)}/feed", kind=SourceKind.FEED, interval_s=2)
            for address in self._addresses
        ]

    @property
    def allow_addresses(self) -> list[str]:
        """The exceptions that the address guard needs."""
        return [f"{address}:{self._port}" for address in self._addresses]

    @property
    def truth(self) -> Mapping[str, str]:
        """The address and the title of every article published so far."""
        return {f"{self._origin(self._home(n))}{_path(n)}": self._title(n) for n in range(self.published)}

    def publish(self, count: int) -> None:
        """Publish that many more articles, and correct one that somebody has read."""
        self.published += count
        read = [number for number in [*self._served] if number not in self._corrected]
        if count and read:
            self._corrected.add(min(read))

    def trouble(self, kind: str, first: int, sites: int, times: int) -> None:
        """Let some sites fail at their next requests; none fails twice at the same address."""
        for step in range(sites):
            self._troubles[self._addresses[(first + step) % len(self._addresses)]] = Trouble(kind=kind, times=times)

    async def _open(self) -> None:
        self._servers = [
            await asyncio.start_server(self._client(address), address, self._port) for address in self._addresses
        ]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _client(self, address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await self._exchange(address, reader, writer):
                    pass
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the crawl went away, or was killed
            finally:
                writer.close()

        return talk

    async def _exchange(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ")[1]
        trouble = self._trouble_at(address, path)
        if trouble == "drop":
            return False
        status, kind, tag, body = (503, "text/plain", "", b"busy") if trouble == "busy" else self._page(address, path)
        if tag and f"if-none-match: {tag}" in head.lower():
            writer.write(f"HTTP/1.1 304 X\r\nETag: {tag}\r\n\r\n".encode())
            await writer.drain()
            return True
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"ETag: {tag}"] if tag else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + (body[: len(body) // 2] if trouble == "cut" else body))
        await writer.drain()
        number = _number(path)
        if trouble is None and number is not None:
            self._served[number] += 1
        return trouble != "cut"

    def _trouble_at(self, address: str, path: str) -> str | None:
        trouble = self._troubles.get(address)
        if trouble is None or path == "/robots.txt" or (address, path) in self._failed:
            return None
        left = trouble.times - 1
        if left:
            self._troubles[address] = Trouble(kind=trouble.kind, times=left)
        else:
            del self._troubles[address]
        self._failed.add((address, path))
        return trouble.kind

    def _page(self, address: str, path: str) -> tuple[int, str, str, bytes]:
        """Status, type, entity tag and body."""
        if path == "/robots.txt":
            return 200, "text/plain", "", b"User-agent: *\nDisallow: /private/\n"
        if path == "/feed":
            return self._feed(address)
        number = _number(path)
        if number is None or number >= self.published or self._home(number) != address:
            return 404, "text/plain", "", b"no such page"
        return 200, "text/html; charset=utf-8", "", self._article(number)

    def _feed(self, address: str) -> tuple[int, str, str, bytes]:
        numbers = [number for number in range(self.published) if self._home(number) == address]
        items = "".join(
            f"<item><title>{escape(self._title(n))}</title><link>{self._origin(address)}{_path(n)}</link>"
            f"<pubDate>{format_datetime(self._date(n))}</pubDate></item>"
            for n in reversed(numbers)
        )
        tag = f'"{len(numbers)}-{sum(number in self._corrected for number in numbers)}"'
        channel = f"<channel><title>{address}</title><link>{self._origin(address)}</link>{items}</channel>"
        return 200, "application/rss+xml", tag, f'<rss version="2.0">{channel}</rss>'.encode()

    def _article(self, number: int) -> bytes:
        title = escape(self._title(number))
        draft = compose(self._seed_of(number))
        more = ("The first report of this named a wrong day.",) if number in self._corrected else ()
        text = "".join(f"<p>{escape(part)}</p>" for part in (*draft.paragraphs[:4], *more))
        dated = f'<time datetime="{self._date(number).isoformat()}">today</time>'
        page = f"<!doctype html><title>{title}</title><article><h1>{title}</h1>{dated}{text}</article>"
        return page.encode()

    def _title(self, number: int) -> str:
        return f"{headline(self._seed_of(number))}, part {number}{_CORRECTED if number in self._corrected else ''}"

    def _seed_of(self, number: int) -> str:
        return f"faults-{self._seed}-{number}"

    def _date(self, number: int) -> datetime:
        return (self._began - timedelta(days=7) + timedelta(minutes=number)).replace(microsecond=0)

    def _home(self, number: int) -> str:
        return self._addresses[number // _IN_A_ROW % len(self._addresses)]

    def _origin(self, address: str) -> str:
        return f"http://{address}:{self._port}"


def _path(number: int) -> str:
    return f"/news/story-{number}"


def _number(path: str) -> int | None:
    rest = path.removeprefix("/news/story-")
    return int(rest) if rest != path and rest.isdigit() else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
