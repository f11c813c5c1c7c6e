"""Who calls, and what they may: a program with a token, a logged-in browser, or a reader on this machine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from console.desk import now
from console.web.secrets import digest, form_token, same
from storage import accounts
from storage.accounts import Scope

if TYPE_CHECKING:
    from storage.store import Store

COOKIE = "copydesk"
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody at the door."""

    name: str
    """The account or token; empty for somebody unknown."""
    scope: Scope | None
    """None: may do nothing."""
    secret: str = ""
    """Of the browser's cookie, where there is one."""

    @property
    def form_token(self) -> str:
        """What this browser's forms must carry."""
        return form_token(self.secret) if self.secret else ""

    def may(self, scope: Scope) -> bool:
        """Whether the caller may do that."""
        return self.scope is not None and self.scope.includes(scope)


def allow(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that lets in who has the scope: 401 for unknown callers, 403 for known ones and foreign forms."""

    async def check(request: Request) -> Caller:
        caller = await run_in_threadpool(who, request)
        if not caller.may(scope):
            raise _refusal(caller, scope)
        if caller.secret and request.method not in _SAFE:
            await _must_be_own_form(request, caller)
        return caller

    return check


def who(request: Request) -> Caller:
    """The caller. A wrong token is nobody, even where everybody may read."""
    store: Store = request.app.state.store
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    with store.reading() as tx:
        if kind:
            found = accounts.of_token(tx, digest(secret.strip())) if kind.lower() == "bearer" else None
            return Caller(found.name, found.scope) if found else Caller("", None)
        cookie = request.cookies.get(COOKIE, "")
        name = accounts.of_login(tx, digest(cookie), now()) if cookie else None
        if name:
            return Caller(name, Scope.ADMIN, cookie)
        open_to_all = not accounts.is_closed(tx) and _is_loopback(request)
    return Caller("", Scope.READ if open_to_all else None)


def _is_loopback(request: Request) -> bool:
    # By the name that was asked for: a page on the web may send its visitor's browser to this address under its own
    # name (DNS rebinding), and must not read what comes back.
    return request.url.hostname in _LOOPBACK


def _refusal(caller: Caller, scope: Scope) -> HTTPException:
    if caller.name:
        return HTTPException(403, f"{caller.name!r} lacks the scope '{scope}'")
    told = "log in, or send 'Authorization: Bearer TOKEN' ('copydesk password' and 'copydesk tokens add' make them)"
    return HTTPException(401, told, {"WWW-Authenticate": 'Bearer realm="copydesk"'})


async def _must_be_own_form(request: Request, caller: Caller) -> None:
    """Refuse a request that another site's page made this browser send: by its headers, and by the form's token."""
    if not is_same_origin(request):
        raise HTTPException(403, "the request comes from another site's page")
    given = request.headers.get("x-form-token") or str((await request.form()).get("form_token", ""))
    if not same(given, caller.form_token):
        raise HTTPException(403, "the form is too old; load the page again")


def is_same_origin(request: Request) -> bool:
    """Whether a page of ours sent it (Fetch Metadata; Origin for browsers without it)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host", "")
