"""Archived pages read anew by one process and by two: how far does that scale?

    python -m benchmarks.reprocess [--pages 20000] [--processes 2]

The pages are invented, packed into WARC files and filed as articles; then all are read anew in a dry run, by one
process and by several in turns. Last line: `{"ratio": …, "one_per_s": …, "many_per_s": …}`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.newsprint import printed
from storage import snapshots
from storage.database import chunks
from storage.records import Exchange
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.ingest import Item, put
from tasks.process import process_pages
from tasks.readers import readers
from tasks.reprocess import Report, reprocess

GOAL = 1.8
NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
_HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def fill(store: Store, settings: Settings, count: int, processes: int) -> None:
    """Put that many pages into the store, archived, and file them."""
    ids: list[int] = []
    for part in chunks(list(printed(count)), 200):
        with store.writing() as tx:
            for one in part:
                exchange = Exchange(url=one.url, status=200, headers=_HEADERS, body=one.body, fetched_at=NOW)
                ids.append(put(tx, Item(where=one.url, exchange=exchange), NOW))
    assert snapshots.pack(store, NOW, most_bytes=64_000_000, after=timedelta(0)) == count
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(_process, [(settings.environment(), part) for part in chunks(ids, 200)], chunksize=1)


def _process(environment: dict[str, str], ids: list[int]) -> None:
    settings = load_settings({}, environ=environment, file=Path("none.toml"))
    store = open_store(settings, create=False)
    process_pages(store, ids, clock=lambda: NOW, recipes={}, settings=settings)
    store.close()


def timed(store: Store, settings: Settings, processes: int) -> tuple[float, float, Report]:
    """Seconds of a dry run over everything, and of processor time, the start of others included; and what it found."""
    began, before = time.perf_counter(), _cpu_s()
    with ExitStack() as stack:
        chosen: dict[str, Any] = {"dry_run": True}
        if processes > 1:
            chosen["examined"] = stack.enter_context(readers(store, settings, {}, processes)).examine
        report = reprocess(store, recipes={}, clock=lambda: NOW, **chosen)
    return time.perf_counter() - began, _cpu_s() - before, report


def _cpu_s() -> float:
    """Of this process and of those that it waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 1 where the goal is missed."""
    parser = argparse.ArgumentParser(
        prog="reprocess", description="Archived pages read anew by one and several processes."
    )
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args(argv)
    one: list[float] = []
    many: list[float] = []
    cpu_one: list[float] = []
    cpu_many: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        settings = load_settings({"data": Path(name), "log_level": "ERROR"}, environ={}, file=Path(name, "none.toml"))
        store = open_store(settings)
        try:
            fill(store, settings, asked.pages, asked.processes)
            for number in range(asked.rounds):
                for processes in (1, asked.processes)[:: 1 if number % 2 == 0 else -1]:
                    took, cpu, report = timed(store, settings, processes)
                    (one if processes == 1 else many).append(report.read / took)
                    (cpu_one if processes == 1 else cpu_many).append(cpu * 1000 / report.read)
                    print(f"{processes} at a time: {report.read / took:.1f} articles/s, {report.unchanged} unchanged")
                    sys.stdout.flush()
        finally:
            store.close()
    figures = {
        "pages": asked.pages,
        "processes": asked.processes,
        "one_per_s": round(statistics.median(one), 1),
        "many_per_s": round(statistics.median(many), 1),
        "ratio": round(statistics.median(b / a for a, b in zip(one, many, strict=True)), 3),
        "one_cpu_ms": round(statistics.median(cpu_one), 2),
        "many_cpu_ms": round(statistics.median(cpu_many), 2),
        "unchanged": report.unchanged,
    }
    print(json.dumps(figures))
    return 0 if figures["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
