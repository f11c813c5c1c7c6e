"""Filing article versions through the store's own transaction, beside plain SQLAlchemy Core inserts of the same rows.

    python -m benchmarks.store [--articles 4000]

On SQLite and on PostgreSQL, as many in one transaction as the workers file together; the two ways take turns.
Last line: `{"ratio": …, "sqlite_per_s": …, "postgresql_per_s": …, …}`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Table, select, text

from benchmarks.invented import Piece, Press
from benchmarks.servers import postgres_database
from storage import articles, changes, clusters, pages, similar, snapshots, sources
from storage.batch import Batch
from storage.database import Tx, chunks
from storage.records import (
    Block,
    BlockKind,
    Candidate,
    ChangeClass,
    Clean,
    Decision,
    DecisionKind,
    Exchange,
    Filing,
    Lead,
    Page,
    Provenance,
    SourceConfig,
    Via,
)
from storage.settings import load_settings
from storage.store import Store, open_store
from storage.tables import article, article_version, change, cluster, fingerprint
from tasks.fingerprint import content_hash, draft, finish
from tasks.process import TOGETHER
from tasks.words import word_count

GOAL = 0.5
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "bench.example"
_TURN = 10 * TOGETHER
_AGAIN = 4
"""One in so many filings is a second version of the article before it."""
_EXTRAS: dict[str, tuple[Any, str]] = {
    "ids": (Batch, "next_id"),
    "places": (clusters, "lead"),
    "fingerprint": (similar, "index_all"),
    "lines": (similar, "hold"),
    "known_lines": (similar, "boilerplate"),
    "change_row": (changes, "append_all"),
}
"""What the store does beside writing article and version."""


@contextmanager
def stage(database: str, folder: Path, count: int) -> Iterator[Store]:
    """A store in which that many pages wait to be filed, each with its stored exchange."""
    store = open_store(load_settings({"data": folder, "database": database}, environ={}, file=folder / "none.toml"))
    try:
        with store.writing() as tx:
            config = SourceConfig(name="bench", url=f"https://{SITE}/feed")
            source = sources.add(tx, config, site=SITE, now=NOW, interval_s=300)
            for part in chunks(list(range(count))):
                leads = [Lead(key=_url(n), site=SITE, candidate=Candidate(url=_url(n), via=Via.FEED)) for n in part]
                found = pages.discover(tx, source.id, leads, NOW).new
                stored = [
                    (page, Exchange(url=SITE, status=200, headers=(), body=b"x", fetched_at=NOW)) for page in found
                ]
                ids = snapshots.keep_all(tx, stored)
                pages.fetched_all(tx, [(page, one, NOW, None) for page, one in zip(found, ids, strict=True)])
        yield store
    finally:
        store.close()


def filings(found: Sequence[Page], seed: int = 11) -> Iterator[Filing]:
    """What is to be filed, as the pipeline hands it over: new articles, and now and then a version of the last one."""
    press, told = Press(seed), 0
    piece = press.next()
    for number, page in enumerate(found):
        again = number % _AGAIN == _AGAIN - 1
        if again:
            clean = _clean(Piece(piece.story, piece.title, f"{piece.text}\n\nThis was added later."), told)
        else:
            piece, told = press.next(), number
            clean = _clean(piece, told)
        yield _filing(page, clean, again=again)


def _filing(page: Page, clean: Clean, *, again: bool) -> Filing:
    kind, change_class = (DecisionKind.VERSION, ChangeClass.EDIT) if again else (DecisionKind.NEW, ChangeClass.FIRST)
    print_ = finish(draft(clean.title, clean.text))
    return Filing(
        page=page,
        clean=clean,
        fingerprint=print_,
        content_hash=content_hash(clean),
        word_count=word_count(clean.text),
        decision=Decision(kind=kind, reason="bench", change_class=change_class),
        keys=print_.keys[: similar.POSTINGS],
    )


def _clean(piece: Piece, number: int) -> Clean:
    paragraphs = piece.text.split("\n\n")
    trace = Provenance(source="jsonld:headline", raw=piece.title, confidence=0.95)
    return Clean(
        url=_url(number),
        title=piece.title,
        text=piece.text,
        blocks=tuple(Block(kind=BlockKind.PARAGRAPH, text=one) for one in paragraphs),
        fetched_at=NOW,
        description=paragraphs[0][:200],
        authors=("Ada Lindqvist", "Bruno Okafor"),
        publisher="The Bench Courier",
        published_at=NOW - timedelta(minutes=number),
        language="en",
        section="World",
        keywords=("harbour", "ferries", "council"),
        image=f"https://{SITE}/media/{number}.jpg",
        provenance=dict.fromkeys(("title", "authors", "published_at", "text", "language", "section"), trace),
    )


def _url(number: int) -> str:
    return f"https://{SITE}/2026/03/{number}"


class Ours:
    """The store's own way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: int | None = None

    def file(self, filings: Sequence[Filing]) -> None:
        """File them in one transaction, as a worker does."""
        lines = {line for one in filings for line in one.fingerprint.lines}
        with self._store.writing() as tx:
            batch = Batch(tx, urls={one.clean.url for one in filings}, lines=lines)
            for one in filings:
                again = one.decision.kind is DecisionKind.VERSION
                decision = replace(one.decision, article_id=self._last if again else None)
                self._last = articles.add(batch, replace(one, decision=decision), NOW)
            batch.flush()


