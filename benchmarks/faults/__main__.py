"""`python -m benchmarks.faults`: last line `{"faults": n, "articles_expected": n, "lost": 0, "duplicated": 0, …}`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.faults.books import Verdict, judge
from benchmarks.faults.faults import Fault, Stage, kinds, plan
from benchmarks.faults.machine import Machine
from benchmarks.faults.run import Run, perform
from benchmarks.faults.town import Town
from benchmarks.servers import Postgres, postgres_server
from crawler.urls import site_of
from storage import sources
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.broker import embedded

LONG_S = 120.0
"""How long the broker is unreachable in the fault that `--long` adds."""


def main() -> int:
    """Publish, break things, let everything drain, and count."""
    asked = _arguments()
    faults = plan(asked.seed, asked.rounds, asked.kinds, scale=asked.scale)
    if asked.long:
        faults.append(Fault(number=len(faults) + 1, kind="broker_frozen", seconds=LONG_S, dice=0.0))
    print(f"seed {asked.seed}: {', '.join(f'{one.kind} {one.seconds:.1f}' for one in faults)}", flush=True)
    began = time.monotonic()
    town = Town(sites=asked.sites, seed=asked.seed)
    with _folder(asked.keep) as folder, _database(asked.database) as postgres, town:
        settings = _settings(folder, town, postgres)
        store = _watching(settings, town)
        with Machine(settings) as machine:
            stage = Stage(machine=machine, town=town, store=store, postgres=postgres)
            run = perform(stage, faults, articles=asked.articles, lead=asked.lead)
        verdict = judge(store, town.truth)
        store.close()
    for line in (*verdict.lost, *verdict.duplicated, *verdict.faults, *machine.wrong):
        print(line)
    told = _summary(run, verdict, machine.wrong)
    print(json.dumps({**told, "seed": asked.seed, "database": asked.database, "s": round(time.monotonic() - began)}))
    complete = told["faults"] == len(faults)
    return 0 if complete and not (verdict.lost or verdict.duplicated or verdict.faults or machine.wrong) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description="Does anything get lost when everything may die?")
    parser.add_argument("--rounds", type=int, default=200, help="faults, one after the other")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--articles", type=int, default=2000, help="how many are published, at least")
    parser.add_argument("--lead", type=int, default=50, help="of them are never filed when a fault comes, at least")
    parser.add_argument("--sites", type=int, default=12)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the length of faults that last")
    parser.add_argument("--long", action="store_true", help="and in the end a broker that answers nobody for 2 minutes")
    parser.add_argument("--only", default="", help="kinds of faults, comma-separated; all without")
    parser.add_argument("--keep", type=Path, help="an empty folder for data and log, which stays")
    asked = parser.parse_args()
    known = kinds(postgresql=asked.database == "postgresql")
    asked.kinds = asked.only.split(",") if asked.only else known
    if unknown := set(asked.kinds) - set(known):
        parser.error(f"no such fault with {asked.database}: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return asked


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        yield Path(folder)


@contextmanager
def _database(kind: str) -> Iterator[Postgres | None]:
    if kind == "sqlite":
        yield None
        return
    with postgres_server() as server:
        if server is None:
            raise SystemExit("faults: no PostgreSQL could be started; install one")
        yield server


def _settings(folder: Path, town: Town, postgres: Postgres | None) -> Settings:
    """The pace of a test: everything else as shipped."""
    quick: dict[str, Any] = {"tick_s": 1, "min_interval_s": 1, "lease_s": 20, "delay_s": 0.05, "web_port": 0}
    where: dict[str, Any] = {"data": folder, "allow_addresses": town.allow_addresses}
    if postgres is not None:  # each process by itself, as on many machines
        where |= {"database": postgres.url, "broker": embedded(folder).url}
    return load_settings({**quick, **where}, environ={}, file=folder / "none.toml")


def _watching(settings: Settings, town: Town) -> Store:
    store, now = open_store(settings), datetime.now(UTC)
    with store.writing() as tx:
        for config in town.sources:
            sources.add(tx, config, site=site_of(config.url), now=now, interval_s=2)
    return store


def _summary(run: Run, verdict: Verdict, wrong: list[str]) -> dict[str, Any]:
    return {
        "faults": run.hit.total(),
        "articles_expected": run.expected,
        "lost": len(verdict.lost),
        "duplicated": len(verdict.duplicated),
        "audit_ok": not verdict.faults,
        "wrong": len(wrong),
        "drained_s": round(run.drained_s, 1),
        "slowest_s": {kind: round(max(times), 1) for kind, times in sorted(run.took.items())},
        "kinds": dict(sorted(run.hit.items())),
    }


if __name__ == "__main__":
    sys.exit(main())
