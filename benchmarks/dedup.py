"""Scores our deduplication, beside that of libraries where they are installed, on a set with true clusters.

    python -m benchmarks.dedup --data FILE [--no-peers]

The last line is JSON. `cluster` is the plug-in for other scorers: an iterable of (id, title, text) in the order of
arrival goes in, a list of cluster ids comes out.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import dedup_peers, shelf
from benchmarks.scores import score
from benchmarks.train_dedup import load
from storage.database import chunks
from tasks.process import TOGETHER

Article = tuple[str, str, str]


def cluster(
    articles: Iterable[Article], timings: list[float] | None = None, sizes: list[float] | None = None
) -> list[int]:
    """The cluster of each article, decided in their order in a temporary SQLite store.

    Into `timings` goes what each article took (seconds of the clock), into `sizes` the index's bytes per article.
    """
    took: list[float] = [] if timings is None else timings
    with shelf.temporary_store() as store:
        for batch in chunks(list(articles), TOGETHER):
            took += [clock for clock, _ in shelf.file_timed(store, batch)]
        with store.reading() as tx:
            if sizes is not None:
                sizes.append(shelf.index_bytes(tx) / max(len(took), 1))
            return shelf.clusters_of_all(tx)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all is not above."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _measured(articles: Sequence[Article], gold: Sequence[str], run: Callable[[Iterable[Article]], list[int]]) -> str:
    began = time.process_time()
    found = run(articles)
    taken = time.process_time() - began
    result = score(gold, found)
    return f"f1 {result['f1']:.4f}  bcubed {result['bcubed_f1']:.4f}  {len(articles) / taken:8.0f} docs/CPU-s"


def main() -> None:
    """Run it on one set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args()
    rows = load(given.data)
    articles = [(row["id"], row["title"], row["text"]) for row in rows]
    gold = [row["cluster"] for row in rows]
    for name, peer in {} if given.no_peers else dedup_peers.installed():
        print(f"{name:12}", _measured(articles, gold, peer) if peer else "is not installed (dependency group bench)")
    timings: list[float] = []
    sizes: list[float] = []
    began = time.process_time()
    found = cluster(articles, timings, sizes)
    taken = time.process_time() - began
    result = score(gold, found)
    print(
        f"{'copydesk':12} f1 {result['f1']:.4f}  bcubed {result['bcubed_f1']:.4f}  {len(rows) / taken:8.0f} docs/CPU-s"
    )
    figures = {
        "f1": round(result["f1"], 4),
        "bcubed_f1": round(result["bcubed_f1"], 4),
        "docs_per_cpu_s": round(len(rows) / taken),
        "p99_ms": round(percentile(timings, 0.99) * 1000, 2),
        "bytes_per_article": round(sizes[0]),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
