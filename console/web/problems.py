"""Errors as problem details (RFC 9457) for programs and as pages for people, whatever raised them."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from console.web.templates import page
from storage.errors import CopydeskError, NotFound, StoreBusy, UsageError
from storage.masking import masked

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[CopydeskError], int] = {NotFound: 404, StoreBusy: 503, UsageError: 422}


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem of the plain type: its title is the status's own."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def add_problems(app: FastAPI) -> None:
    """Answer every error with a problem, and a browser with a page."""

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == 401 and _is_browser(request):
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            to = asked if request.method == "GET" else "/"
            return RedirectResponse(f"/login?{urlencode({'to': to})}", 303)
        return _told(request, error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
        said = "; ".join(f"{one['where']}: {one['what']}" for one in wrong)
        return _told(request, 422, said, errors=wrong)

    @app.exception_handler(CopydeskError)
    def failed(request: Request, error: CopydeskError) -> Response:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        return _told(request, status, masked(str(error)), {"Retry-After": "1"} if status == 503 else None)


def _told(request: Request, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    if _is_browser(request):
        return page(request, "error.html", status, headers, title=HTTPStatus(status).phrase, detail=detail)
    return problem(status, detail, headers, **more)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
