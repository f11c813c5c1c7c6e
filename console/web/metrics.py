"""Figures for Prometheus, read from the database when they are asked for: right for any number of processes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from console.desk import now
from console.web.queues import lengths
from storage import changes, consumers, events, figures, sites, snapshots, sources

if TYPE_CHECKING:
    from datetime import datetime

    from prometheus_client.core import Metric

    from storage.database import Tx
    from storage.settings import Settings
    from storage.store import Store


def router(store: "Store", settings: "Settings") -> APIRouter:
    """`/metrics`."""
    routes = APIRouter(tags=["health"])

    @routes.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """All figures in the text format of Prometheus."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures(store, settings))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


class _Figures:
    """A Prometheus collector (its protocol asks for one method)."""

    def __init__(self, store: "Store", settings: "Settings") -> None:
        self._store, self._settings = store, settings

    def collect(self) -> "Iterator[Metric]":
        """Every metric with its present value."""
        moment = now()
        with self._store.reading() as tx:
            yield from _of_the_store(tx, moment)
        yield from _of_the_queues(self._settings)


def _of_the_store(tx: "Tx", moment: "datetime") -> "Iterator[Metric]":
    counts = sources.counts(tx, moment)
    yield _gauge("sources", "Sources by condition; one may be in several.", "condition", counts)
    yield _gauge("pages_waiting", "Pages that wait, by what for; counting ends at 100000.", "for", figures.waiting(tx))
    hours = list(figures.by_hour(tx, moment, 1))
    for what, name in (("page", "pages_this_hour"), ("poll", "polls_this_hour")):
        found = {one.outcome: one.count for one in hours if one.what == what}
        yield _gauge(name, f"What became of {what}s since the full hour.", "outcome", found)
    yield _gauge("open_events", "Conditions that hold now: gap, quiet, outage.", "kind", events.counts(tx))
    yield _gauge("consumer_lag", "Rows of the change feed a consumer is behind.", "consumer", _lags(tx))
    yield _gauge("last_change", "Number of the newest row of the change feed.", None, {"": changes.last(tx)})
    yield _gauge(
        "stale_leases", "Sites whose crawler gave no sign of life.", None, {"": len(sites.stale_leases(tx, moment))}
    )
    bodies, size = snapshots.hot(tx)
    yield _gauge("hot_bodies", "Bodies that are not in the archive yet.", None, {"": bodies})
    yield _gauge("hot_bytes", "Their bytes.", None, {"": size})
    stalled = len(figures.progress(tx).stalls(moment, timedelta(minutes=10)))
    yield _gauge("stalled", "Kinds of work that wait and do not go on.", None, {"": stalled})


def _of_the_queues(settings: "Settings") -> "Iterator[Metric]":
    found = lengths(settings)
    if found is None:  # its absence is a figure, too
        yield _gauge("broker_up", "Whether the broker answers.", None, {"": 0})
        return
    yield _gauge("broker_up", "Whether the broker answers.", None, {"": 1})
    yield _gauge("queue_messages", "Messages that wait in a queue.", "queue", found)


def _lags(tx: "Tx") -> dict[str, int]:
    return {one.name: one.lag for one in consumers.listed(tx)}


def _gauge(name: str, text: str, label: str | None, values: "dict[Any, int]") -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    made = GaugeMetricFamily(f"copydesk_{name}", text, labels=[label] if label else [])
    for key, value in values.items():
        made.add_metric([str(key)] if label else [], value)
    return made
