"""Whether this process lives, and whether the whole makes progress."""

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from console.desk import now
from storage import figures
from storage.errors import CopydeskError

if TYPE_CHECKING:
    from storage.store import Store

_PATIENCE = timedelta(minutes=10)


def router(store: "Store") -> APIRouter:
    """`/healthz` and `/readyz`; they tell nothing that needs a log-in."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """This process lives."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz(response: Response) -> dict[str, str]:
        """The database answers, and what waits goes on: a worker that lives and does nothing is not well."""
        try:
            with store.reading() as tx:
                stalls = figures.progress(tx).stalls(now(), _PATIENCE)
        except CopydeskError as error:
            stalls = [str(error)]
        if not stalls:
            return {"status": "ok"}
        response.status_code = 503
        return {"status": "unavailable", "reason": "; ".join(stalls)}

    return routes
