"""Measures the deduplication index as it grows: cost, size and outcome at each step, on invented articles.

    python -m benchmarks.dedup_growth --articles N [--database sqlite|postgresql|URL]

A quarter of the articles are copies, cut, edited or with a notice added, of a recent one; a tenth are reports from a
template. The last line is JSON; its costs are those of the last tenth, when the index is largest.
"""

import argparse
import importlib.util
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import shelf
from benchmarks.dedup import percentile
from benchmarks.invented import Press
from benchmarks.scores import score
from storage.store import Store

_STEPS = 10


@dataclass(slots=True)
class _Step:
    """What the articles of one tenth took."""

    cpu_s: float = 0.0
    timings: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Articles for each second of processor time, and the clock time of the slowest but one in a hundred."""
        slow = percentile(self.timings, 0.99) * 1000
        return {"docs_per_cpu_s": round(len(self.timings) / self.cpu_s), "p99_ms": round(slow, 2)}


def grow(store: Store, articles: int, seed: int = 4) -> dict[str, float]:
    """File so many articles, tell of each tenth, and return the figures."""
    press, truth, step = Press(seed), [], _Step()
    for number in range(0, articles, shelf.BATCH):
        batch = [press.next() for _ in range(min(shelf.BATCH, articles - number))]
        truth += [one.story for one in batch]
        began = time.process_time()
        with store.writing() as tx:
            for at, one in enumerate(batch):
                start = time.perf_counter()
                shelf.file(tx, f"{number + at}", one.title, one.text)
                step.timings.append(time.perf_counter() - start)
        step.cpu_s += time.process_time() - began
        last, done = step, number + len(batch)
        if done % max(articles // _STEPS, 1) < shelf.BATCH or done == articles:
            print(f"{done:>9} articles", step.figures(), flush=True)
            step = _Step()
    with store.reading() as tx:
        result = score(truth, shelf.clusters_of_all(tx))
        size = shelf.index_bytes(tx) / articles
    rounded = {name: round(result[name], 4) for name in ("f1", "bcubed_f1")}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {**rounded, **last.figures(), "bytes_per_article": round(size), "memory_mb": memory}


@contextmanager
def _database(name: str) -> Iterator[str]:
    """The URL of an empty database; `postgresql` starts a server of its own, as the tests do."""
    if name != "postgresql":
        yield "" if name == "sqlite" else name
        return
    path = Path(__file__).parents[1] / "tests" / "conftest.py"
    spec = importlib.util.spec_from_file_location("copydesk_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    servers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(servers)
    with tempfile.TemporaryDirectory(prefix="copydesk-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        server = servers._start_postgres(servers._reachable(next(servers._postgres_programs()), place), place)  # noqa: SLF001
        try:
            yield f"postgresql://copydesk@/postgres?host={folder}"
        finally:
            servers._stop_postgres(server)  # noqa: SLF001


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--database", default="sqlite")
    given = parser.parse_args()
    with _database(given.database) as url, shelf.temporary_store(url) as store:
        print(json.dumps(grow(store, given.articles)))


if __name__ == "__main__":
    main()
