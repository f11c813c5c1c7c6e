"""The change feed over HTTP: as pages, with long polling, or as a stream of events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from console.views import whole
from console.web.api.articles import MOST
from storage import changes
from storage.records import Change

if TYPE_CHECKING:
    from storage.store import Store

_LOOK_S = 0.5
_ALIVE_S = 15.0
"""A stream without news says so this often, so that proxies and clients see that it lives."""
Seq = Annotated[int, Query(ge=0, le=2**53, description="The last number that you have seen.")]


def router(store: "Store") -> APIRouter:
    """What happened to articles, in the order of the commits."""
    routes = APIRouter(prefix="/changes", tags=["changes"])

    @routes.get("")
    async def list_changes(
        request: Request,
        since: Seq = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
        wait_s: Annotated[float, Query(ge=0, le=60, description="Wait so long for news if there is none.")] = 0,
    ) -> dict[str, Any]:
        """Rows of the change feed after `since`, in commit order; `next` is the `since` of the following call."""
        rows = await _rows(store, since, limit)
        for _ in range(int(wait_s / _LOOK_S)):
            if rows or await request.is_disconnected():
                break
            await asyncio.sleep(_LOOK_S)
            rows = await _rows(store, since, limit)
        return {"changes": [whole(row) for row in rows], "next": rows[-1].seq if rows else since}

    @routes.get("/stream", response_class=StreamingResponse)
    async def stream_changes(
        request: Request, since: Seq = 0, last_event_id: Annotated[str, Header(max_length=20)] = ""
    ) -> StreamingResponse:
        """The same as Server-Sent Events; a browser that connects anew goes on after the last event that it got."""
        start = int(last_event_id) if last_event_id.isdecimal() else since
        return StreamingResponse(_events(store, request, start), media_type="text/event-stream")

    return routes


async def _rows(store: "Store", since: int, limit: int) -> list[Change]:
    def read() -> list[Change]:
        with store.reading() as tx:
            return changes.read(tx, since, limit)

    return await run_in_threadpool(read)


async def _events(store: "Store", request: Request, since: int) -> AsyncIterator[str]:
    """HTML Living Standard, section 9.2: an id, the kind and one line of data for each row."""
    quiet_s = 0.0
    yield ": the change feed\n\n"
    while not await request.is_disconnected():
        rows = await _rows(store, since, MOST)
        for row in rows:
            since = row.seq
            yield f"id: {row.seq}\nevent: {row.kind.value}\ndata: {json.dumps(whole(row))}\n\n"
        if rows:
            quiet_s = 0.0
            continue
        quiet_s += _LOOK_S
        if quiet_s >= _ALIVE_S:
            quiet_s = 0.0
            yield ": nothing new\n\n"
        await asyncio.sleep(_LOOK_S)
