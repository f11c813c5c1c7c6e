"""The sites of the crawl benchmark: small servers on loopback addresses of their own, in one process.

    python -m benchmarks.crawl.town PLAN

PLAN is a file that `Plan.write` made. It says `open` once all sites listen, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.newsprint import printed

_POOL = 400
"""Different pages; each is sent with a title of its own."""
_ROBOTS = "User-agent: *\nAllow: /news/\n" + "".join(f"Disallow: /{name}/\n" for name in ("search", "admin", "cart"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many sites there are, each with as many pages."""

    sites: int
    pages: int
    """Of each site."""
    port: int
    size: int = 30_000

    @property
    def addresses(self) -> list[str]:
        """Of the sites: one each, so that each is a site of its own."""
        return [f"127.91.{number // 250}.{number % 250 + 1}" for number in range(self.sites)]

    @property
    def origins(self) -> list[str]:
        """Of the sites, in the same order."""
        return [f"http://{address}:{self.port}" for address in self.addresses]

    def paths(self, site: int) -> list[str]:
        """The paths of one site's pages."""
        return [f"/news/2026/03/{site * self.pages + number}" for number in range(self.pages)]

    def write(self, file: Path) -> None:
        """Put it where a process of its own can read it."""
        file.write_text(json.dumps(asdict(self)), "utf-8")


class _Answers:
    """All that the sites answer, ready to be sent."""

    def __init__(self, plan: Plan) -> None:
        pool = min(_POOL, plan.sites * plan.pages)
        self._pages = [one.body.split(b"<title>", 1) for one in printed(pool, size=plan.size)]
        self._fixed = {"/robots.txt": _response("text/plain", _ROBOTS.encode())}
        for site, origin in enumerate(plan.origins):
            self._fixed[f"{origin}/feed"] = _response("application/rss+xml", _feed(plan, site, origin))

    def to(self, path: str, origin: str) -> bytes:
        """The whole response."""
        if path.startswith("/news/"):
            number = path.rpartition("/")[2]
            head, rest = self._pages[int(number) % len(self._pages)]
            return _response("text/html; charset=utf-8", b"%s<title>%s: %s" % (head, number.encode(), rest))
        return self._fixed[path if path == "/robots.txt" else origin + path]


def _response(kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nServer: town\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f'{head}Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\nETag: "{len(body):x}"\r\n\r\n'.encode() + body


def _feed(plan: Plan, site: int, origin: str) -> bytes:
    items = "".join(
        f"<item><title>Story {path}</title><link>{origin}{path}</link><guid>{origin}{path}</guid>"
        "<pubDate>Tue, 10 Mar 2026 09:00:00 GMT</pubDate></item>"
        for path in plan.paths(site)
    )
    return f"<rss version='2.0'><channel><title>T</title><link>{origin}</link>{items}</channel></rss>".encode()


class _Connection(asyncio.Protocol):
    def __init__(self, answers: _Answers, origin: str) -> None:
        self._answers, self._origin = answers, origin
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1")
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._answers.to(path, self._origin))


async def serve(plan: Plan) -> None:
    """Serve all sites until standard input ends."""
    answers, loop = _Answers(plan), asyncio.get_running_loop()
    for address, origin in zip(plan.addresses, plan.origins, strict=True):
        await loop.create_server(lambda origin=origin: _Connection(answers, origin), address, plan.port, backlog=512)  # type: ignore[misc]
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Plan(**json.loads(Path(sys.argv[1]).read_text("utf-8")))))
