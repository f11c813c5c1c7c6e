"""From an archived page to a committed article with its fingerprint, beside trafilatura's default alone.

    python -m benchmarks.pipeline [--pages 300] [--data DIR] [--rounds 3]

Pages per second of processor time. Ours: the body out of a WARC file, all stages, committed as workers do.
Theirs: `bare_extraction` with metadata on the same bytes, nothing read and nothing kept. DIR is a set of labelled pages
like that of the extraction benchmark; without it the pages are invented. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trafilatura import bare_extraction

from benchmarks.newsprint import Raw, invented, labelled
from storage import snapshots
from storage.records import Exchange
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.ingest import Item, put
from tasks.process import process_pages

GOAL = 1.5
NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
_TURN = 50
_HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def archived(store: Store, pages: Sequence[Raw]) -> list[int]:
    """Put the pages into the store and their bodies into a WARC file; returns the pages' ids."""
    found = []
    for page in pages:
        exchange = Exchange(url=page.url, status=200, headers=_HEADERS, body=page.body, fetched_at=NOW)
        with store.writing() as tx:
            found.append(put(tx, Item(where=page.url, exchange=exchange), NOW))
    assert snapshots.pack(store, NOW, most_bytes=64_000_000, after=timedelta(0)) == len(pages)
    return found


def ours(store: Store, settings: Settings, ids: Sequence[int]) -> list[str]:
    """Process pages as a worker does the ids of one message; returns what became of them."""
    ended = process_pages(store, ids, clock=lambda: NOW, recipes={}, settings=settings)
    return [str(one.kind) for one in ended]


def theirs(pages: Sequence[Raw]) -> None:
    """What trafilatura makes of pages by default, with metadata."""
    for page in pages:
        bare_extraction(page.body, url=page.url, with_metadata=True)


def measure(pages: Sequence[Raw], folder: Path) -> tuple[float, float, Counter[str]]:
    """Processor seconds of both over all pages, taking turns, and what became of the pages."""
    settings = load_settings({"data": folder}, environ={}, file=folder / "none.toml")
    store = open_store(settings)
    mine = peer = 0.0
    ended: Counter[str] = Counter()
    try:
        ids = archived(store, pages)
        for start in range(0, len(pages), _TURN):
            part = slice(start, start + _TURN)
            began = time.process_time()
            ended.update(ours(store, settings, ids[part]))
            between = time.process_time()
            theirs(pages[part])
            mine, peer = mine + between - began, peer + time.process_time() - between
    finally:
        store.close()
    return mine, peer, ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="pipeline", description="Archived page to article, beside trafilatura alone.")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--data", type=Path, help="a set of labelled pages; without it they are invented")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", help="write cProfile statistics of our side to this file")
    asked = parser.parse_args(argv)
    pages = labelled(asked.data, asked.pages) if asked.data else invented(asked.pages)
    with tempfile.TemporaryDirectory() as name:
        if asked.profile:
            _profile(pages, Path(name), asked.profile)
            return 0
        measure(pages[:_TURN], Path(name, "warm"))  # models, patterns and word lists are loaded once in a worker's life
        rounds = [measure(pages, Path(name, str(number))) for number in range(asked.rounds)]
    figures = summary(len(pages), rounds)
    figures["kb_per_page"] = round(sum(len(page.body) for page in pages) / len(pages) / 1000, 1)
    print(json.dumps(figures))
    return 0 if figures["ratio"] >= GOAL else 1


def summary(count: int, rounds: Sequence[tuple[float, float, Counter[str]]]) -> dict[str, Any]:
    """Medians over the rounds; the ratio is the median of those of each round."""
    return {
        "pages": count,
        "pages_per_cpu_s": round(statistics.median(count / mine for mine, _, _ in rounds), 1),
        "trafilatura_per_cpu_s": round(statistics.median(count / peer for _, peer, _ in rounds), 1),
        "ratio": round(statistics.median(peer / mine for mine, peer, _ in rounds), 3),
        "ended": dict(rounds[-1][2]),
    }


def _profile(pages: Sequence[Raw], folder: Path, file: str) -> None:
    import cProfile  # noqa: PLC0415

    settings = load_settings({"data": folder}, environ={}, file=folder / "none.toml")
    store = open_store(settings)
    ids = archived(store, pages)
    ours(store, settings, ids[:_TURN])
    watch = cProfile.Profile(time.process_time)
    for start in range(_TURN, len(ids), _TURN):
        watch.runcall(ours, store, settings, ids[start : start + _TURN])
    watch.dump_stats(file)
    store.close()


if __name__ == "__main__":
    sys.exit(main())
