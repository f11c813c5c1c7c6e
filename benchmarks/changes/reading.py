"""Readers of the race: each goes on from the last number that it has seen, until there is no more to come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Protocol

import httpx

from benchmarks.changes.writing import Told
from benchmarks.served import served
from console.web import create_app
from storage import changes
from storage.records import ChangeKind
from storage.store import Store

_REST_S = 0.005
Seen = tuple[int, Told]
"""A number of the feed, and what was told under it."""
Look = Callable[[int, int], list[Seen]]
"""Reads at most so many rows after a number: (since, limit)."""


class Finished(Protocol):
    """An event, of threads or of processes."""

    def is_set(self) -> bool:
        """Whether all writers have ended."""


def read(look: Look, limit: int, finished: Finished) -> list[Seen]:
    """Poll until all writers have ended and nothing more comes; returns all that was seen, as it came."""
    seen: list[Seen] = []
    while True:
        last_look = finished.is_set()
        rows = look(seen[-1][0] if seen else 0, limit)
        seen += rows
        if not rows and last_look:
            return seen
        if not rows:
            Event().wait(_REST_S)


def in_store(store: Store) -> Look:
    """Reads through the store's own function."""

    def look(since: int, limit: int) -> list[Seen]:
        with store.reading() as tx:
            return [(row.seq, Told(row.article_id, row.version, row.kind)) for row in changes.read(tx, since, limit)]

    return look


@contextmanager
def over_http(store: Store) -> Iterator[Look]:
    """Reads through the HTTP API, served on a loopback port by this process."""
    with served(create_app(store)) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:

        def look(since: int, limit: int) -> list[Seen]:
            answer = client.get("/api/changes", params={"since": since, "limit": limit}).raise_for_status().json()
            rows = answer["changes"]
            return [(row["seq"], Told(row["article_id"], row["version"], ChangeKind(row["kind"]))) for row in rows]

        yield look
