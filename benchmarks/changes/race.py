"""The race: writers and readers at the same time on one store, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.changes.judge import judge
from benchmarks.changes.reading import Finished, Seen, in_store, over_http, read
from benchmarks.changes.writing import Commit, stage, write
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

WRITERS = 8
READERS = ((50, False), (1000, False), (500, True))
"""Of each reader: the most rows that it takes at once, and whether it reads over HTTP."""
_started: list[Finished] = []


def begin(finished: Finished) -> None:
    """Call it first in each worker: what readers look at to know that the writers have ended."""
    _started[:] = [finished]


def race(settings: Settings, count: int, pool: Executor, finish: Callable[[], None]) -> dict[str, Any]:
    """Have at least `count` rows written and read; returns the figures. The pool has a worker for each at least."""
    with closing(open_store(settings)) as store:
        stage(store, WRITERS)
        environment = settings.environment()
        readers = [pool.submit(_read, environment, *how) for how in READERS]
        writers = [pool.submit(_write, environment, number, -(-count // WRITERS)) for number in range(WRITERS)]
        try:
            commits = [commit for writer in writers for commit in writer.result()]
        finally:
            finish()
        seen = [reader.result() for reader in readers]
        feed = in_store(store)(0, 2**62)
    verdict = judge(feed, seen, commits)
    took = (max(one.ended for one in commits) - min(one.begun for one in commits)) / 1e9
    figures = {"changes": len(feed), "transactions": len(commits), "seconds": round(took, 1)}
    return {**figures, "changes_per_s": round(len(feed) / took), **asdict(verdict)}


def _write(environment: dict[str, str], number: int, count: int) -> list[Commit]:
    with closing(_opened(environment)) as store:
        return write(store, number, count)


def _read(environment: dict[str, str], limit: int, http: bool) -> list[Seen]:
    with closing(_opened(environment)) as store, over_http(store) if http else nullcontext(in_store(store)) as look:
        return read(look, limit, _started[0])


def _opened(environment: dict[str, str]) -> Store:
    return open_store(load_settings({}, environ=environment, file=Path("none.toml")), create=False)
