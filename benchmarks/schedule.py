"""200,000 sources, each on a site of its own and all of them due: how long does one tick take that claims 1,000?

    python -m benchmarks.schedule [--sources 200000]

On SQLite and on PostgreSQL. Then three schedulers at once, each a process, share all sites on PostgreSQL; a site that
two of them hold at one time is a double claim. The last line is JSON.
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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.servers import postgres_database
from storage import sites, sources
from storage.database import Tx
from storage.records import SourceConfig
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.tables import site

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LEASE = timedelta(minutes=2)
AT_ONCE = 1_000
TICKS = 15
GOAL_MS = 250.0


@contextmanager
def filled(database: str, folder: Path, count: int) -> Iterator[tuple[Store, Settings]]:
    """A store with that many due sources."""
    settings = load_settings({"data": folder, "database": database}, environ={}, file=folder / "none.toml")
    store = open_store(settings)
    try:
        for start in range(0, count, 20_000):
            names = [f"source-{number}" for number in range(start, min(count, start + 20_000))]
            entries = [(SourceConfig(name=n, url=f"https://{n}.example/feed"), f"{n}.example") for n in names]
            added = NOW - timedelta(seconds=count - start)
            store.write(lambda tx, some=entries, at=added: sources.add_many(tx, some, now=at, interval_s=300))  # type: ignore[misc]
        if database:
            with store.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        yield store, settings
    finally:
        store.close()


def tick_ms(store: Store) -> tuple[float, float, int]:
    """The median and the longest of some ticks, in milliseconds, and by how many bytes memory grew meanwhile."""
    took: list[float] = []
    before = _memory()
    for number in range(TICKS):
        began = time.perf_counter()
        with store.reading() as tx:
            sites.claimable(tx, NOW, AT_ONCE)
        claimed = store.write(lambda tx, owner=f"tick-{number}": _claim(tx, owner))  # type: ignore[misc]
        took.append((time.perf_counter() - began) * 1000)
        assert len(claimed) == AT_ONCE, "not enough is due"
        if number == 2:
            before = _memory()  # the first ticks fill caches
    return statistics.median(took), max(took), _memory() - before


def double_claims(settings: Settings, store: Store, schedulers: int = 3) -> tuple[int, int]:
    """How many sites were claimed more than once by schedulers at work at the same time, and how many in all."""
    with store.writing() as tx:
        tx.execute(site.update().values(lease_owner=None, lease_until=None))
    context = multiprocessing.get_context("spawn")
    with context.Pool(schedulers) as pool:
        claims = pool.starmap(_schedule, [(settings.environment(), n) for n in range(schedulers)])
    held = Counter(key for keys in claims for key in keys)
    return sum(count - 1 for count in held.values()), len(held)


def _schedule(environment: dict[str, str], number: int) -> list[str]:
    """Claim until nothing is left; nothing is given back, so each site may be claimed once."""
    store = open_store(load_settings({}, environ=environment, file=Path("none.toml")), create=False)
    keys: list[str] = []
    while found := store.write(lambda tx: _claim(tx, f"scheduler-{number}")):
        keys += found
    store.close()
    return keys


def _claim(tx: Tx, owner: str) -> list[str]:
    return [one.key for one in sites.claim(tx, owner, NOW, lease=LEASE, limit=AT_ONCE)]


def _memory() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Run the benchmark; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule", description=__doc__)
    parser.add_argument("--sources", type=int, default=200_000)
    count = parser.parse_args().sources
    figures: dict[str, Any] = {"tick_ms_sqlite": None, "tick_ms_postgresql": None, "double_claims": None}
    grown = 0
    with tempfile.TemporaryDirectory() as folder:
        with filled("", Path(folder, "sqlite"), count) as (store, _):
            grown = max(grown, _measure("sqlite", store, figures))
        with postgres_database() as url:
            if url is None:
                sys.stdout.write("PostgreSQL: none could be started here; its figures are left out\n")
            else:
                with filled(url, Path(folder, "postgresql"), count) as (store, settings):
                    grown = max(grown, _measure("postgresql", store, figures))
                    doubles, shared = double_claims(settings, store)
                    figures["double_claims"] = doubles
                    sys.stdout.write(f"three schedulers shared {shared} sites, {doubles} of them twice\n")
    figures["memory_grown_mb"] = round(grown / 1e6, 1)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if _reached(figures) else 1


def _measure(name: str, store: Store, figures: dict[str, Any]) -> int:
    typical, longest, grown = tick_ms(store)
    figures[f"tick_ms_{name}"] = round(typical, 1)
    sys.stdout.write(f"{name}: a tick that claims {AT_ONCE}: median {typical:.1f} ms, longest {longest:.1f} ms\n")
    sys.stdout.flush()
    return grown


def _reached(figures: dict[str, Any]) -> bool:
    ticks = [figures[f"tick_ms_{name}"] for name in ("sqlite", "postgresql")]
    flat = figures["memory_grown_mb"] < 20
    return flat and not figures["double_claims"] and all(took is None or took < GOAL_MS for took in ticks)


if __name__ == "__main__":
    sys.exit(main())
