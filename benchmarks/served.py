"""An application on a loopback port, served by a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import uvicorn
from fastapi import FastAPI

_READY_S = 30.0


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the application, while the block runs. Raises TimeoutError where it does not start."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server)}"
    finally:
        server.should_exit = True
        thread.join(_READY_S)


def _port(server: uvicorn.Server) -> int:
    for _ in range(int(_READY_S / 0.02)):
        if server.started:
            return int(server.servers[0].sockets[0].getsockname()[1])
        Event().wait(0.02)
    raise TimeoutError("the web server did not start")
