"""Pages of what could not be processed."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from console.desk import now
from console.web.pages.common import ROWS, Admin, Id, Reader, Trigger, go, shown
from storage import quarantine, snapshots

if TYPE_CHECKING:
    from storage.store import Store


def router(store: "Store") -> APIRouter:
    """Everything under /quarantine."""
    routes = APIRouter(prefix="/quarantine", include_in_schema=False)

    @routes.get("")
    def index(request: Request, caller: Reader, after: Annotated[int, Query(ge=0, le=2**53)] = 0) -> Response:
        with store.reading() as tx:
            found = quarantine.listed(tx, after=after, limit=ROWS)
        more = found[-1].page_id if len(found) == ROWS else None
        return shown(request, caller, "quarantine.html", found=found, more=more)

    @routes.get("/{page_id}")
    def one(request: Request, caller: Reader, page_id: Id) -> Response:
        with store.reading() as tx:
            found = quarantine.get(tx, page_id)
        return shown(request, caller, "quarantined.html", found=found)

    @routes.get("/{page_id}/input")
    def raw(page_id: Id, _caller: Reader) -> Response:
        """The bytes that could not be processed, as a download: never shown as a page of ours."""
        with store.reading() as tx:
            found = snapshots.get(tx, quarantine.get(tx, page_id).snapshot_id or 0)
            body = snapshots.body(tx, store.archive, found)
        headers = {"Content-Disposition": f'attachment; filename="page-{page_id}.html.txt"'}
        return Response(body, media_type="application/octet-stream", headers=headers)

    @routes.post("/{page_id}/retry")
    def retry(page_id: Id, _caller: Trigger) -> Response:
        store.write(lambda tx: quarantine.retry(tx, page_id, now()))
        return go("/quarantine")

    @routes.post("/{page_id}/drop")
    def drop(page_id: Id, _caller: Admin) -> Response:
        store.write(lambda tx: quarantine.drop(tx, page_id, now()))
        return go("/quarantine")

    return routes
