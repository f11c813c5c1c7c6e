"""8 processes write, 3 poll the change feed, one of these over HTTP: does a reader ever miss a row, or see one twice?

    python -m benchmarks.changes [--changes 100000] [--database sqlite|postgresql|both]

The last line is JSON.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.changes.race import READERS, WRITERS, begin, race
from benchmarks.servers import postgres_database
from storage.settings import load_settings

_FAULTS = ("missed", "twice", "out_of_order", "never_committed", "untold")


def main() -> int:
    """Run the benchmark; exit 1 where a row was missed, seen twice or out of order, or a database is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes", description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000, help="rows of the change feed, in each database")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    names = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    told = {name: found for name in names if (found := _measured(name, given.changes)) is not None}
    sums = {name: sum(found[name] for found in told.values()) for name in ("changes", *_FAULTS)}
    sys.stdout.write(json.dumps({"writers": WRITERS, "readers": len(READERS), **sums, **told}) + "\n")
    return 0 if len(told) == len(names) and not any(sums[name] for name in _FAULTS) else 1


def _measured(name: str, count: int) -> dict[str, Any] | None:
    """The figures of a race on one database; None where it could not be started."""
    with tempfile.TemporaryDirectory() as folder, postgres_database() if name != "sqlite" else nullcontext("") as url:
        if url is None:
            sys.stdout.write(f"{name}: none could be started here\n")
            return None
        settings = load_settings({"data": folder, "database": url}, environ={}, file=Path(folder, "none.toml"))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["benchmarks.changes.race"])  # else each of them would import all by itself
        finished = context.Event()
        size = WRITERS + len(READERS)
        with ProcessPoolExecutor(size, context, initializer=begin, initargs=(finished,)) as pool:
            found = race(settings, count, pool, finished.set)
    sys.stdout.write(f"{name}: {found}\n")
    sys.stdout.flush()
    return found


if __name__ == "__main__":
    sys.exit(main())
