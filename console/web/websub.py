"""The callback of WebSub hubs: contains no rules, only HTTP."""

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from console.desk import now
from crawler.discovery import MAX_BYTES

if TYPE_CHECKING:
    from storage.store import Store


def add_websub(app: FastAPI, store: "Store") -> None:
    """Add the callback's two routes."""
    from crawler import inbox

    @app.get("/websub/{token}", include_in_schema=False)
    def verify(token: str, request: Request) -> Response:
        """A hub asks whether we meant to subscribe."""
        challenge = inbox.verify(store, token, dict(request.query_params), now())
        if challenge is None:
            return Response(status_code=404)
        return Response(challenge, media_type="text/plain; charset=utf-8")

    @app.post("/websub/{token}", include_in_schema=False)
    async def deliver(token: str, request: Request) -> Response:
        """A hub brings news."""
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        outcome = await run_in_threadpool(
            inbox.deliver,
            store,
            token,
            body,
            signature=request.headers.get("x-hub-signature"),
            content_type=request.headers.get("content-type"),
            now=now(),
        )
        # 410 ends a subscription that we do not know; a wrong signature is not told to who sent it (section 7.1)
        return Response(status_code=410 if outcome == "unknown" else 202)


async def _body(request: Request) -> bytes | None:
    """The body; None where it passes the limit."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
