"""Our whole crawl beside bare Scrapy: `python -m benchmarks.crawl [--pages 20000] [--sites 200] [--rounds 3]`.

The clients take turns on one core, the sites are on the other. Last line: `{"pages_per_s": …, "ratio": …, …}`.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.crawl.town import Plan
from storage import sites, snapshots, sources
from storage.records import SourceConfig, SourceKind
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

GOAL = 0.8
MOST_MB = 200.0
MOST_GROWTH = 1.1
"""Memory at the end over that at page SETTLED: more is no longer flat."""
SETTLED = 5_000
_LOOK_S = 0.2


@dataclass(slots=True, kw_only=True)
class Run:
    """How one client did, from its start to its end."""

    pages: int = 0
    took_s: float = 0.0
    cpu_s: float = 0.0
    memory: list[tuple[int, float]] = field(default_factory=list)
    """Pages done and resident MB at the same moment."""

    @property
    def rate(self) -> float:
        """Pages per second."""
        return self.pages / self.took_s

    @property
    def peak_mb(self) -> float:
        """The most memory that was resident."""
        return max((mb for _, mb in self.memory), default=0.0)

    def growth(self, settled: int = SETTLED) -> float:
        """The most memory after so many pages over that at this point."""
        late = [mb for pages, mb in self.memory if pages >= settled]
        return max(late) / late[0] if late else 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="crawl", description="Our whole crawl beside bare Scrapy, pages per second.")
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", default="", help="write cProfile statistics of our last run to this file")
    parser.add_argument("--alone", action="store_true", help="leave Scrapy out")
    asked = parser.parse_args(argv)
    plan = Plan(sites=asked.sites, pages=max(asked.pages // asked.sites, 1), port=free_port())
    ours: list[Run] = []
    theirs: list[Run] = []
    packed: list[float] = []
    with tempfile.TemporaryDirectory() as name, _cores() as (core, other), town(plan, Path(name), other):
        for number in range(asked.rounds):
            turns = [False, True] if number % 2 == 0 else [True, False]
            for peer in turns:
                if peer and not asked.alone:
                    theirs.append(_told("scrapy", run_peer(Path(name, "plan.json"), core)))
                elif not peer:
                    run, rate = run_ours(plan, Path(name, f"ours-{number}"), core, asked.profile)
                    ours.append(_told("copydesk", run))
                    packed.append(rate)
    figures = summary(ours, theirs, packed, plan)
    print(json.dumps(figures))
    return 0 if _reached(figures) else 1


def summary(ours: list[Run], theirs: list[Run], packed: list[float], plan: Plan) -> dict[str, Any]:
    """The last line: medians over the rounds; the ratio is the median of those of each round."""
    rate, whole = statistics.median(run.rate for run in ours), plan.sites * plan.pages
    figures: dict[str, Any] = {"pages": whole, "pages_per_s": round(rate, 1)}
    figures["cpu_ms_per_page"] = round(statistics.median(run.cpu_s * 1000 / run.pages for run in ours), 3)
    if theirs:
        figures["scrapy_pages_per_s"] = round(statistics.median(run.rate for run in theirs), 1)
        figures["ratio"] = round(statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True)), 3)
        figures["cpu_ratio"] = round(statistics.median(b.cpu_s / a.cpu_s for a, b in zip(ours, theirs, strict=True)), 3)
        figures["scrapy_rss_mb"] = round(max(run.peak_mb for run in theirs), 1)
    figures["rss_mb"] = round(max(run.peak_mb for run in ours), 1)
    figures["rss_growth"] = round(max(run.growth() for run in ours), 3)
    figures["packed_pages_per_s"] = round(statistics.median(packed), 1)
    return figures


def _reached(figures: dict[str, Any]) -> bool:
    lean = figures["rss_mb"] < MOST_MB and figures["rss_growth"] <= MOST_GROWTH
    return bool(lean and figures.get("ratio", GOAL) >= GOAL)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _cores() -> Iterator[tuple[set[int], set[int]]]:
    """A core for the clients, and the others for the sites; this process stays with the sites."""
    before = os.sched_getaffinity(0)
    core, *others = sorted(before)
    os.sched_setaffinity(0, set(others) or {core})
    try:
        yield {core}, set(others) or {core}
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def town(plan: Plan, folder: Path, cores: set[int]) -> Iterator[None]:
    """The sites, open for business."""
    plan.write(folder / "plan.json")
    command = [sys.executable, "-m", "benchmarks.crawl.town", str(folder / "plan.json")]
    with subprocess.Popen(_on(cores, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n", "the sites could not be opened"
        yield
        process.stdin.close()


def run_ours(plan: Plan, folder: Path, core: set[int], profile: str = "") -> tuple[Run, float]:
    """Crawl all sites into a new store by one process, then pack it; returns the run, and pages packed per second."""
    settings = _settings(plan, folder)
    store = open_store(settings)
    try:
        owner = "bench"
        _watch(store, plan)
        with store.writing() as tx:
            claimed = sites.claim(tx, owner, datetime.now(UTC), lease=timedelta(minutes=2), limit=plan.sites)
        assert len(claimed) == plan.sites
        profiled = ["-m", "cProfile", "-o", profile] if profile else []
        command = [sys.executable, *profiled, "-m", "crawler.run", "--owner", owner]
        run = _run(_on(core, command), {**os.environ, **settings.environment()})
        assert run.pages == plan.sites * plan.pages, f"{run.pages} pages of {plan.sites * plan.pages}"
        return run, _pack(store, run.pages)
    finally:
        store.close()


def run_peer(plan: Path, core: set[int]) -> Run:
    """Crawl all sites by bare Scrapy."""
    return _run(_on(core, [sys.executable, "-m", "benchmarks.crawl.peer", str(plan)]), dict(os.environ))


def _settings(plan: Plan, folder: Path) -> Settings:
    wanted: dict[str, Any] = {
        "data": folder,
        "allow_addresses": [f"{address}:{plan.port}" for address in plan.addresses],
        "delay_s": 0.0,
        "max_delay_s": 0.0,
        "pages_per_site": max(plan.pages, 100),
        "log_level": "WARNING",
        "contact": "https://bench.example/about",
    }
    return load_settings(wanted, environ={}, file=folder / "none.toml")


def _watch(store: Store, plan: Plan) -> None:
    now = datetime.now(UTC)
    with store.writing() as tx:
        for address, origin in zip(plan.addresses, plan.origins, strict=True):
            config = SourceConfig(name=address, url=f"{origin}/feed", kind=SourceKind.FEED)
            sources.add(tx, config, site=f"{address}:{plan.port}", now=now, interval_s=300)


def _pack(store: Store, count: int) -> float:
    began = time.perf_counter()
    moved = snapshots.pack(store, datetime.now(UTC), most_bytes=64_000_000, after=timedelta(0))
    assert moved == count
    return moved / (time.perf_counter() - began)


def _run(command: list[str], environment: dict[str, str]) -> Run:
    run, over = Run(), threading.Event()
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        sampler = threading.Thread(target=_sample, args=(process.pid, run, over))
        sampler.start()
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            run.pages += told if isinstance(told, int) else len(told.get("fetched", ()))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        run.took_s, run.cpu_s = time.perf_counter() - began, used.ru_utime + used.ru_stime
        over.set()
        sampler.join()
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return run


def _sample(pid: int, run: Run, over: threading.Event) -> None:
    while not over.wait(_LOOK_S):
        if (mb := _resident_mb(pid)) is not None:
            run.memory.append((run.pages, mb))


def _resident_mb(pid: int) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), None)


def _on(cores: set[int], command: list[str]) -> list[str]:
    return ["taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *command]


def _told(name: str, run: Run) -> Run:
    print(f"{name}: {run.rate:.1f} pages/s, {run.cpu_s * 1000 / run.pages:.2f} ms CPU each, {run.peak_mb:.0f} MB")
    sys.stdout.flush()
    return run


if __name__ == "__main__":
    sys.exit(main())
