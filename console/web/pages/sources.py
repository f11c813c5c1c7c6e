"""Pages of sources: lists, one with what was learned of it, adding, changing, and the buttons."""

import tomllib
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Response
from starlette.requests import Request

from console.desk import now
from console.probing import entry_of
from console.watching import watch
from console.web import wishes
from console.web.pages.common import ROWS, Admin, Reader, Trigger, go, shown
from crawler import habits
from crawler.source_entry import source_config
from crawler.source_text import source_text
from storage import events, memory, reading, sources
from storage.errors import CopydeskError, SourceError
from storage.filters import Filter
from storage.records import Poll, SourceConfig

if TYPE_CHECKING:
    from storage.database import Tx
    from storage.settings import Settings
    from storage.store import Store

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PROBE_S = 30.0
"""What a probe may take here; a slow site, or one with a long crawl-delay, needs the command line."""
Entry = Annotated[str, Form(max_length=100_000)]


def router(store: "Store", settings: "Settings") -> APIRouter:
    """Everything under /sources, which names them, and under /source, where they are added and changed."""
    routes = APIRouter(include_in_schema=False)
    listed, forms = APIRouter(prefix="/sources"), APIRouter(prefix="/source")
    _add_reading(listed, store)
    _add_buttons(listed, store)
    _add_forms(forms, store)
    _add_new(forms, store, settings)
    routes.include_router(listed)
    routes.include_router(forms)
    return routes


def _add_reading(routes: APIRouter, store: "Store") -> None:
    @routes.get("")
    def index(
        request: Request,
        caller: Reader,
        after: Annotated[str, Query(max_length=500)] = "",
        begins: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        with store.reading() as tx:
            found = sources.listed(tx, after=after, limit=ROWS, prefix=begins)
        more = found[-1].config.name if len(found) == ROWS else None
        return shown(request, caller, "sources.html", found=found, more=more, begins=begins, at=now())

    @routes.get("/{name:path}")
    def one(request: Request, caller: Reader, name: str) -> Response:
        with store.reading() as tx:
            values = _facts(tx, name)
        return shown(request, caller, "source.html", at=now(), **values)


def _add_forms(routes: APIRouter, store: "Store") -> None:
    @routes.get("/new")
    def new(request: Request, caller: Admin) -> Response:
        return _form(request, caller, entry='url = "https://"\n')

    @routes.get("/edit")
    def edit(request: Request, caller: Admin, name: str) -> Response:
        with store.reading() as tx:
            found = sources.get(tx, name)
        return _form(request, caller, entry=source_text(found.config), name=name)


def _add_new(routes: APIRouter, store: "Store", settings: "Settings") -> None:
    @routes.post("/probe")
    def probe(request: Request, caller: Admin, url: Annotated[str, Form(max_length=4000)]) -> Response:
        """Asks the site in a process of its own, as politely as a crawl, for as long as a person waits."""
        from crawler.probe import probe as ask

        blank: dict[str, Any] = {"entry": 'url = "https://"\n', "url": url}
        try:
            source_config({"url": url}, "the address")
            offer = ask(url, settings.environment(), longest_s=PROBE_S)
        except SourceError as error:
            return _form(request, caller, 422, wrong=str(error), **blank)
        except CopydeskError as error:
            more = "In a shell, 'copydesk sources probe' asks for up to five minutes."
            return _form(request, caller, 422, wrong=f"{error}. {more}", **blank)
        if offer.best is None:
            return _form(request, caller, offer=offer, wrong="It names nothing to watch: no feed, no sitemap.", **blank)
        entry = entry_of(offer, offer.best).replace("[[source]]\n", "")
        return _form(request, caller, entry=entry, url=url, offer=offer)

    @routes.post("/new")
    def add(request: Request, caller: Admin, entry: Entry) -> Response:
        try:
            config = parsed(entry)
            store.write(lambda tx: watch(tx, config, settings, replace=False))
        except SourceError as error:
            return _form(request, caller, 422, entry=entry, wrong=str(error))
        return go("/sources", config.name)

    @routes.post("/edit")
    def change(request: Request, caller: Admin, name: Annotated[str, Form()], entry: Entry) -> Response:
        try:
            config = parsed(entry, name)
            store.write(lambda tx: _change(tx, config, settings))
        except SourceError as error:
            return _form(request, caller, 422, entry=entry, name=name, wrong=str(error))
        return go("/sources", name)


def _add_buttons(routes: APIRouter, store: "Store") -> None:
    @routes.post("/{name:path}/crawl")
    def crawl(name: str, caller: Trigger) -> Response:
        return go("/jobs", wishes.crawl(store, name, caller.name))

    @routes.post("/{name:path}/pause")
    def pause(name: str, _caller: Admin) -> Response:
        store.write(lambda tx: sources.set_paused(tx, name, paused=True, now=now()))
        return go("/sources", name)

    @routes.post("/{name:path}/resume")
    def resume(name: str, _caller: Admin) -> Response:
        store.write(lambda tx: sources.set_paused(tx, name, paused=False, now=now()))
        return go("/sources", name)


def parsed(entry: str, name: str | None = None) -> SourceConfig:
    """The source that an entry in TOML describes; `name`: it must be called so. Raises SourceError."""
    try:
        found = tomllib.loads(entry)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"the entry is no TOML: {error}") from error
    config = source_config(found, "the entry")
    if name is not None and config.name != name:
        raise SourceError(f"the entry: name: must stay {name!r}; add a new source for another name")
    return config


def _form(request: Request, caller: Any, status: int = 200, **values: Any) -> Response:
    values = {"wrong": None, "offer": None, "url": "", "name": None} | values
    return shown(request, caller, "source_form.html", status, **values)


def _change(tx: "Tx", config: SourceConfig, settings: "Settings") -> None:
    was = sources.get(tx, config.name)
    watch(tx, config, settings, replace=True)
    if was.paused:
        sources.set_paused(tx, config.name, paused=True, now=now())


def _facts(tx: "Tx", name: str) -> dict[str, Any]:
    found = sources.get(tx, name)
    polls = sources.history(tx, found.id, 200)
    return {
        "source": found,
        "entry": source_text(found.config),
        "polls": polls,
        "picture": _picture(polls),
        "week": heat(habits.load(memory.recall(tx, found.id, habits.TOPIC))),
        "newest": reading.newest(tx, before=2**53, limit=10, having=Filter(source=name)),
        "events": [one for one in events.current(tx) if one.source_id == found.id],
    }


def _picture(polls: list[Poll]) -> dict[str, Any]:
    """Entries and new ones of each poll, oldest first; a failed poll has none."""
    past = list(reversed(polls))
    read = [one.outcome in ("ok", "not_modified") for one in past]
    return {
        "times": [int(one.started_at.timestamp()) for one in past],
        "rows": {
            "entries": [one.entries if good else None for one, good in zip(past, read, strict=True)],
            "new": [one.new if good else None for one, good in zip(past, read, strict=True)],
            "failed": [None if good else 0 for good in read],
        },
    }


def heat(known: habits.Habits) -> list[tuple[str, list[tuple[float, int]]]]:
    """What a source is expected to bring in each hour of the week (UTC), with a shade from 0 to 5; empty: too early."""
    from crawler.rates import forecast

    if not known.rates.ready:
        return []
    hourly = forecast(known.rates)
    most = max(hourly) or 1.0
    cells = [(rate, round(5 * (rate / most) ** 0.5)) for rate in hourly]
    return [(day, cells[24 * at : 24 * at + 24]) for at, day in enumerate(_DAYS)]
