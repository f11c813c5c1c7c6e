"""The network in front of a server: passes connections on to a Unix socket, each byte a little later.

    python -m benchmarks.cluster.relay DELAY_S ADDRESS:PORT=SOCKET ...

It stands for the server's own host: where the kernel cannot delay packets (tc-netem(8)), nobody notices the difference.
A peer that is gone without a word is noticed as a server does that sends keepalives.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress

_KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 25_000}


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay_s: float) -> None:
    """Pass bytes on until one of the ends closes."""
    loop, line = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def send() -> None:
        while True:
            at, data = await line.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not data:
                return
            target.write(data)
            await target.drain()

    sending = asyncio.ensure_future(send())
    with suppress(OSError):
        while data := await source.read(65_536):
            line.put_nowait((loop.time() + delay_s, data))
    line.put_nowait((0.0, b""))
    with suppress(OSError):
        await sending
    target.close()


async def serve(delay_s: float, places: list[tuple[str, int, str]]) -> None:
    """Relay until standard input ends."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        peer: socket.socket = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in _KEEPALIVE.items():
            peer.setsockopt(socket.IPPROTO_TCP, option, value)
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(carry(reader, inner_writer, delay_s), carry(inner_reader, writer, delay_s))

    for address, port, path in places:
        await asyncio.start_server(lambda r, w, path=path: client(r, w, path), address, port)  # type: ignore[misc]
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Run it."""
    places = []
    for word in sys.argv[2:]:
        place, _, path = word.partition("=")
        address, _, port = place.partition(":")
        places.append((address, int(port), path))
    asyncio.run(serve(float(sys.argv[1]), places))


if __name__ == "__main__":
    main()
