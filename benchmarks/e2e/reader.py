"""A downstream reader: follows the change feed and notes when each article became readable."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select

from storage import changes, sources
from storage.settings import Settings
from storage.store import Store, open_store
from storage.tables import article

_LOOK_S = 0.1


class Reader:
    """Asks for new rows ten times a second, as a polling reader would; that wait is part of what is measured."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._over = threading.Event()
        self.seen: dict[int, float] = {}
        """When each article was first readable, in Unix time, by its number in the town."""

    @contextmanager
    def following(self) -> Iterator[Reader]:
        """Read during the block."""
        thread = threading.Thread(target=self._follow, name="reader")
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _follow(self) -> None:
        store, since = open_store(self._settings, create=False), 0
        while not self._over.is_set():
            since = self._read(store, since)
            self._over.wait(_LOOK_S)
        store.close()

    def _read(self, store: Store, since: int) -> int:
        with store.reading() as tx:
            rows = changes.read(tx, since)
            ids = sorted({row.article_id for row in rows})
            urls = tx.execute(select(article.c.url).where(article.c.id.in_(ids))).scalars().all()
        at = time.time()
        for url in urls:
            self.seen.setdefault(int(url.rpartition("-")[2]), at)
        return rows[-1].seq if rows else since


def due_times(settings: Settings, interval_s: int) -> list[Callable[[float], float]]:
    """For each source in the order it was added: from a time to the next one at which a poll of it is due.

    Polls of a fixed interval lie on a grid (`crawler.interval`), of which the next one is known.
    """
    store = open_store(settings, create=False)
    with store.reading() as tx:
        found = sorted(sources.listed(tx), key=lambda one: one.id)
    store.close()
    grids = [one.next_at.timestamp() for one in found if one.next_at is not None]
    return [lambda at, grid=grid: grid + interval_s * math.ceil((at - grid) / interval_s) for grid in grids]  # type: ignore[misc]
