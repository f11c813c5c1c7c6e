"""The first page: whether all is well."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from starlette.requests import Request

from console.desk import now
from console.web import queues
from console.web.pages.common import Reader, shown
from storage import alerts, consumers, events, figures, reading, sources, webhooks
from storage.figures import HOUR, Hour
from storage.usage import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.database import Tx
    from storage.settings import Settings
    from storage.store import Store

_HOURS = 48
_PATIENCE = timedelta(minutes=10)


def router(store: "Store", settings: "Settings") -> APIRouter:
    """`/`, and the two parts of it that take longer and are loaded after it."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def overview(request: Request, caller: Reader) -> Response:
        with store.reading() as tx:
            values = _figures(tx, now())
        return shown(request, caller, "overview.html", **values)

    @routes.get("/room")
    def room(request: Request, caller: Reader) -> Response:
        with store.reading() as tx:
            found = usage(tx)
        return shown(request, caller, "room.html", found=found)

    @routes.get("/queues")
    def waiting(request: Request, caller: Reader) -> Response:
        return shown(request, caller, "queues.html", found=queues.lengths(settings))

    return routes


def _figures(tx: "Tx", moment: datetime) -> dict[str, Any]:
    hours = figures.by_hour(tx, moment, _HOURS)
    progress = figures.progress(tx)
    return {
        "at": moment,
        "picture": stacked([one for one in hours if one.what == "page"], moment),
        "polls": _today([one for one in hours if one.what == "poll"], moment),
        "sources": sources.counts(tx, moment),
        "overdue": sources.overdue(tx, moment - _PATIENCE, 5),
        "waiting": figures.waiting(tx),
        "progress": progress,
        "stalls": progress.stalls(moment, _PATIENCE),
        "events": events.current(tx, limit=20),
        "alerts": alerts.listed(tx),
        "consumers": consumers.listed(tx),
        "webhooks": webhooks.listed(tx),
        "newest": reading.newest(tx, before=2**53, limit=8),
    }


def stacked(hours: "Sequence[Hour]", moment: datetime) -> dict[str, Any]:
    """The last 48 hours as columns: seconds of each hour's start, and a row of counts for each outcome."""
    last = moment.replace(minute=0, second=0, microsecond=0)
    starts = [last - back * HOUR for back in reversed(range(_HOURS))]
    names = sorted({one.outcome for one in hours})
    counts = {(one.hour, one.outcome): one.count for one in hours}
    rows = {name: [counts.get((start, name), 0) for start in starts] for name in names}
    return {"times": [int(start.timestamp()) for start in starts], "rows": rows}


def _today(hours: "Sequence[Hour]", moment: datetime) -> dict[str, int]:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, int] = {}
    for one in hours:
        if one.hour >= midnight:
            found[one.outcome] = found.get(one.outcome, 0) + one.count
    return dict(sorted(found.items(), key=lambda item: -item[1]))
