"""Files invented articles without end into PostgreSQL: does an article take longer, or the worker grow, as more come?

    python -m benchmarks.soak [--articles 1000000] [--minutes M] [--html]

It ends at whichever comes first. Without `--html` articles begin as their extracted text and go through cleaning,
normalizing, fingerprints and filing; with it, each is a whole page of 30 KB that is read as a worker reads it.
The last line is JSON; it exits with 1 where the last tenth takes more than 1.2 times as long as the first.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import processes
from benchmarks.invented import Press
from benchmarks.newsprint import printed
from benchmarks.servers import postgres_database
from storage import pages, sites, snapshots, sources
from storage.database import Tx
from storage.records import Block, BlockKind, Candidate, Exchange, Extracted, Finding, Page, Rejection, Via
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.clean import clean
from tasks.filing import batch_of, settle
from tasks.ingest import lead_of
from tasks.loading import material_of
from tasks.pipeline import Read, conclude
from tasks.process import TOGETHER, process_pages
from tasks.window import begun

GOAL = 1.2
FLAT = 1.05
"""Memory at the end over that after the first tenth: more is no longer flat."""
_STEPS = 100
_SITES = 500
_HTML = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What some articles took: seconds of the clock and of both sides' processors, and memory in MB after them."""

    articles: int
    clock_s: float
    cpu_s: float
    server_cpu_s: float
    rss_mb: float

    @property
    def cpu_ms(self) -> float:
        """Processor time for each article, of worker and database together."""
        return 1000 * (self.cpu_s + self.server_cpu_s) / self.articles

    @property
    def clock_ms(self) -> float:
        """Time for each article."""
        return 1000 * self.clock_s / self.articles


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="soak", description="Does an article take longer as more come?")
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--html", action="store_true", help="whole pages instead of extracted texts")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        return _make(asked.articles, html=asked.html)
    with postgres_database() as url, TemporaryDirectory() as folder:
        if url is None:
            sys.exit("soak: no PostgreSQL could be started; set TEST_DATABASE_URL or install one")
        steps = soak(url, Path(folder), asked)
    found = figures(steps, asked.articles)
    print(json.dumps(found))
    return 0 if found["ratio"] <= GOAL and found["rss_growth"] <= FLAT else 1


