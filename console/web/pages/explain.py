"""The page that says everything about one address."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from console.advice import advice
from console.explaining import facts_of
from console.web.pages.common import Reader, shown

if TYPE_CHECKING:
    from storage.store import Store


def router(store: "Store") -> APIRouter:
    """`/explain`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/explain")
    def explain(request: Request, caller: Reader, url: Annotated[str, Query(max_length=4000)] = "") -> Response:
        facts = None
        if url.strip():
            with store.reading() as tx:
                facts = facts_of(tx, url.strip())
        said = advice(facts["page"]["reason"]) if facts and facts["page"] else None
        return shown(request, caller, "explain.html", url=url, facts=facts, said=said)

    return routes
