"""A small HTTP/1.1 server for loopback: any number of sites on one asyncio loop in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from console.demo.responses import Response

MAX_HEAD = 65_536
MAX_BODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


Handler = Callable[[str, Call], Response]
"""From a site's name and a request to the answer. Runs on the server's thread and must not block."""


class Server:
    """Serves sockets that are bound already, each under a site's name, until `stop`."""

    def __init__(self, sockets: Mapping[str, socket.socket], handler: Handler) -> None:
        self._sockets = sockets
        self._handler = handler
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="newsroom", daemon=True)

    def start(self) -> None:
        """Start to accept connections; returns when all sites do."""
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the newsroom's server did not start within 10 seconds")

    def stop(self) -> None:
        """Close all sockets and connections and join the thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        servers = [
            await asyncio.start_server(self._accept(site), sock=sock, limit=MAX_HEAD)
            for site, sock in self._sockets.items()
        ]
        self._ready.set()
        await self._stopping.wait()
        for server in servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in servers:
            await server.wait_closed()

    def _accept(self, site: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._converse(site, reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return connected

    async def _converse(self, site: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection in order until either side closes it."""
        try:
            while await self._exchange(site, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away or sent a head without end: nothing to answer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):  # it was gone already
                await writer.wait_closed()

    async def _exchange(self, site: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; True if the connection stays open."""
        call = parse_head(await reader.readuntil(b"\r\n\r\n"))
        length = _body_length(call)
        if call is None or length is None:
            writer.write(encode(Response(status=400, body=b"Bad request.\n"), head=False, keep=False))
            await writer.drain()
            return False
        await reader.readexactly(length)
        keep = call.headers.get("connection", "keep-alive").lower() != "close"
        writer.write(encode(self._handler(site, call), head=call.method == "HEAD", keep=keep))
        await writer.drain()
        return keep


def parse_head(head: bytes) -> Call | None:
    """Read a request line and header lines (RFC 9112); None if it is not HTTP/1.x."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        return None
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Call(method=parts[0], target=parts[1], headers=headers)


def _body_length(call: Call | None) -> int | None:
    """How long a request's body is; None if it cannot be read."""
    length = "0" if call is None else call.headers.get("content-length", "0")
    if call is None or "transfer-encoding" in call.headers or not length.isdecimal() or int(length) > MAX_BODY:
        return None
    return int(length)


def encode(response: Response, *, head: bool, keep: bool) -> bytes:
    """The bytes of an answer. A HEAD answer has the length of the body it leaves out."""
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    if response.status != HTTPStatus.NOT_MODIFIED:
        lines += [f"Content-Type: {response.content_type}", f"Content-Length: {len(response.body)}"]
    body = b"" if head or response.status == HTTPStatus.NOT_MODIFIED else response.body
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