Rows = list[tuple[Table, dict[str, Any]]]
"""The rows that one filing wrote, in an order in which they can be inserted."""


def rows_since(tx: Tx, seq: int) -> tuple[list[Rows], int]:
    """The rows behind each change after `seq`, and the last of these."""
    found: list[Rows] = []
    for told in changes.read(tx, seq):
        seq = told.seq
        version = article_version.c.article_id == told.article_id, article_version.c.version == told.version
        rows: Rows = [(article_version, _one(tx, article_version, *version))]
        rows.append((change, _one(tx, change, change.c.seq == seq)))
        if told.version == 1:
            own = (article, _one(tx, article, article.c.id == told.article_id) | {"version": 1})
            group = (cluster, _one(tx, cluster, cluster.c.id == told.cluster_id))
            mark = (fingerprint, _one(tx, fingerprint, fingerprint.c.article_id == told.article_id))
            rows = [group, own, *rows, mark]
        found.append(rows)
    return found, seq


def _one(tx: Tx, table: Table, *where: Any) -> dict[str, Any]:
    return dict(tx.execute(select(table).where(*where)).mappings().one())


def plainly(store: Store, filed: Sequence[Rows]) -> None:
    """Insert the rows as they are, in one transaction."""
    with store.writing() as tx:
        for table, values in chain.from_iterable(filed):
            tx.execute(table.insert(), values)


def measure(database: Sequence[str], folder: Path, count: int) -> dict[str, Any]:
    """Both ways in turns, each on a database of its own; articles per second, their ratio, and what extras cost."""
    took: list[tuple[float, float]] = []
    extras: Counter[str] = Counter()
    with ExitStack() as stack:
        ours, theirs = (
            stack.enter_context(stage(url, folder / name, count))
            for url, name in zip(database, ("ours", "plain"), strict=True)
        )
        with ours.reading() as tx:
            found = pages.some(tx, [row[0] for row in tx.execute(text("SELECT id FROM page"))])
        todo, seq, way = list(filings(found)), 0, Ours(ours)
        for part in chunks(todo, _TURN):
            with _clocks(extras):
                mine = _time(way.file, list(chunks(part, TOGETHER)))
            with ours.reading() as tx:
                rows, seq = rows_since(tx, seq)
            assert len(rows) == len(part)
            plain = _time(partial(plainly, theirs), list(chunks(rows, TOGETHER)))
            took.append((len(part) / mine, len(part) / plain))
    return {
        "per_s": round(statistics.median(mine for mine, _ in took), 1),
        "plain_per_s": round(statistics.median(plain for _, plain in took), 1),
        "ratio": round(statistics.median(mine / plain for mine, plain in took), 3),
        "extra_ms": {name: round(spent * 1000 / count, 3) for name, spent in sorted(extras.items())},
    }


def _time(work: Callable[[Any], None], todo: Sequence[Any]) -> float:
    began = time.perf_counter()
    for one in todo:
        work(one)
    return time.perf_counter() - began


@contextmanager
def _clocks(spent: Counter[str]) -> Iterator[None]:
    """Add to `spent` the seconds that each of the extras takes while the block runs."""
    with ExitStack() as stack:
        for name, (module, function) in _EXTRAS.items():
            stack.enter_context(patch.object(module, function, _timed(getattr(module, function), name, spent)))
        yield


def _timed(function: Callable[..., Any], name: str, spent: Counter[str]) -> Callable[..., Any]:
    def timed(*values: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*values, **named)
        finally:
            spent[name] += time.perf_counter() - began  # type: ignore[assignment]

    return timed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="store", description="Filing articles beside plain inserts of the same rows.")
    parser.add_argument("--articles", type=int, default=4000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="leave the other database out")
    asked = parser.parse_args(argv)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        if asked.only != "postgresql":
            _add(figures, "sqlite", measure(("", ""), Path(name, "sqlite"), asked.articles))
        if asked.only != "sqlite":
            urls = [stack.enter_context(postgres_database()) for _ in range(2)]
            if None in urls:
                print("PostgreSQL: none could be started here; its figures are left out")
            else:
                _add(figures, "postgresql", measure(urls, Path(name, "postgresql"), asked.articles))  # type: ignore[arg-type]
    figures["ratio"] = min(value for key, value in figures.items() if key.endswith("_ratio"))
    print(json.dumps(figures))
    return 0 if figures["ratio"] >= GOAL else 1


def _add(figures: dict[str, Any], name: str, found: dict[str, Any]) -> None:
    figures |= {f"{name}_{key}": value for key, value in found.items()}
    print(f"{name}: {found['per_s']} filings/s, plain {found['plain_per_s']}, ratio {found['ratio']}")
    print(f"{name}: of that in ms each: {found['extra_ms']}")


if __name__ == "__main__":
    sys.exit(main())
