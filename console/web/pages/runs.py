"""Pages of work: the last polls, jobs with their progress, and the form to take something in."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Response, UploadFile
from starlette.requests import Request

from console.web import wishes
from console.web.pages.common import ROWS, Id, Reader, Trigger, go, shown
from storage import jobs, sources
from storage.errors import CopydeskError

if TYPE_CHECKING:
    from storage.settings import Settings
    from storage.store import Store


def router(store: "Store", settings: "Settings") -> APIRouter:
    """`/runs`, `/jobs` and `/ingest`."""
    routes = APIRouter(include_in_schema=False)
    _add_reading(routes, store)
    _add_forms(routes, store, settings)
    return routes


def _add_reading(routes: APIRouter, store: "Store") -> None:
    @routes.get("/runs")
    def index(
        request: Request, caller: Reader, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
    ) -> Response:
        with store.reading() as tx:
            polls = sources.recent_polls(tx, before=before, limit=ROWS)
            found = jobs.listed(tx, 20) if before is None else []
        more = polls[-1][0] if len(polls) == ROWS else None
        return shown(request, caller, "runs.html", polls=polls, jobs=found, more=more, wrong=None)

    @routes.get("/jobs/{job_id}")
    def one(request: Request, caller: Reader, job_id: Id) -> Response:
        return _job(request, caller, job_id, "job.html")

    @routes.get("/jobs/{job_id}/progress")
    def progress(request: Request, caller: Reader, job_id: Id) -> Response:
        """The part of the page that changes, for a browser that asks again and again."""
        return _job(request, caller, job_id, "job_progress.html")

    def _job(request: Request, caller: Reader, job_id: int, template: str) -> Response:
        with store.reading() as tx:
            return shown(request, caller, template, job=jobs.get(tx, job_id))


def _add_forms(routes: APIRouter, store: "Store", settings: "Settings") -> None:
    @routes.post("/ingest")
    def ingest(request: Request, caller: Trigger, url: Annotated[str, Form(max_length=4000)]) -> Response:
        try:
            return go("/jobs", wishes.ingest(store, url.strip(), caller.name))
        except CopydeskError as error:
            return shown(request, caller, "runs.html", 422, polls=[], jobs=[], more=None, wrong=str(error))

    @routes.post("/ingest/file")
    def ingest_file(
        request: Request, caller: Trigger, file: UploadFile, url: Annotated[str, Form(max_length=4000)] = ""
    ) -> Response:
        if int(request.headers.get("content-length") or wishes.MOST_UPLOAD + 1) > wishes.MOST_UPLOAD:
            raise HTTPException(413, f"the upload must say its size, and be at most {wishes.MOST_UPLOAD} bytes")
        more = {"most": settings.max_bytes, "url": url.strip() or None}
        return go("/jobs", wishes.upload(store, file.filename or "upload", file.file, caller.name, **more))  # type: ignore[arg-type]
