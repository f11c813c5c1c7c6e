"""Learns from labelled pages which blocks of a page are its article, and writes the model that extraction reads.

    python -m benchmarks.train_blocks --data DIR [--out FILE]

DIR holds `gold.jsonl` and `html/<id>.html.gz`. Needs the dependency group `bench` (catboost). The result is the same
for the same pages: all randomness has a fixed seed.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crawler.urls import site_of
from tasks.extract import article_node
from tasks.extract.boxes import tokens
from tasks.extract.classify import context
from tasks.extract.document import parse
from tasks.extract.features import Context, describe, names
from tasks.extract.segments import Segments, segment

_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
)
_N = 4
_LEAST_SITES = 3
_DEPTH = 6
_SEED = 7
_BY_TOOLS = frozenset(("mozilla",))
"""Sources whose labels are another program's output: they teach its judgement."""
_FITS = 0.9
"""F1 of the best choice of blocks up to which a label is taken to be of another version of its page."""
Shingles = collections.Counter[tuple[str, ...]]


@dataclass(slots=True)
class Page:
    """A labelled page, cut into blocks."""

    id: str
    site: str
    source: str
    gold: str
    page: Segments
    context: Context
    labels: Any
    words: Any
    fit: float
    """The F1 that the labelled blocks reach."""


def words(text: str) -> list[str]:
    """The words of a text; in scripts without spaces each character is one."""
    return re.findall(r"\w+", _UNSPACED.sub(r" \1 ", text))


def shingles(found: Sequence[str]) -> Shingles:
    """The runs of four words."""
    return collections.Counter(tuple(found[i : i + _N]) for i in range(max(1, len(found) - _N + 1)) if found)


def f1(gold: Shingles, text: Sequence[str]) -> float:
    """How well the words of a text cover the gold's shingles."""
    mine = shingles(text)
    both = sum((gold & mine).values())
    return 2 * both / max(1, sum(gold.values()) + sum(mine.values()))


def label(texts: Sequence[Sequence[str]], gold_text: str) -> Any:
    """Which blocks make up the gold text best: by shingles first, then each doubtful block is tried both ways."""
    gold_words = words(gold_text)
    gold, known = shingles(gold_words), set(gold_words)
    left = collections.Counter(gold)
    chosen = np.zeros(len(texts), dtype=bool)
    doubtful = []
    for at, text in enumerate(texts):
        if len(text) < _N:
            if text and all(word in known for word in text):
                doubtful.append(at)
            continue
        mine = shingles(text)
        share = sum((left & mine).values()) / max(1, sum(mine.values()))
        chosen[at] = share > 0.5
        if chosen[at]:
            left -= mine
        if 0.2 < share < 0.8 or (not chosen[at] and sum((gold & mine).values()) * 2 > sum(mine.values())):
            doubtful.append(at)
    best = _score(gold, texts, chosen)
    for _ in range(2):
        for at in doubtful[:150]:
            chosen[at] ^= True
            now = _score(gold, texts, chosen)
            if now > best + 1e-9:
                best = now
            else:
                chosen[at] ^= True
    return chosen


def _score(gold: Shingles, texts: Sequence[Sequence[str]], chosen: Any) -> float:
    return f1(gold, [word for at in np.flatnonzero(chosen).tolist() for word in texts[at]])


