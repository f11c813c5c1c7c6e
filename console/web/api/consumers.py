"""Named readers of the change feed over HTTP: the store keeps their place."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from console.desk import now
from console.views import whole
from console.web.api.articles import MOST
from console.web.identity import allow
from storage import changes, consumers
from storage.accounts import Scope
from storage.database import Tx

if TYPE_CHECKING:
    from storage.store import Store

Name = Annotated[str, Path(max_length=100)]
Written = [Depends(allow(Scope.TRIGGER))]


class NewPlace(BaseModel):
    """Where a reader is."""

    seq: int = Field(ge=0, le=2**53, description="The last row that it is done with.")


def router(store: "Store") -> APIRouter:
    """Everything under /consumers."""
    routes = APIRouter(prefix="/consumers", tags=["changes"])

    @routes.get("")
    def list_consumers() -> dict[str, Any]:
        """All readers, their place, and how far behind they are."""
        with store.reading() as tx:
            return {"consumers": [whole(one) for one in consumers.listed(tx)]}

    @routes.put("/{name}", status_code=204, dependencies=Written)
    def put_consumer(name: Name, place: NewPlace) -> None:
        """Move a reader to a row when it is done with it, or keep a place for a new one."""
        store.write(lambda tx: _put(tx, name, place.seq))

    @routes.get("/{name}/changes")
    def next_changes(name: Name, limit: Annotated[int, Query(ge=1, le=MOST)] = 1000) -> dict[str, Any]:
        """What follows a reader's place; it stays where it is until it is put to `next`."""
        with store.reading() as tx:
            place = consumers.place(tx, name)
            rows = changes.read(tx, place, limit)
        return {"changes": [whole(row) for row in rows], "next": rows[-1].seq if rows else place}

    return routes


def _put(tx: Tx, name: str, seq: int) -> None:
    if name in {one.name for one in consumers.listed(tx)}:
        consumers.reset(tx, name, seq, now())
    else:
        consumers.add(tx, name, now(), since=seq)
