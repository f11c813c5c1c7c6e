"""Numbers the requests, so that the log's lines about one of them can be found together."""

import logging
import uuid

from starlette.types import ASGIApp, Receive, Scope, Send

from storage.logs import set_work, telling


class Numbered:
    """Gives each request a number of its own in the log; a pure ASGI layer, as each request is a task of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            set_work(request=uuid.uuid4().hex[:12])
        await self.app(scope, receive, send)


def name_requests() -> None:
    """Let the server's line about each answer be an event `request` with method, path and status."""
    logging.getLogger("uvicorn.access").addFilter(_named)


def _named(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, _, status = record.args
        facts = {"client": client, "method": method, "path": path, "status": status}
        vars(record).update(telling("request", **facts))
    return True
