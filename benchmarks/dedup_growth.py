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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import shelf
from benchmarks.dedup import percentile
from benchmarks.invented import Press
from benchmarks.scores import score
from storage.store import Store
from tasks.process import TOGETHER

_STEPS = 10


@dataclass(slots=True)
class _Step:
    """What each article of one tenth took, in seconds of the clock and of the processor."""

    took: list[tuple[float, float]] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Articles for each second of our processor time, and the time of the slowest but one in a hundred."""
        clock, processor = zip(*self.took, strict=True)
        slow, work = (round(percentile(values, 0.99) * 1000, 2) for values in (clock, processor))
        return {"docs_per_cpu_s": round(len(processor) / sum(processor)), "p99_ms": slow, "p99_cpu_ms": work}


def grow(store: Store, articles: int, batch: int = TOGETHER, seed: int = 4) -> dict[str, float]:
    """File so many articles, `batch` in each transaction, tell of each tenth, and return the figures."""
    press, truth, step, last = Press(seed), [], _Step(), _Step()
    tenth = max(articles // _STEPS, 1)
    for number in range(0, articles, batch):
        pieces = [press.next() for _ in range(min(batch, articles - number))]
        truth += [one.story for one in pieces]
        step.took += shelf.file_timed(store, [(f"{number + at}", one.title, one.text) for at, one in enumerate(pieces)])
        done = number + len(pieces)
        if done % tenth < batch or done == articles:
            print(f"{done:>9} articles", {**step.figures(), "bytes_per_article": _size(store, done)}, flush=True)
            last, step = step, _Step()
    with store.reading() as tx:
        result = score(truth, shelf.clusters_of_all(tx))
    rounded = {name: round(result[name], 4) for name in ("f1", "bcubed_f1")}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {**rounded, **last.figures(), "bytes_per_article": _size(store, articles), "memory_mb": memory}


def _size(store: Store, articles: int) -> int:
    with store.reading() as tx:
        return round(shelf.index_bytes(tx) / articles)


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
    parser.add_argument("--batch", type=int, default=TOGETHER, help="articles in one transaction, as the product files")
    given = parser.parse_args()
    with _database(given.database) as url, shelf.temporary_store(url) as store:
        figures = grow(store, given.articles, given.batch)
    server = resource.getrusage(resource.RUSAGE_CHILDREN)  # it has ended by now
    print(json.dumps({**figures, "server_cpu_s": round(server.ru_utime + server.ru_stime)}))


if __name__ == "__main__":
    main()
