"""The page of the settings in force."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from starlette.requests import Request

from console.choices import chosen
from console.web.pages.common import Admin, shown
from storage.masking import masked

if TYPE_CHECKING:
    from storage.settings import Settings
    from storage.store import Store


def router(_store: "Store", settings: "Settings") -> APIRouter:
    """`/settings`, for who may change things: addresses in it tell of the network inside."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/settings")
    def index(request: Request, caller: Admin) -> Response:
        rows = [(name, masked(str(value)), origin, doc) for name, value, origin, doc in chosen(settings)]
        return shown(request, caller, "settings.html", rows=rows)

    return routes
