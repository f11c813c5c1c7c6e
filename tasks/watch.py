"""The watchman: each minute it counts the past hours and tells operators what is wrong and what is well again."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from storage import alerts, consumers, events, figures, webhooks
from storage.database import Tx
from storage.locks import store_lock
from storage.logs import telling
from storage.settings import Settings
from storage.store import Store
from tasks.quiet import is_quiet

Send = Callable[[str, str], bool]
"""Sends a title and a text; False where it did not get through."""

_PATIENCE = timedelta(minutes=10)
_LAGS = timedelta(minutes=30)
_FEW_POLLS, _BAD_SHARE = 20, 0.5
_MANY_QUARANTINED = 10
_LITTLE_ROOM = 0.05
_WELL = ("ok", "not_modified")
_log = logging.getLogger(__name__)


def watch(store: Store, settings: Settings, now: datetime, send: Send | None = None) -> int:
    """Make a round; returns how many messages were sent. Raises StoreBusy."""
    with store_lock(store, "watch") as mine:
        if not mine:
            return 0
        store.write(lambda tx: _begin(tx, now))
        with store.reading() as tx:
            found = dict(conditions(tx, settings, now))
        over = store.write(lambda tx: alerts.sync(tx, found, now))
        return _tell(store, settings, over, now, send or sender(settings))


def conditions(tx: Tx, settings: Settings, now: datetime) -> Iterator[tuple[str, str]]:
    """What is wrong at the moment, each with a name that stays the same while it holds."""
    for event in events.current(tx, limit=200):
        of = event.source or "all"
        yield f"{event.kind}:{of}", f"{event.kind} at {of} since {event.opened_at:%Y-%m-%d %H:%M} UTC: {event.detail}"
    for stall in figures.progress(tx).stalls(now, _PATIENCE):
        yield f"stalled:{stall.split()[0]}", stall
    yield from _failing_polls(tx, now)
    quarantined = figures.waiting(tx)["quarantined"]
    if quarantined >= _MANY_QUARANTINED:
        yield "quarantine", f"{quarantined} pages are in quarantine; 'copydesk quarantine list' shows them"
    yield from _readers(tx, now)
    yield from _room(settings)


def sender(settings: Settings, environ: Mapping[str, str] | None = None) -> Send:
    """Sends through Apprise to the addresses in the variables that the setting `alerts` names."""
    environ = os.environ if environ is None else environ
    urls = [environ[name] for name in settings.alerts if environ.get(name)]

    def send(title: str, text: str) -> bool:
        if not urls:
            return True  # nobody wants to be told; the dashboard shows what holds
        import apprise  # noqa: PLC0415 - a hundred services, half a second

        others = apprise.Apprise()
        for url in urls:
            others.add(url)
        return bool(others.notify(title=title, body=text))

    return send


def _begin(tx: Tx, now: datetime) -> None:
    alerts.begin_round(tx, now)
    if figures.roll_due(tx, now):
        figures.roll(tx, now)


def _tell(store: Store, settings: Settings, over: list[alerts.Alert], now: datetime, send: Send) -> int:
    sent = sum(send(f"Resolved: {one.condition}", one.message) for one in over)
    if is_quiet(settings.quiet_hours, now):
        return sent
    with store.reading() as tx:
        waiting = alerts.untold(tx)
    for one in waiting:
        if not send(f"Copydesk: {one.condition}", one.message):
            more = telling("alert_not_sent", condition=one.condition)
            _log.warning("the message about %s did not get through; it is tried again", one.condition, extra=more)
            continue
        store.write(lambda tx, name=one.condition: alerts.told(tx, [name], now))  # type: ignore[misc]
        sent += 1
    return sent


def _failing_polls(tx: Tx, now: datetime) -> Iterator[tuple[str, str]]:
    hours = [one for one in figures.by_hour(tx, now, 2) if one.what == "poll"]
    total = sum(one.count for one in hours)
    failed = total - sum(one.count for one in hours if one.outcome in _WELL)
    if total >= _FEW_POLLS and failed > _BAD_SHARE * total:
        yield "polls", f"{failed} of {total} polls failed since the last full hour"


def _readers(tx: Tx, now: datetime) -> Iterator[tuple[str, str]]:
    parked = {webhooks.reader(one.name) for one in webhooks.listed(tx) if one.parked_at}
    for name in sorted(parked):
        yield f"parked:{name}", f"{name} takes nothing any more and is parked; 'copydesk webhooks resume' tries again"
    for one in consumers.listed(tx):
        if one.lag and now - one.at > _LAGS and one.name not in parked:
            yield (
                f"lag:{one.name}",
                f"{one.name} has read nothing since {one.at:%H:%M} UTC, and is {one.lag} rows behind",
            )


def _room(settings: Settings) -> Iterator[tuple[str, str]]:
    settings.data.mkdir(parents=True, exist_ok=True)
    room: Any = shutil.disk_usage(settings.data)
    if room.free < _LITTLE_ROOM * room.total:
        yield "disk", f"the disk of the data folder is nearly full: {room.free // 10**6} MB are left"
