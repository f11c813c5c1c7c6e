"""The HTTP door: articles and changes as JSON, and whether this process can serve them."""

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Response

from console.views import whole
from console.websub import add_websub
from storage import changes, reading
from storage.errors import CopydeskError, NotFound
from storage.store import Store

_MOST = 1000


def create_app(store: Store) -> FastAPI:
    """The application on an open store, which stays the caller's to close."""
    app = FastAPI(title="Copydesk", summary="Clean, versioned records of news articles.", docs_url=None, redoc_url=None)
    _add_health(app, store)
    _add_articles(app, store)
    add_websub(app, store)
    return app


def _add_health(app: FastAPI, store: Store) -> None:
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """This process lives."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz(response: Response) -> dict[str, str]:
        """The database answers."""
        try:
            with store.reading() as tx:
                changes.last(tx)
        except CopydeskError as error:
            response.status_code = 503
            return {"status": "unavailable", "reason": str(error)}
        return {"status": "ok"}


def _add_articles(app: FastAPI, store: Store) -> None:
    limit = Query(ge=1, le=_MOST)

    @app.get("/api/articles")
    def list_articles(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, limit] = 100, source: str | None = None
    ) -> dict[str, Any]:
        """Articles by id; `next` is the `after` of the following page, null at the end."""
        with store.reading() as tx:
            found = reading.listed(tx, after=after, limit=limit, source_name=source)
        more = found[-1].id if len(found) == limit else None
        return {"articles": [reading.to_json(one) for one in found], "next": more}

    @app.get("/api/articles/{article_id}")
    def get_article(article_id: int) -> dict[str, Any]:
        """One article at its current version."""
        try:
            with store.reading() as tx:
                return reading.to_json(reading.get(tx, article_id))
        except NotFound as error:
            raise HTTPException(404, str(error)) from error

    @app.get("/api/changes")
    def list_changes(since: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, limit] = 1000) -> dict[str, Any]:
        """Rows of the change feed after `since`, in commit order; `next` is the `since` of the following call."""
        with store.reading() as tx:
            rows = changes.read(tx, since, limit)
        return {"changes": [whole(row) for row in rows], "next": rows[-1].seq if rows else since}
