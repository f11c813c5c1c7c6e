"""Sources over HTTP: what is watched, and what its polls brought."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from console.views import source_json, whole
from console.web.api.articles import MOST
from storage import sources

if TYPE_CHECKING:
    from storage.store import Store


def router(store: "Store") -> APIRouter:
    """Everything under /sources."""
    routes = APIRouter(prefix="/sources", tags=["sources"])

    @routes.get("")
    def list_sources(after: str = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 100) -> dict[str, Any]:
        """Sources by name; `next` is the `after` of the following page, null at the end."""
        with store.reading() as tx:
            found = sources.listed(tx, after=after, limit=limit)
        more = found[-1].config.name if len(found) == limit else None
        return {"sources": [source_json(one) for one in found], "next": more}

    @routes.get("/{name}")
    def get_source(name: str) -> dict[str, Any]:
        """One source: what its operator said, and what was learned."""
        with store.reading() as tx:
            return source_json(sources.get(tx, name))

    @routes.get("/{name}/polls")
    def list_polls(name: str, limit: Annotated[int, Query(ge=1, le=MOST)] = 30) -> dict[str, Any]:
        """A source's last polls, newest first: when, how they ended, how many entries and new ones they saw."""
        with store.reading() as tx:
            found = sources.history(tx, sources.get(tx, name).id, limit)
        return {"polls": [whole(one) for one in found]}

    return routes
