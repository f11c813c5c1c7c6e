"""`python -m benchmarks.polite`: last line `{"requests": n, "violations": n, …}`."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.polite.judge import forbidden, violations
from benchmarks.polite.sites import Arrival, Manners
from benchmarks.servers import postgres_database
from crawler.crawl import crawl
from storage import sources
from storage.records import SourceConfig, SourceKind
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

DELAY_S = 0.25
"""The delay that the crawl is set to; some sites ask for more in robots.txt."""


def main() -> int:
    """Let the crawl processes loose on the sites for a while, then read the sites' logs."""
    parser = argparse.ArgumentParser(prog="polite", description="Do crawl processes keep to what sites ask for?")
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--processes", type=int, default=8, help="crawl processes at once")
    parser.add_argument("--seconds", type=float, default=45, help="how long they crawl, at least")
    parser.add_argument("--longer", type=float, default=90, help="and how much longer until every site had its turn")
    parser.add_argument("--kills", type=int, default=2, help="how many crawl processes are killed outright meanwhile")
    kinds = "a database URL, or 'postgresql' for one that is started for it; SQLite in a temporary folder without"
    parser.add_argument("--database", default="", help=kinds)
    asked = parser.parse_args()
    manners = plan(asked.sites, free_port())
    with tempfile.TemporaryDirectory() as folder, _database(asked.database) as asked.database:
        logs, figures = measure(manners, Path(folder), asked)
    by_origin = {one.origin: one for one in manners}
    found = [
        line
        for one in manners
        for line in violations(one, logs[one.address], delay_s=DELAY_S, kept_from=forbidden(one, by_origin))
    ]
    for line in found[:50]:
        print(line)
    print(json.dumps(summary(logs, figures, found)))
    return 1 if found else 0


@contextmanager
def _database(wanted: str) -> Iterator[str]:
    """The URL of the wanted database, empty for SQLite."""
    if wanted != "postgresql":
        yield wanted
        return
    with postgres_database() as url:
        if url is None:
            raise SystemExit("polite: no PostgreSQL could be started; set TEST_DATABASE_URL or install one")
        yield url


def plan(count: int, port: int) -> list[Manners]:
    """Sites of every kind, each on an address of its own; the same ones at each run."""
    dice = random.Random(5)
    addresses = [f"127.{77 + number // 60000}.{number // 250 % 240}.{number % 250 + 1}" for number in range(count)]
    neighbours = [f"http://{address}:{port}" for address in (*addresses[1:], addresses[0])]
    found = []
    for number, (address, neighbour) in enumerate(zip(addresses, neighbours, strict=True)):
        kind: dict[str, Any] = {
            "robots": ("rules", "rules", "rules", "rules", "missing", "away", "rules", "rules")[number % 8]
        }
        if number % 25 == 24:
            kind["robots"] = "down"
        if kind["robots"] == "rules":
            kind["crawl_delay"] = dice.choice([None, None, 0.4, 0.7])
        kind["protest"] = dice.choice(["", "", "", "seconds", "date", "busy"])
        kind["feed"] = "away" if number % 10 == 3 else "own"
        kind["slowness_s"] = dice.choice([0.0, 0.0, 0.05, 0.3])
        if number % 6 == 5:  # so slow that a second connection is worth it
            kind |= {"connections": 2, "slowness_s": 0.8}
        found.append(Manners(address=address, port=port, neighbour=neighbour, **kind))
    return found


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(
    manners: list[Manners], folder: Path, asked: argparse.Namespace
) -> tuple[dict[str, list[Arrival]], dict[str, int]]:
    """Crawl all sites for a while; returns their logs and what the crawl says of itself."""
    plans, log = folder / "plans.json", folder / "log.json"
    plans.write_text(json.dumps([asdict(one) for one in manners]), "utf-8")
    command = [sys.executable, "-m", "benchmarks.polite.sites", str(plans), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as town:
        assert town.stdin is not None
        assert town.stdout is not None
        assert town.stdout.readline() == "open\n", "the sites could not be opened"
        figures = _crawl(manners, folder, asked)
        town.stdin.close()
    told = json.loads(log.read_text("utf-8"))
    return {address: [Arrival(**one) for one in lines] for address, lines in told.items()}, figures


def _crawl(manners: list[Manners], folder: Path, asked: argparse.Namespace) -> dict[str, int]:
    settings = _settings(manners, folder, asked)
    store = open_store(settings)
    _watch(store, manners)
    over, tally, began = threading.Event(), Counter[str](), time.monotonic()
    workers = [
        threading.Thread(target=_work, args=(settings, store, over, tally), name=f"crawl-{number}")
        for number in range(asked.processes)
    ]
    for worker in workers:
        worker.start()
    for _ in range(asked.kills):
        over.wait(asked.seconds / (asked.kills + 1))
        tally["kills"] += _kill_one()
    over.wait(asked.seconds / (asked.kills + 1))
    while _unasked(store) and time.monotonic() - began < asked.seconds + asked.longer:
        over.wait(1.0)
    over.set()
    for worker in workers:
        worker.join()
    store.close()
    return dict(tally)


def _settings(manners: list[Manners], folder: Path, asked: argparse.Namespace) -> Settings:
    wanted: dict[str, Any] = {
        "data": folder,
        "database": asked.database,
        "allow_addresses": [f"{one.address}:{one.port}" for one in manners],
        "delay_s": DELAY_S,
        "min_interval_s": 3,
        "max_interval_s": 3,
        "sites_per_crawl": 8,
        "log_level": "ERROR",
        "contact": "https://bench.example/about",
    }
    return load_settings(wanted, environ={}, file=folder / "none.toml")


def _watch(store: Store, manners: list[Manners]) -> None:
    now = datetime.now(UTC)
    with store.writing() as tx:
        for one in manners:
            config = SourceConfig(
                name=one.address, url=f"{one.origin}/feed", kind=SourceKind.FEED, concurrency=one.connections
            )
            sources.add(tx, config, site=f"{one.address}:{one.port}", now=now, interval_s=3)


def _unasked(store: Store) -> int:
    """How many sites had no turn yet."""
    with store.reading() as tx:
        return sum(one.last_poll_at is None for one in sources.listed(tx))


def _work(settings: Settings, store: Store, over: threading.Event, tally: Counter[str]) -> None:
    """One crawl process after another, as a crawl worker does."""
    while not over.is_set():
        report = crawl(settings, store, stop=over)
        tally["crawls"] += bool(report.sites)
        tally["fetched"] += report.fetched
        tally["polls"] += report.polls
        if not report.sites:
            over.wait(0.2)


def _kill_one() -> int:
    """End one of our crawl processes without a chance to clear up."""
    mine = str(os.getpid())
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("utf-8").rpartition(")")[2].split()
            if fields[1] == mine and b"crawler.run" in (status.parent / "cmdline").read_bytes():
                os.kill(int(status.parent.name), signal.SIGKILL)
                return 1
        except (FileNotFoundError, ProcessLookupError):
            continue
    return 0


def summary(logs: dict[str, list[Arrival]], figures: dict[str, int], found: list[str]) -> dict[str, int]:
    """The last line."""
    requests = sum(len(log) for log in logs.values())
    protests = sum(one.free_at > 0 for log in logs.values() for one in log)
    sites = sum(bool(log) for log in logs.values())
    second = sum(one.open_connections > 1 for log in logs.values() for one in log)
    told = {"requests": requests, "violations": len(found), "sites": sites, "protests": protests}
    return {**told, "second_connections": second, **figures}


if __name__ == "__main__":
    sys.exit(main())
