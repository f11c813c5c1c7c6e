"""The application: which routes there are, who may use them, and what every answer carries."""

from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from console.web import health, login, metrics
from console.web.api import articles, changes, clusters, consumers, jobs, sources
from console.web.headers import SecurityHeaders
from console.web.identity import allow
from console.web.pages import articles as article_pages
from console.web.pages import explain, overview, quarantine, runs
from console.web.pages import settings as settings_pages
from console.web.pages import sources as source_pages
from console.web.problems import add_problems
from console.web.requests import Numbered
from console.web.templates import FOLDER
from console.web.websub import add_websub
from storage.accounts import Scope
from storage.settings import Settings
from storage.store import Store

if TYPE_CHECKING:
    from fastapi import APIRouter

API_VERSION = "1.0"
"""Of the API under /api. A change that breaks a reader gets a new prefix; /api keeps its meaning."""


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """The application on an open store, which stays the caller's to close."""
    app = FastAPI(
        title="Copydesk",
        summary="Clean, versioned records of news articles.",
        version=API_VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.store, app.state.settings = store, settings or Settings()
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Numbered)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), "static")
    add_problems(app)
    app.include_router(health.router(store))
    app.include_router(login.router(store))
    app.include_router(metrics.router(store, app.state.settings), dependencies=[Depends(allow(Scope.READ))])
    for routes in _api(store, app.state.settings):
        app.include_router(routes, prefix="/api", dependencies=[Depends(allow(Scope.READ))])
    for routes in _pages(store, app.state.settings):
        app.include_router(routes)
    add_websub(app, store)
    return app


def _api(store: Store, settings: Settings) -> "list[APIRouter]":
    nouns = (articles, changes, clusters, consumers, sources)
    return [*(noun.router(store) for noun in nouns), jobs.router(store, settings)]


def _pages(store: Store, settings: Settings) -> "list[APIRouter]":
    nouns = (article_pages, explain, quarantine)
    ours = (overview, source_pages, runs, settings_pages)
    return [*(noun.router(store) for noun in nouns), *(noun.router(store, settings) for noun in ours)]
