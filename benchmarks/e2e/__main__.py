"""From an entry's appearance in a feed to its readable change row.

    python -m benchmarks.e2e [--rate 50] [--minutes 5] [--deployment up|split|both]

The last line is JSON with the figures of each deployment. It exits with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.dedup import percentile
from benchmarks.e2e.deployments import split, up
from benchmarks.e2e.reader import Reader, due_times
from benchmarks.e2e.town import Arrival, Plan
from storage import sources
from storage.records import SourceConfig, SourceKind
from storage.settings import Settings
from storage.store import open_store

P50_S, P99_S = 2.0, 5.0
"""The goals: of the time beyond the poll that was due."""
_WARM_S = 60.0
_DRAIN_S = 5.0
"""After the last entry's poll was due: what is not readable then is the backlog."""
_KINDS = {"up": up, "split": split}


def main() -> int:
    """Measure the deployments one after the other."""
    parser = argparse.ArgumentParser(prog="e2e", description="From an entry's appearance to its readable change row.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rate", type=float, default=50, help="new articles a second")
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--interval", type=int, default=10, help="seconds between two polls of a feed")
    parser.add_argument("--deployment", choices=["up", "split", "both"], default="both")
    asked = parser.parse_args()
    chosen = ["up", "split"] if asked.deployment == "both" else [asked.deployment]
    found = {}
    for name in chosen:
        found[name] = measure(name, asked)
        print(f"{name}: {found[name]}", flush=True)
    print(json.dumps({"rate": asked.rate, "minutes": asked.minutes, **found}))
    return 0 if all(is_good(one) for one in found.values()) else 1


def is_good(found: dict[str, Any]) -> bool:
    """Whether the goals were reached."""
    return bool(found["p50_s"] < P50_S and found["p99_s"] < P99_S and found["backlog"] == 0)


def measure(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Run one deployment for a while on sites of its own."""
    plan = Plan(sites=asked.sites, rate=asked.rate, seconds=asked.minutes * 60, port=free_port())
    values = {
        "allow_addresses": [f"{address}:{plan.port}" for address in plan.addresses],
        "delay_s": 0.0,
        "contact": "https://bench.example/about",
    }

    def prepare(settings: Settings) -> None:
        watch(settings, plan, asked.interval)

    with tempfile.TemporaryDirectory() as folder, town(plan, Path(folder)) as sites:
        with _KINDS[name](values, prepare) as it, Reader(it.settings).following() as reader:
            _await(lambda: len(reader.seen) >= plan.old, _WARM_S, f"{name}: the first {plan.old} articles")
            before, start = it.cpu_s(), time.time() + 1.0
            sites.begin(start)
            end = start + plan.seconds + asked.interval + _DRAIN_S
            threading.Event().wait(max(0.0, end - time.time()))
            seen, spent, due = dict(reader.seen), it.cpu_s(), due_times(it.settings, asked.interval)
            costs = {role: spent[role] - before.get(role, 0.0) for role in spent}
            memory = it.rss_mb()
        arrivals = sites.end()
    filed = max(len(seen) - plan.old, 1)
    per_article = {role: round(1000 * seconds / filed, 2) for role, seconds in costs.items()}
    return {**figures(plan, start, seen, arrivals, due), "cpu_ms_per_article": per_article, "rss_mb": memory}


def figures(
    plan: Plan, start: float, seen: dict[int, float], arrivals: list[Arrival], due: list[Callable[[float], float]]
) -> dict[str, Any]:
    """What was measured, in seconds.

    `p50_s` and `p99_s` count from the poll that was due next after an entry had appeared; so does the first of the
    stages, which ends when the feed was asked for; the next ends when the page was, the last when it was readable.
    """
    shown, fetched = sights(plan, start, arrivals)
    rows = [
        (
            plan.appears(number, start),
            due[number % plan.sites](plan.appears(number, start)),
            shown[number],
            fetched[number],
            seen[number],
        )
        for number in range(plan.old, plan.articles)
        if number in seen
    ]
    stages = {
        "poll": [feed - at for _, at, feed, _, _ in rows],
        "fetch": [page - feed for _, _, feed, page, _ in rows],
        "process": [end - page for _, _, _, page, end in rows],
    }
    beyond, total = [row[4] - row[1] for row in rows], [row[4] - row[0] for row in rows]
    return {
        "articles": plan.articles - plan.old,
        **_percentiles("", beyond),
        "backlog": plan.articles - plan.old - len(rows),
        **_percentiles("with_wait_", total),
        "stages": {stage: _percentiles("", values) for stage, values in stages.items()},
    }


def sights(plan: Plan, start: float, arrivals: list[Arrival]) -> tuple[dict[int, float], dict[int, float]]:
    """When each article was first in a feed that somebody asked for, and when its page was asked for."""
    shown: dict[int, float] = {}
    fetched: dict[int, float] = {}
    told = dict.fromkeys(range(plan.sites), 0)
    for at, site, path, _ in sorted(arrivals):
        if path == "/feed":
            numbers = range(site, plan.appeared(at, start), plan.sites)
            for number in numbers[told[site] :]:
                shown[number] = at
            told[site] = len(numbers)
        elif path.startswith("/news"):
            fetched.setdefault(int(path.rpartition("-")[2]), at)
    return shown, fetched


def _percentiles(name: str, values: list[float]) -> dict[str, float]:
    return {f"{name}p{part}_s": round(percentile(values, part / 100), 2) for part in (50, 99)}


def watch(settings: Settings, plan: Plan, interval_s: int) -> None:
    """Let the feeds of all sites be watched."""
    now, store = datetime.now(UTC), open_store(settings)
    with store.writing() as tx:
        for address in plan.addresses:
            origin = f"{address}:{plan.port}"
            facts = {"kind": SourceKind.FEED, "interval_s": interval_s}
            config = SourceConfig(name=address, url=f"http://{origin}/feed", **facts)  # type: ignore[arg-type]
            sources.add(tx, config, site=origin, now=now, interval_s=interval_s)
    store.close()


class Sites:
    """The town, running in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log

    def begin(self, start: float) -> None:
        """Start the clock of the articles at that Unix time."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{start}\n")
        self._process.stdin.flush()

    def end(self) -> list[Arrival]:
        """Close all sites; returns what they were asked."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        return [(at, site, path, peer) for at, site, path, peer in json.loads(self._log.read_text("utf-8"))]


@contextmanager
def town(plan: Plan, folder: Path) -> Iterator[Sites]:
    """The sites, open."""
    file, log = folder / "plan.json", folder / "log.json"
    plan.write(file)
    command = [sys.executable, "-m", "benchmarks.e2e.town", str(file), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n", "the sites could not be opened"
            yield Sites(process, log)
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(reached: Any, within_s: float, what: str) -> None:
    end = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > end:
            raise SystemExit(f"e2e: {what} were not readable within {within_s:.0f} s")
        threading.Event().wait(0.2)


if __name__ == "__main__":
    sys.exit(main())
