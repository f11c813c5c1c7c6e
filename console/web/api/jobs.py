"""Jobs over HTTP: crawl a source, take in an address or a file, and watch what becomes of it."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field

from console.views import whole
from console.web import wishes
from console.web.api.articles import Id
from console.web.identity import Caller, allow
from console.web.wishes import MOST_UPLOAD
from storage import jobs
from storage.accounts import Scope

if TYPE_CHECKING:
    from storage.settings import Settings
    from storage.store import Store

Trigger = Annotated[Caller, Depends(allow(Scope.TRIGGER))]


class CrawlWish(BaseModel):
    """A source to be polled now."""

    source: str = Field(description="Its name.", max_length=500)


class IngestWish(BaseModel):
    """An address to be fetched now."""

    url: str = Field(description="An http or https address.", max_length=4000)


def router(store: "Store", settings: "Settings") -> APIRouter:
    """`/crawl`, `/ingest`, `/ingest/file` and `/jobs`."""
    routes = APIRouter(tags=["jobs"])
    _add_wishes(routes, store)
    _add_upload(routes, store, settings)

    @routes.get("/jobs")
    def list_jobs(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        """The newest jobs first."""
        with store.reading() as tx:
            return {"jobs": [whole(one) for one in jobs.listed(tx, limit)]}

    @routes.get("/jobs/{job_id}")
    def get_job(job_id: Id) -> dict[str, Any]:
        """How far a job is: `waiting`, `running` or `done`, with its pages and articles."""
        return _shown(store, job_id)

    return routes


def _add_wishes(routes: APIRouter, store: "Store") -> None:
    @routes.post("/crawl", status_code=202)
    def crawl(wish: CrawlWish, caller: Trigger, response: Response) -> dict[str, Any]:
        """Have a source polled now, before all others; a running scheduler takes it within its tick."""
        return _accepted(store, response, wishes.crawl(store, wish.source, caller.name))

    @routes.post("/ingest", status_code=202)
    def ingest(wish: IngestWish, caller: Trigger, response: Response) -> dict[str, Any]:
        """Have an address fetched now and its article taken in."""
        return _accepted(store, response, wishes.ingest(store, wish.url, caller.name))


def _add_upload(routes: APIRouter, store: "Store", settings: "Settings") -> None:
    @routes.post("/ingest/file", status_code=202)
    def ingest_file(
        request: Request,
        file: UploadFile,
        caller: Trigger,
        response: Response,
        url: Annotated[str | None, Query(description="The address it was saved from.", max_length=4000)] = None,
    ) -> dict[str, Any]:
        """Take in a file of any kind that `copydesk ingest` knows: HTML, text, JSONL, WARC, a feed."""
        if int(request.headers.get("content-length") or MOST_UPLOAD + 1) > MOST_UPLOAD:
            raise HTTPException(413, f"the upload must say its size, and be at most {MOST_UPLOAD} bytes")
        name = file.filename or "upload"
        job_id = wishes.upload(store, name, file.file, caller.name, most=settings.max_bytes, url=url)
        return _accepted(store, response, job_id)


def _accepted(store: "Store", response: Response, job_id: int) -> dict[str, Any]:
    response.headers["Location"] = f"/api/jobs/{job_id}"
    return _shown(store, job_id)


def _shown(store: "Store", job_id: int) -> dict[str, Any]:
    with store.reading() as tx:
        shown: dict[str, Any] = whole(jobs.get(tx, job_id))
    return shown
