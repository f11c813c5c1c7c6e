"""The same local articles through us and through news-please: pages per second, peak memory, and F1 of the text.

    python -m benchmarks.news_please [--pages 500] [--rounds 2]

The pages are invented, so the true text is known, or those of a labelled set (`--data DIR`). Each side reads them from
files in a process of its own: ours files them in a store, with versions and duplicates decided, and the text is what
the store gives back; theirs is `NewsPlease.from_html`, which keeps nothing. Last line: `{"ratio": …, "f1": …, …}`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.newsprint import Raw, invented, labelled

GOAL = 20.0
NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
_WARM = 5
"""Pages at the start that are not timed: models and word lists are loaded once in a worker's life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one process did."""

    rate: float
    """Pages per second."""
    cpu_rate: float
    """Pages per second of processor time."""
    peak_mb: float
    f1: float


def write(folder: Path, pages: Sequence[Raw]) -> list[str]:
    """Put pages into a folder, numbered, with a list of their addresses; returns the true texts."""
    for number, page in enumerate(pages):
        (folder / f"{number}.html").write_bytes(page.body)
    (folder / "urls.json").write_text(json.dumps([page.url for page in pages]), "utf-8")
    return [page.text for page in pages]


def f1(truth: str, found: str) -> float:
    """The harmonic mean of precision and recall over the words of a text, each as often as it stands there."""
    wanted, given = Counter(truth.split()), Counter(found.split())
    both = sum((wanted & given).values())
    return 2 * both / (sum(wanted.values()) + sum(given.values())) if both else 0.0


def ours(folder: Path, tell: Callable[[list[str]], None]) -> None:
    """Ingest and process the pages in batches; then read the texts from the store."""
    from storage import reading  # noqa: PLC0415 - neither side pays for the other's modules
    from storage.database import chunks  # noqa: PLC0415
    from storage.records import Exchange  # noqa: PLC0415
    from storage.settings import load_settings  # noqa: PLC0415
    from storage.store import open_store  # noqa: PLC0415
    from tasks.ingest import Item, put  # noqa: PLC0415
    from tasks.process import process_pages  # noqa: PLC0415

    settings = load_settings({"data": folder / f"store-{os.getpid()}"}, environ={}, file=folder / "none.toml")
    store = open_store(settings)
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    filed: list[int | None] = []
    """Of each page the article that it is: filed under the address that the page declares, which may be another."""

    def take(some: list[tuple[str, bytes]]) -> None:
        with store.writing() as tx:
            ids = [
                put(
                    tx,
                    Item(where=url, exchange=Exchange(url=url, status=200, headers=headers, body=body, fetched_at=NOW)),
                    NOW,
                )
                for url, body in some
            ]
        ended = process_pages(store, ids, clock=lambda: NOW, recipes={}, settings=settings)
        filed.extend(outcome.article_id for outcome in ended)

    pages = list(_pages(folder))
    take(pages[:_WARM])
    tell([])
    for part in chunks(pages[_WARM:], settings.batch):
        take(part)
    with store.reading() as tx:
        texts = {one.id: one.content.text for one in reading.some(tx, [one for one in filed if one is not None])}
    tell([texts.get(one, "") if one is not None else "" for one in filed])
    store.close()


def theirs(folder: Path, tell: Callable[[list[str]], None]) -> None:
    """Give the pages to news-please, one after the other."""
    from newsplease import NewsPlease  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    texts: list[str] = []
    for number, (url, body) in enumerate(_pages(folder)):
        if number == _WARM:
            tell([])
        try:
            article = NewsPlease.from_html(body.decode("utf-8", "replace"), url=url, fetch_images=False)
        except Exception:  # noqa: BLE001 - a page that it cannot read gives no text
            article = None
        texts.append(getattr(article, "maintext", None) or "")
    tell(texts)


def _tell(texts: list[str]) -> None:
    print(json.dumps({"cpu": time.process_time(), "texts": texts}), flush=True)


def _pages(folder: Path) -> Iterator[tuple[str, bytes]]:
    for number, url in enumerate(json.loads((folder / "urls.json").read_text("utf-8"))):
        yield url, (folder / f"{number}.html").read_bytes()


def measure(side: str, folder: Path, truth: Sequence[str]) -> Run:
    """Let one side work in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.news_please", "--side", side, "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        before = json.loads(process.stdout.readline())
        began = time.perf_counter()
        after = json.loads(process.stdout.readline())
        took = time.perf_counter() - began
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    scores = [f1(true, found) for true, found in zip(truth, after["texts"], strict=True)]
    count = len(truth) - _WARM
    run = Run(
        rate=count / took,
        cpu_rate=count / (after["cpu"] - before["cpu"]),
        peak_mb=used.ru_maxrss * 1024 / 1e6,
        f1=statistics.mean(scores),
    )
    rates = f"{run.rate:.1f} pages/s, {run.cpu_rate:.1f} per CPU-second"
    print(f"{side}: {rates}, {run.peak_mb:.0f} MB at most, F1 {run.f1:.4f}", flush=True)
    return run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 1 where the goal is missed, 2 where news-please is not installed."""
    parser = argparse.ArgumentParser(prog="news-please", description="The same articles through us and news-please.")
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--data", type=Path, help="a set of labelled pages; without it they are invented")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.side:
        sides = {"ours": ours, "theirs": theirs}
        sides[asked.side](asked.folder, _tell)
        return 0
    if find_spec("newsplease") is None:
        print("news-please is not installed here: .venv/bin/python -m pip install --group bench", file=sys.stderr)
        return 2
    found: dict[str, list[Run]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as name:
        pages = labelled(asked.data, asked.pages) if asked.data else invented(asked.pages)
        truth = write(Path(name), pages)
        for number in range(asked.rounds):
            for side in ("ours", "theirs")[:: 1 if number % 2 == 0 else -1]:
                found[side].append(measure(side, Path(name), truth))
    figures = summary(found["ours"], found["theirs"])
    print(json.dumps({"pages": len(truth), **figures}))
    return 0 if figures["ratio"] >= GOAL and figures["f1"] >= figures["news_please_f1"] else 1


def summary(mine: Sequence[Run], peer: Sequence[Run]) -> dict[str, Any]:
    """Medians over the rounds."""
    return {
        "pages_per_s": round(statistics.median(run.rate for run in mine), 1),
        "news_please_per_s": round(statistics.median(run.rate for run in peer), 2),
        "pages_per_cpu_s": round(statistics.median(run.cpu_rate for run in mine), 1),
        "news_please_per_cpu_s": round(statistics.median(run.cpu_rate for run in peer), 2),
        "cpu_ratio": round(statistics.median(a.cpu_rate / b.cpu_rate for a, b in zip(mine, peer, strict=True)), 2),
        "ratio": round(statistics.median(a.rate / b.rate for a, b in zip(mine, peer, strict=True)), 2),
        "rss_mb": round(max(run.peak_mb for run in mine), 1),
        "news_please_rss_mb": round(max(run.peak_mb for run in peer), 1),
        "f1": round(mine[0].f1, 4),
        "news_please_f1": round(peer[0].f1, 4),
    }


if __name__ == "__main__":
    sys.exit(main())
