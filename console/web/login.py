"""Logging in and out."""

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from console.desk import now
from console.web.attempts import Attempts
from console.web.identity import COOKIE, Caller, allow, is_same_origin
from console.web.secrets import digest, matches, new_secret
from console.web.templates import page
from storage import accounts
from storage.accounts import Scope

if TYPE_CHECKING:
    from storage.store import Store

_STAYS = timedelta(days=7)


def router(store: "Store") -> APIRouter:
    """The log-in form and what it posts to."""
    attempts = Attempts()
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    def form(request: Request, to: str = "/") -> Response:
        return page(request, "login.html", to=to)

    @routes.post("/login")
    def log_in(
        request: Request,
        name: Annotated[str, Form()],
        password: Annotated[str, Form()],
        to: Annotated[str, Form()] = "/",
    ) -> Response:
        if not is_same_origin(request):
            raise HTTPException(403, "the request comes from another site's page")
        address = request.client.host if request.client else ""
        wait_s = attempts.wait_s(address, monotonic())
        if wait_s:
            said = "Too many failed log-ins from your address; wait a few minutes."
            return page(request, "login.html", 429, {"Retry-After": str(round(wait_s) + 1)}, to=to, wrong=said)
        with store.reading() as tx:
            kept = accounts.password_hash(tx, name)
        if not matches(kept, password):
            attempts.failed(address, monotonic())
            return page(request, "login.html", 401, to=to, wrong="Name or password is wrong.")
        return _welcome(store, request, name, to)

    @routes.post("/logout")
    def log_out(caller: Annotated[Caller, Depends(allow(Scope.READ))]) -> Response:
        store.write(lambda tx: accounts.close_login(tx, digest(caller.secret)))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return routes


def _welcome(store: "Store", request: Request, name: str, to: str) -> Response:
    secret, at = new_secret(), now()
    opened = {"now": at, "expires_at": at + _STAYS}
    store.write(lambda tx: accounts.open_login(tx, digest(secret), name, **opened))
    answer = RedirectResponse(_inside(to), 303)
    secure = request.url.scheme == "https"
    seconds = int(_STAYS.total_seconds())
    answer.set_cookie(COOKIE, secret, max_age=seconds, httponly=True, samesite="strict", secure=secure)
    return answer


def _inside(to: str) -> str:
    """The page to go on to, if it is one of ours: a link to the log-in form must not lead elsewhere."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
