"""Several hosts beside one, and a host that is cut off: `python -m benchmarks.cluster [--articles 1600]`.

Hosts are network namespaces with a share of a core each; their servers are a millisecond away. The last line is JSON.
It exits with 1 where something was lost, a pause was not kept or work was not taken over in time, and with 2 where this
machine allows no namespaces.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from benchmarks import processes
from benchmarks.cluster.hosts import NETWORK, Forbidden, Hosts, hosts, running
from benchmarks.cluster.judge import taken_over, too_close
from benchmarks.e2e.__main__ import Sites, watch
from benchmarks.e2e.reader import Reader
from benchmarks.e2e.town import Plan
from benchmarks.model import Forecast, Part, predict
from benchmarks.servers import postgres_database
from storage.audit import audit
from storage.settings import Settings, load_settings
from storage.store import open_store
from storage.tables import site as site_table
from tasks.broker import EmbeddedBroker

SOON_S = 60.0
"""Work of a lost host is to be taken over in that time."""
CLOSE = 0.2
"""How far the model may be off."""
DELAY_S, LATENCY_S, LEASE_S, POLL_S = 0.25, 0.001, 30, 10
CORES = {"servers": 0.6, "crawl": 0.15, "process": 0.3}
"""Of each host of a kind."""
_KINDS = {"crawl": ("crawl1", "crawl2"), "process": ("process1", "process2")}
_NAMES = ("servers", "web", *_KINDS["crawl"], *_KINDS["process"])
_FROM, _TO = 0.15, 0.5
"""Between these shares of the articles the throughput is measured: hosts have started, and none is lost yet."""
_HOME = Path(__file__).resolve().parents[2]
_LONGEST_S = 400.0
_SAMPLE_S = 0.05


@dataclass(slots=True, kw_only=True)
class Cluster:
    """Hosts at work on one store."""

    made: Hosts
    settings: Settings
    inside: dict[str, str]
    """The settings of the hosts, as variables."""
    roots: dict[str, list[int]]
    """The first processes of each part."""

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds of each part so far."""
        return {part: sum(processes.cpu_s(root) for root in roots) for part, roots in self.roots.items()}


@dataclass(slots=True, kw_only=True)
class Result:
    """What one run showed."""

    per_s: float
    ms: dict[str, float]
    """Processor time of each part for an article; of `line`, how long filing it keeps all other hosts from filing."""
    lost: int
    faults: int
    close: list[str]
    over: dict[int, float]
    held: int


