"""Trains the weights by which pairs of articles are judged, and measures them on clusters that were kept out.

    python -m benchmarks.train_dedup --data FILE... [--write] [--strength L2]

Each FILE is a set in the form that the scorer reads (gzip, one JSON object a line, with `id title text cluster`), in
the order of arrival. Articles are put into their true clusters, and each pair that the index leads to is an example.
Then every article is decided by weights from the folds that its cluster is not in, and the clusters are scored.
"""

import argparse
import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import shelf
from benchmarks.scores import score
from storage import clusters
from tasks import likeness
from tasks.fingerprint import marks_of

Floats = npt.NDArray[np.float64]
FOLDS = 5
TARGET = Path(__file__).parents[1] / "tasks" / "data" / "likeness.toml"
HEAD = """# How much each measure of a pair, and each product of two, says for a near-duplicate (tasks/likeness.py).
# Learned by benchmarks/train_dedup.py from {pairs} pairs of articles; the texts are not part of Copydesk.
[weights]
"""


def load(file: Path) -> list[dict[str, Any]]:
    """The rows of a set."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def fold_of(cluster: str) -> int:
    """The fold that a true cluster belongs to, the same in every set."""
    return zlib.crc32(cluster.encode()) % FOLDS


def examples(rows: Sequence[dict[str, Any]]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """The measures of each pair that the index leads to, whether it is one story, and its fold."""
    measures, truth, folds = [], [], []
    ids: dict[str, int] = {}
    with shelf.temporary_store() as store, store.writing() as tx:
        for row in rows:
            looked = shelf.look(tx, row["title"], row["text"])
            mine = marks_of(looked.print_)
            alike = 0.0
            for known in looked.near if mine.sketch else ():
                theirs = marks_of(known.fingerprint)
                if not theirs.sketch or known.fingerprint.exact == looked.print_.exact:
                    continue
                pair = likeness.likeness(mine, theirs)
                same = known.cluster_id == ids.get(row["cluster"])
                alike = max(alike, pair.jaccard if same else 0.0)
                measures.append(pair)
                truth.append(float(same))
                folds.append(fold_of(row["cluster"]))
            _, ids[row["cluster"]] = shelf.put(tx, looked, row["id"], ids.get(row["cluster"]), alike)
    return likeness.terms(measures), np.array(truth), np.array(folds)


def fit(terms: Floats, truth: Floats, strength: float) -> Floats:
    """Weights of a logistic regression with a ridge penalty, by Newton's method."""
    mean, spread = terms.mean(0), terms.std(0)
    mean[0], spread[spread == 0] = 0.0, 1.0
    scaled = (terms - mean) / spread
    penalty = np.full(terms.shape[1], strength)
    penalty[0] = 1e-3
    weights = np.zeros(terms.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ weights, -30, 30)))
        slope = scaled.T @ (chance - truth) + penalty * weights
        curve = (scaled.T * (chance * (1 - chance))) @ scaled + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    plain: Floats = weights / spread
    plain[0] -= plain[1:] @ mean[1:]
    return plain


def decided(rows: Sequence[dict[str, Any]], by_fold: Sequence[Floats]) -> list[int]:
    """The cluster of each article, decided by weights that never saw its true cluster."""
    with shelf.temporary_store() as store, store.writing() as tx:
        for row in rows:
            weights = by_fold[fold_of(row["cluster"])]
            looked = shelf.look(tx, row["title"], row["text"])
            decision = shelf.judged(looked, row["title"], row["text"], weights)
            _, cluster_id = shelf.put(tx, looked, row["id"], decision.cluster_id, decision.similarity)
            if decision.merges:
                clusters.move(tx, cluster_id, decision.merges)
        return shelf.clusters_of_all(tx)


def write(weights: Iterable[float], pairs: int) -> None:
    """Keep the weights as data."""
    lines = (f'"{name}" = {weight:.6g}\n' for name, weight in zip(likeness.term_names(), weights, strict=True))
    TARGET.write_text(HEAD.format(pairs=pairs) + "".join(lines).replace("= nan", "= 0"), "utf-8")


def main() -> None:
    """Train, measure, and write where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--write", action="store_true", help="keep the weights learned from all folds")
    given = parser.parse_args()
    sets = [load(file) for file in given.data]
    parts = [examples(rows) for rows in sets]
    terms, truth, folds = (np.concatenate([part[at] for part in parts]) for at in range(3))
    print(f"{len(truth)} pairs, {truth.mean():.3f} of them one story")
    if given.write:
        write(fit(terms, truth, given.strength), len(truth))
    by_fold = [fit(terms[folds != fold], truth[folds != fold], given.strength) for fold in range(FOLDS)]
    for file, rows in zip(given.data, sets, strict=True):
        result = score([row["cluster"] for row in rows], decided(rows, by_fold))
        print(file.name, json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
