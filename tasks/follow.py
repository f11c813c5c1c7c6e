"""Serves the change feed's readers of our own: the search index and the webhooks."""

from datetime import datetime

from storage import search, webhooks
from storage.database import Tx
from storage.locks import store_lock
from storage.settings import Settings
from storage.store import Store
from tasks.webhooks import deliver

_STEPS = 100
"""Of indexing, each a transaction of a fraction of a second, so that other writers come in between."""


def due(tx: Tx, now: datetime) -> bool:
    """Whether a reader has not seen the newest change."""
    return search.lag(tx) > 0 or bool(webhooks.due(tx, now))


def follow(store: Store, settings: Settings, now: datetime) -> tuple[int, int]:
    """Let each go on for some steps; returns how many changes were indexed and delivered. Raises StoreBusy."""
    return _index(store, now), deliver(store, settings, now)


def _index(store: Store, now: datetime) -> int:
    done = 0
    with store_lock(store, "search") as mine:
        for _ in range(_STEPS if mine else 0):
            moved = store.write(lambda tx: search.catch_up(tx, now))
            done += moved
            if not moved:
                break
    return done
