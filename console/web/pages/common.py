"""What every page needs: the caller, their rights, and the way back after a form."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.identity import Caller, allow
from console.web.templates import page
from storage.accounts import Scope

Reader = Annotated[Caller, Depends(allow(Scope.READ))]
Trigger = Annotated[Caller, Depends(allow(Scope.TRIGGER))]
Admin = Annotated[Caller, Depends(allow(Scope.ADMIN))]
Id = Annotated[int, Path(ge=1, le=2**53)]
ROWS = 50
"""Rows of a list on one page."""


def shown(request: Request, caller: Caller, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with its menu, and with the buttons that the caller may press."""
    rights: dict[str, Any] = {"may_trigger": caller.may(Scope.TRIGGER), "may_admin": caller.may(Scope.ADMIN)}
    return page(request, template, status, caller=caller, **rights, **values)


def go(path: str, *parts: object) -> RedirectResponse:
    """Send a browser on after a form, so that loading the page again sends nothing twice (RFC 9110, 15.4.4)."""
    return RedirectResponse("/".join([path, *(quote(str(part), safe="") for part in parts)]), 303)