def soak(database: str, folder: Path, asked: argparse.Namespace) -> list[Step]:
    """File articles until there are enough or the time is over, and tell of each step."""
    settings = load_settings({"data": folder, "database": database}, environ={}, file=folder / "none.toml")
    store, steps = open_store(settings), []
    until = time.monotonic() + 60 * asked.minutes
    size = max(asked.articles // _STEPS // TOGETHER, 1) * TOGETHER
    size = min(size, 1_008) if asked.minutes < float("inf") else size
    with _articles(asked) as articles:
        while time.monotonic() < until and (some := list(islice(articles, size))):
            steps.append(_step(store, settings, some, html=asked.html))
            if len(steps) % 10 == 0:
                print(_told(steps), flush=True)
    store.close()
    return steps


def figures(steps: list[Step], wanted: int) -> dict[str, Any]:
    """The first tenth beside the last. `ratio` is of processor time, which other programs here disturb the least."""
    tenth = max(len(steps) // 10, 1)
    first, last = steps[:tenth], steps[-tenth:]
    cpu = [sum(step.cpu_ms for step in part) / len(part) for part in (first, last)]
    clock = [sum(step.clock_ms for step in part) / len(part) for part in (first, last)]
    done, seconds = sum(step.articles for step in steps), sum(step.clock_s for step in steps)
    worker = sum(step.cpu_s for step in steps)
    return {
        "articles": done,
        "of": wanted,
        "articles_per_s": round(done / seconds),
        "cpu_ms": [round(value, 2) for value in cpu],
        "ratio": round(cpu[1] / cpu[0], 3),
        "clock_ms": [round(value, 2) for value in clock],
        "clock_ratio": round(clock[1] / clock[0], 3),
        "worker_cpu_share": round(worker / (worker + sum(step.server_cpu_s for step in steps)), 2),
        "rss_mb": [first[-1].rss_mb, last[-1].rss_mb],
        "rss_growth": round(last[-1].rss_mb / first[-1].rss_mb, 3),
    }


def _step(store: Store, settings: Settings, some: list[dict[str, str]], *, html: bool) -> Step:
    server = _server()
    clock, cpu, other = time.monotonic(), time.process_time(), processes.cpu_s(server) if server else 0.0
    for start in range(0, len(some), TOGETHER):
        batch, now = some[start : start + TOGETHER], datetime.now(UTC)
        told = {one["url"]: one for one in batch}
        fetched = store.write(lambda tx, told=told, now=now: _fetched(tx, told, now))  # type: ignore[misc]
        if html:
            process_pages(store, list(fetched), clock=lambda: datetime.now(UTC), recipes={}, settings=settings)
        else:
            _file(store, fetched, now, settings)
    return Step(
        articles=len(some),
        clock_s=time.monotonic() - clock,
        cpu_s=time.process_time() - cpu,
        server_cpu_s=processes.cpu_s(server) - other if server else 0.0,
        rss_mb=round(processes.rss_mb([os.getpid()]), 1),
    )


def _file(store: Store, some: dict[int, dict[str, str]], now: datetime, settings: Settings) -> None:
    """What a worker does with a few pages, but for finding the texts in their markup."""
    read: dict[Page, Read | Rejection] = {}
    with begun(store, list(some)) as window:
        for page_id, one in some.items():
            page, loaded = window.take(page_id)
            assert page is not None
            material = material_of(store, page, {}, loaded)
            seen = Extracted(title=_found(one["title"]), blocks=_found(tuple(_blocks(one["text"]))))
            read[page] = conclude(clean(seen), material)
    store.write(lambda tx: _settle(tx, read, now, settings))


def _settle(tx: Tx, read: dict[Page, Read | Rejection], now: datetime, settings: Settings) -> None:
    batch = batch_of(tx, {page.id: result for page, result in read.items()})
    for page, result in read.items():
        settle(tx, page.id, page.snapshot_id, result, now, settings, batch)
    batch.flush()


def _found(value: Any) -> tuple[Finding[Any], ...]:
    return (Finding(value=value, source="markup", raw="", confidence=0.9),)


def _blocks(text: str) -> Iterator[Block]:
    for line in text.split("\n\n"):
        yield Block(kind=BlockKind.PARAGRAPH, text=line)


def _fetched(tx: Tx, some: dict[str, dict[str, str]], now: datetime) -> dict[int, dict[str, str]]:
    """What a crawl does with a few pages: rows, exchanges, and who is to be visited next; the pages by their ids."""
    leads = [lead_of(Candidate(url=url, via=Via.MANUAL)) for url in some]
    found = pages.some(tx, pages.discover(tx, sources.manual(tx, now).id, leads, now).new)
    kept = snapshots.keep_all(tx, [(page.id, _exchange(some[page.fetch_url], now)) for page in found])
    pages.fetched_all(tx, [(page.id, snapshot, now, None) for page, snapshot in zip(found, kept, strict=True)])
    sites.refresh(tx, {page.site for page in found})
    return {page.id: some[page.fetch_url] for page in found}


def _exchange(one: dict[str, str], now: datetime) -> Exchange:
    body = one.get("body", one["text"]).encode()
    return Exchange(url=one["url"], status=200, headers=_HTML, body=body, fetched_at=now)


@contextmanager
def _articles(asked: argparse.Namespace) -> Iterator[Iterator[dict[str, str]]]:
    """The articles, made by a process of their own: its memory and time are not the worker's."""
    command = [sys.executable, "-m", "benchmarks.soak", "--make", "--articles", str(asked.articles)]
    command += ["--html"] if asked.html else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        try:
            yield (json.loads(line) for line in maker.stdout)
        finally:
            maker.kill()


def _make(count: int, *, html: bool) -> int:
    if html:
        rows: Iterator[dict[str, str]] = (
            {"title": one.title, "text": one.text, "body": one.body.decode()} for one in printed(count)
        )
    else:
        press = Press(4)
        rows = ({"title": one.title, "text": one.text} for one in (press.next() for _ in range(count)))
    try:
        for number, row in enumerate(rows):
            row["url"] = f"https://site-{number % _SITES}.example/2026/{number}"
            print(json.dumps(row))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - there is nobody to tell any more
    return 0


def _server() -> int | None:
    """The PostgreSQL that was started for this; None where it is another's."""
    found = (child for child in processes.children(os.getpid()) if "postgres" in processes.command(child))
    return next(found, None)


def _told(steps: list[Step]) -> str:
    last = steps[-10:]
    cpu, clock = (sum(getattr(step, name) for step in last) / len(last) for name in ("cpu_ms", "clock_ms"))
    done = sum(step.articles for step in steps)
    return f"{done:>9} articles: {cpu:.2f} ms of processors, {clock:.2f} ms each; worker {last[-1].rss_mb:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