def main() -> int:
    """Measure one host of each kind, then two."""
    parser = argparse.ArgumentParser(prog="cluster", description="Several hosts beside one, and one that is cut off.")
    parser.add_argument("--articles", type=int, default=1600, help="of the run with two hosts of a kind; half with one")
    parser.add_argument("--sites", type=int, default=40)
    asked = parser.parse_args()
    try:
        with hosts(_NAMES) as made:
            delayed = made.delay(LATENCY_S)
            one = measure(made, 1, asked.articles // 2 // asked.sites, asked.sites, relay_s=0 if delayed else LATENCY_S)
            two = measure(made, 2, asked.articles // asked.sites, asked.sites, relay_s=0 if delayed else LATENCY_S)
    except Forbidden as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 2
    found = figures(one, two, asked.sites, "netem" if delayed else "relay")
    for line in two.close[:20]:
        print(line)
    print(json.dumps(found))
    return 0 if is_good(found) else 1


def is_good(found: dict[str, Any]) -> bool:
    """Whether the goals were reached."""
    kept = not (found["lost"] or found["audit_faults"] or found["violations"])
    return bool(kept and found["taken_over_s"] < SOON_S and abs(found["model_off"]) <= CLOSE)


def figures(one: Result, two: Result, sites: int, latency: str) -> dict[str, Any]:
    """The last line. The model forecasts the run of two hosts from what an article cost in the run of one."""
    forecast = foretold(one.ms, 2, sites)
    return {
        "articles_per_s": round(two.per_s, 1),
        "one_host_per_s": round(one.per_s, 1),
        "ratio": round(two.per_s / one.per_s, 2),
        "model_per_s": round(forecast.per_s, 1),
        "model_bound_by": forecast.bound_by,
        "model_off": round(forecast.per_s / two.per_s - 1, 3),
        "ms_per_article": {part: round(ms, 1) for part, ms in one.ms.items()},
        "lost": one.lost + two.lost,
        "audit_faults": one.faults + two.faults,
        "violations": len(one.close) + len(two.close),
        "taken_over_s": round(max(two.over.values(), default=0.0), 1),
        "sites_of_the_lost_host": two.held,
        "latency": latency,
    }


def foretold(ms: dict[str, float], each: int, sites: int) -> Forecast:
    """What that many hosts of each kind can do."""
    number = {"servers": 1, "crawl": each, "process": each}
    parts = [Part(name=name, ms=ms[name], cores=CORES[name] * number[name]) for name in CORES]
    parts.append(Part(name="line", ms=ms["line"], cores=1))
    return predict(parts, sites=sites, delay_s=DELAY_S)


def measure(made: Hosts, each: int, standing: int, sites: int, *, relay_s: float) -> Result:
    """Let that many hosts of each kind work off all articles; with two, one crawl host is cut off in the middle."""
    plan = Plan(sites=sites, rate=1, seconds=0, port=8080, network=NETWORK, standing=standing)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        cluster = stack.enter_context(_servers(made, plan, folder, relay_s))
        town = stack.enter_context(_town(made, plan, folder))
        watch(cluster.settings, plan, POLL_S)
        reader = stack.enter_context(Reader(cluster.settings).following())
        stack.enter_context(_workers(cluster, each))
        per_s, ms = _pace(cluster, reader, plan.old)
        held, cut_at = (_cut(cluster, "crawl2")) if each > 1 else ([], 0.0)
        _await(lambda: len(reader.seen) >= plan.old, _LONGEST_S, fail=False)
        if each > 1:  # a site whose articles are all there is polled again
            threading.Event().wait(max(0.0, cut_at + SOON_S - time.time()))
        lost, faults = plan.old - len(reader.seen), _faults(cluster.settings)
        arrivals = town.end()
    print(f"{each} of each: {per_s:.1f} articles/s, {ms}", flush=True)
    number = {f"{address}:{plan.port}": site for site, address in enumerate(plan.addresses)}
    over = taken_over(arrivals, {number[key] for key in held}, made.address("crawl2"), cut_at)
    over |= {number[key]: _LONGEST_S for key in held if number[key] not in over}
    close = list(too_close(arrivals, DELAY_S))
    return Result(per_s=per_s, ms=ms, lost=lost, faults=faults, close=close, over=over, held=len(held))


def _pace(cluster: Cluster, reader: Reader, articles: int) -> tuple[float, dict[str, float]]:
    """Articles a second in the middle of the work, and what each part spends on one."""
    _await(lambda: len(reader.seen) >= _FROM * articles, _LONGEST_S)
    began, first, before = time.monotonic(), len(reader.seen), cluster.cpu_s()
    with _line(cluster.settings) as held:
        _await(lambda: len(reader.seen) >= _TO * articles, _LONGEST_S)
    done, seconds, after = len(reader.seen) - first, time.monotonic() - began, cluster.cpu_s()
    ms = {part: 1000 * (after[part] - before[part]) / done for part in after}
    return done / seconds, ms | {"line": 1000 * seconds * sum(held) / len(held) / done}


@contextmanager
def _line(settings: Settings) -> Iterator[list[bool]]:
    """Samples of whether some worker holds the line of those that file articles: only one of all hosts can."""
    store, over, held = open_store(settings, create=False), threading.Event(), [False]
    query = text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)")

    def look() -> None:
        while not over.wait(_SAMPLE_S):
            with store.reading() as tx:
                held.append(bool(tx.execute(query).scalar()))

    thread = threading.Thread(target=look, name="line")
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()
        store.close()


def _cut(cluster: Cluster, host: str) -> tuple[list[str], float]:
    """Cut a host off; returns the sites that it held, and when that was."""
    cluster.made.cut(host)
    cut_at, store = time.time(), open_store(cluster.settings, create=False)
    with store.reading() as tx:
        query = select(site_table.c.key).where(site_table.c.lease_owner.like(f"{host}-%"))
        held = list(tx.execute(query).scalars())
    store.close()
    return held, cut_at


def _faults(settings: Settings) -> int:
    store = open_store(settings, create=False)
    found = audit(store, datetime.now(UTC))
    store.close()
    for line in found.faults[:10]:
        print(f"  audit: {line}")
    return len(found.faults)


@contextmanager
def _servers(made: Hosts, plan: Plan, folder: Path, relay_s: float) -> Iterator[Cluster]:
    """PostgreSQL and Valkey, reached on the servers' host only."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres_database())
        if database is None:
            raise SystemExit("cluster: no PostgreSQL could be started; set TEST_DATABASE_URL or install one")
        broker = EmbeddedBroker(folder=folder, socket=folder / "broker.sock")
        valkey = stack.enter_context(_here(broker.command()))
        _await(broker.ready, 10)
        home = made.address("servers")
        before, _, place = database.partition("?host=")
        if not place.startswith("/"):
            raise SystemExit("cluster: TEST_DATABASE_URL must name a server by its socket: …?host=/FOLDER")
        sockets = [f"{home}:5432={place}/.s.PGSQL.5432", f"{home}:6379={broker.socket}"]
        words = [sys.executable, "-m", "benchmarks.cluster.relay", str(relay_s), *sockets]
        relay = stack.enter_context(running(made, "servers", words, {"PYTHONPATH": str(_HOME)}, talks=True))
        values: dict[str, Any] = {
            "data": folder,
            "delay_s": DELAY_S,
            "lease_s": LEASE_S,
            "allow_addresses": [f"{address}:{plan.port}" for address in plan.addresses],
            "contact": "https://bench.example/about",
            # one host alone must not claim all sites at once
            "sites_per_crawl": plan.sites // 2,
        }
        settings = load_settings({**values, "database": database}, environ={}, file=folder / "none.toml")
        open_store(settings).close()
        name = before.rpartition("/")[2]
        remote = {"database": f"postgresql://copydesk@{home}:5432/{name}", "broker": f"redis://{home}:6379/0"}
        inside = load_settings({**values, **remote}, environ={}, file=folder / "none.toml").environment()
        inside["PYTHONPATH"] = str(_HOME)
        mine = processes.children(os.getpid())
        servers = [child for child in mine if "postgres" in processes.command(child)] + [valkey.pid]
        made.limit("servers", CORES["servers"], [one for root in servers for one in processes.tree(root)])
        yield Cluster(made=made, settings=settings, inside=inside, roots={"servers": [*servers, relay.pid]})


@contextmanager
def _workers(cluster: Cluster, each: int) -> Iterator[None]:
    """That many hosts of each kind, and the scheduler beside the servers."""
    with ExitStack() as stack:
        run = [sys.executable, "-P", "-m", "console.cli"]
        scheduler = stack.enter_context(running(cluster.made, "servers", [*run, "scheduler"], cluster.inside))
        cluster.roots["servers"].append(scheduler.pid)
        for kind, names in _KINDS.items():
            queues = ["process", "maintain"] if kind == "process" else ["crawl"]
            cluster.roots[kind] = []
            for host in names[:each]:
                cluster.made.limit(host, CORES[kind])
                words = [*run, "worker", *queues, "--concurrency", "1"]
                process = stack.enter_context(running(cluster.made, host, words, cluster.inside))
                cluster.roots[kind].append(process.pid)
        yield


@contextmanager
def _town(made: Hosts, plan: Plan, folder: Path) -> Iterator[Sites]:
    """The sites, on a host of their own."""
    made.also("web", plan.addresses)
    file, log = folder / "plan.json", folder / "log.json"
    plan.write(file)
    words = [sys.executable, "-m", "benchmarks.e2e.town", str(file), str(log)]
    with running(made, "web", words, {"PYTHONPATH": str(_HOME)}, talks=True) as process:
        yield Sites(process, log)


@contextmanager
def _here(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command outside all hosts, until the end of the block."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _await(reached: Callable[[], bool], within_s: float, *, fail: bool = True) -> None:
    end = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > end:
            if fail:
                raise SystemExit("cluster: it takes too long; is the machine busy with something else?")
            return
        threading.Event().wait(0.1)


if __name__ == "__main__":
    sys.exit(main())