def read_pages(data: Path, *, sources: Iterable[str] = ()) -> list[Page]:
    """The pages with a gold text, labelled."""
    wanted = set(sources)
    pages = []
    for line in (data / "gold.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        if record.get("text") and (not wanted or record["source"] in wanted):
            page = _page(data, record)
            if page is not None:
                pages.append(page)
    return pages


def _page(data: Path, record: Mapping[str, Any]) -> Page | None:
    source = gzip.decompress((data / "html" / f"{record['id']}.html.gz").read_bytes()).decode("utf-8", "replace")
    document = parse(source, record.get("url") or "https://unknown.example/page")
    cut = segment(document)
    if not cut.blocks:
        return None
    texts = [words(block.text) for block in cut.blocks]
    labels = label(texts, record["text"])
    return Page(
        id=record["id"],
        site=site(record),
        source=record["source"],
        gold=record["text"],
        page=cut,
        context=context(document, article_node(document)),
        labels=labels,
        words=np.array([len(text) for text in texts]),
        fit=_score(shingles(words(record["text"])), texts, labels),
    )


def site(record: Mapping[str, Any]) -> str:
    """The registered domain of a record's page; pages of one never stand on both sides of a split."""
    if record.get("domain"):
        return site_of(f"https://{record['domain']}/")
    try:
        return site_of(record.get("url") or "")
    except ValueError:
        return str(record["id"])


def token_counts(pages: Iterable[Page]) -> dict[str, dict[str, tuple[float, int]]]:
    """For each word in elements' names and each site: the gold share of the text under it, and the pages."""
    found: dict[str, dict[str, tuple[float, int]]] = collections.defaultdict(dict)
    for page in pages:
        seen = np.concatenate([[0.0], np.cumsum(page.words)])
        good = np.concatenate([[0.0], np.cumsum(page.words * page.labels)])
        under: dict[str, list[float]] = collections.defaultdict(lambda: [0.0, 0.0])
        for box in page.page.containers:
            total = seen[box.end] - seen[box.first]
            if total:
                for token in tokens(box.tag, box.names):
                    under[token][0] += total
                    under[token][1] += good[box.end] - good[box.first]
        for token, (total, part) in under.items():
            share, count = found[token].get(page.site, (0.0, 0))
            found[token][page.site] = ((share * count + part / total) / (count + 1), count + 1)
    return {token: sites for token, sites in found.items() if len(sites) >= _LEAST_SITES}


def token_score(sites: Mapping[str, tuple[float, int]], without: str = "") -> float:
    """The log odds of a word over the sites but one, drawn to nothing where few sites speak."""
    shares = [share for name, (share, _) in sites.items() if name != without]
    good = sum(shares)
    return math.log((good + 0.8) / (len(shares) - good + 1.2)) + 0.4


def tables(pages: Sequence[Page], counts: Mapping[str, Mapping[str, tuple[float, int]]], *, own: bool) -> list[Any]:
    """The features of each page; `own`: the pages are those that were counted, so each is scored by the other sites."""
    found = []
    for page in pages:
        known: dict[str, float] = {}

        def score(token: str, none: float, page: Page = page, known: dict[str, float] = known) -> float:
            if token not in known:
                sites = counts.get(token)
                known[token] = token_score(sites, page.site if own else "") if sites else none
            return known[token]

        found.append(describe(page.page, page.context, score))
    return found


def fit(rows: Any, labels: Any, weights: Any, trees: int) -> Any:
    """A forest of oblivious trees."""
    from catboost import CatBoostClassifier  # noqa: PLC0415

    forest = CatBoostClassifier(
        iterations=trees, depth=_DEPTH, learning_rate=0.08, l2_leaf_reg=6, random_seed=_SEED, thread_count=1,
        verbose=False, rsm=0.3, border_count=64, bootstrap_type="Bernoulli", subsample=0.8, allow_writing_files=False,
        boosting_type="Plain",
    )  # fmt: skip
    forest.fit(rows, labels, sample_weight=weights)
    return forest


def weights(page: Page) -> Any:
    """How much each block of a page counts: by its words, and pages alike whatever their length."""
    size = np.sqrt(page.words + 1.0)
    gold = max(1.0, float((size * page.labels).sum()))
    return size / gold * 20


def export(forest: Any, path: Path) -> dict[str, Any]:
    """The forest in the model's form."""
    forest.save_model(str(path), format="json")
    raw = json.loads(path.read_text("utf-8"))
    path.unlink()
    splits, leaves = [], []
    for tree in raw["oblivious_trees"]:
        splits += [[s["float_feature_index"], float(f"{s['border']:.7g}")] for s in tree["splits"]]
        splits += [[0, 1e30]] * (_DEPTH - len(tree["splits"]))
        values = tree["leaf_values"]
        leaves += [round(value, 4) for value in values] + [0.0] * ((1 << _DEPTH) - len(values))
    scale, bias = raw["scale_and_bias"]
    return {"depth": _DEPTH, "splits": splits, "leaves": [round(v * scale, 4) for v in leaves], "bias": bias[0]}


def train(pages: Sequence[Page], scratch: Path, *, trees: int = 250) -> dict[str, Any]:
    """Learn a model from pages with a label to trust: the words in elements' names, and a forest over the features."""
    pages = [page for page in pages if page.fit > _FITS and page.source not in _BY_TOOLS]
    counts = token_counts(pages)
    rows = np.concatenate(tables(pages, counts, own=True))
    labels = np.concatenate([page.labels for page in pages])
    forest = fit(rows, labels, np.concatenate([weights(page) for page in pages]), trees)
    scores = {token: round(token_score(sites), 2) for token, sites in sorted(counts.items())}
    return {
        "forest": export(forest, scratch),
        "tokens": {token: score for token, score in scores.items() if score},
        "columns": list(names()),
        "threshold": 0.5,
    }


def split(pages: Sequence[Page], folds: int) -> list[int]:
    """A fold for each page, by site, the same for the same sites."""
    return [fold_of(page.site, folds) for page in pages]


def fold_of(name: str, folds: int) -> int:
    """A site's fold."""
    return int(hashlib.sha256(f"{folds}:{name}".encode()).hexdigest(), 16) % folds


def main() -> None:
    """Train on all pages."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, default=Path("tasks/data/blocks.json.gz"))
    asked = options.parse_args()
    pages = read_pages(asked.data)
    model = train(pages, asked.out.with_suffix(".tmp"))
    packed = gzip.compress(json.dumps(model, separators=(",", ":")).encode(), 9, mtime=0)
    asked.out.write_bytes(packed)
    print(json.dumps({"pages": len(pages), "bytes": len(packed)}))


if __name__ == "__main__":
    main()
