"""A store with no more than the deduplication index needs, to measure that through the store's own functions."""

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from sqlalchemy import text

from storage import clusters, similar
from storage.batch import Batch
from storage.database import Tx, prepared
from storage.records import Boilerplate, Clean, Decision, Fingerprint, Neighbour
from storage.settings import load_settings
from storage.store import Store, open_store
from tasks.decide import decide
from tasks.filing import NEARLY_EQUAL
from tasks.fingerprint import Draft, draft, finish
from tasks.likeness import Weights

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "bench.example"
_STAGE = (
    "INSERT INTO site (key, delay_s, failures, urgent) VALUES (:site, 1, 0, FALSE)",
    "INSERT INTO source (id, name, site, config, paused, added_at, interval_s, failures) "
    "VALUES (1, 'bench', :site, '{}', FALSE, :now, 300, 0)",
    "INSERT INTO page (id, url, fetch_url, site, source_id, state, priority, hops, attempts, discovered_at) "
    "VALUES (1, 'bench', 'bench', :site, 1, 'done', 0, 0, 0, :now)",
)
_CLUSTER = "INSERT INTO cluster (primary_reason, created_at) VALUES ('only_member', :now) RETURNING id"
_ARTICLE = (
    "INSERT INTO article (page_id, url, site, source_id, cluster_id, version, first_seen, updated_at) "
    "VALUES (1, :url, :site, 1, :cluster, 1, :now, :now) RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """An arriving article and what the store holds beside it."""

    print_: Fingerprint
    lines: Boilerplate
    near: Sequence[Neighbour]
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrived:
    """An article and what is worked out of it alone."""

    name: str
    title: str
    body: str
    draft: Draft
    lines: tuple[int, ...]


@contextmanager
def temporary_store(database: str = "") -> Iterator[Store]:
    """An empty store with one site, source and page: SQLite in a temporary folder, or the database named."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        values = {"data": folder, "database": database}
        store = open_store(load_settings(values, environ={}, file=folder / "none.toml"))
        stack.callback(store.close)
        with store.writing() as tx:
            for statement in _STAGE:
                tx.execute(text(statement), {"site": SITE, "now": _time(tx)})
        yield store


def look(tx: Tx, title: str, body: str) -> Looked:
    """Sign an article and find what may be like it, as filing does."""
    drafted = draft(title, body)
    lines = similar.boilerplate(tx, drafted.lines())
    print_ = finish(drafted, lines.common)
    near, keys = similar.neighbours(tx, print_)
    return Looked(print_, lines, near, keys)


def judged(looked: Looked, title: str, body: str, weights: Weights = None) -> Decision:
    """The decision about it. Every site is another, or the same text would be no article."""
    clean = Clean(url="", title=title, text=body, blocks=(), fetched_at=NOW)
    return decide(clean, looked.print_, same_url=None, others=looked.near, site="elsewhere.example", weights=weights)


def put(tx: Tx, looked: Looked, name: str, cluster_id: int | None, similarity: float | None) -> tuple[int, int]:
    """Keep an article in a cluster, or in one of its own; returns the ids of both."""
    article_id, cluster_id = _bare(tx, name, cluster_id)
    nearly_equal = (similarity or 0.0) >= NEARLY_EQUAL
    similar.index(tx, article_id, looked.print_, () if nearly_equal else looked.keys)
    similar.note(tx, looked.lines, cluster_id)
    return article_id, cluster_id


def file(tx: Tx, name: str, title: str, body: str) -> Decision:
    """Decide an article and keep it."""
    looked = look(tx, title, body)
    decision = judged(looked, title, body)
    _, cluster_id = put(tx, looked, name, decision.cluster_id, decision.similarity)
    if decision.merges:
        clusters.move(tx, cluster_id, decision.merges)
    return decision


def drafted(name: str, title: str, body: str) -> Arrived:
    """An article as it was read before its transaction begins."""
    made = draft(title, body)
    return Arrived(name, title, body, made, made.lines())


def file_together(tx: Tx, articles: Sequence[Arrived]) -> Iterator[Decision]:
    """File some articles in their order, with what filing asks for all of one transaction at once."""
    batch = Batch(tx, lines={line for one in articles for line in one.lines})
    known = [batch.boilerplate(one.lines) for one in articles]
    prints = [finish(one.draft, lines.common) for one, lines in zip(articles, known, strict=True)]
    batch.foresee(prints)
    for at, one in enumerate(articles):
        lines = batch.boilerplate(one.lines)
        print_ = prints[at] if lines.common == known[at].common else finish(one.draft, lines.common)
        near, keys = batch.neighbours(print_)
        decision = judged(Looked(print_, lines, near, keys), one.title, one.body)
        article_id, cluster_id = _bare(tx, one.name, decision.cluster_id)
        batch.index(article_id, print_, () if (decision.similarity or 0.0) >= NEARLY_EQUAL else keys)
        batch.count(lines, cluster_id)
        if decision.merges:
            clusters.move(tx, cluster_id, decision.merges)
        if at == len(articles) - 1:
            batch.flush()
        yield decision


def file_timed(store: Store, articles: Sequence[tuple[str, str, str]]) -> list[tuple[float, float]]:
    """The same in a transaction for articles that are read before it: for each the seconds of clock and of processor.

    The first one bears the transaction's beginning and what is asked for all of them, the last one its commit.
    """
    arrived, ticks = [], [_tick()]
    for one in articles:
        arrived.append(drafted(*one))
        ticks.append(_tick())
    with store.writing() as tx:
        ticks.extend(_tick() for _ in file_together(tx, arrived))
    ticks[-1] = _tick()
    spans = [(end[0] - start[0], end[1] - start[1]) for start, end in pairwise(ticks)]
    read, filed = spans[: len(articles)], spans[len(articles) :]
    return [(a[0] + b[0], a[1] + b[1]) for a, b in zip(read, filed, strict=True)]


def _tick() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def clusters_of_all(tx: Tx) -> list[int]:
    """The cluster of each article in the order of arrival."""
    return list(tx.execute(text("SELECT cluster_id FROM article ORDER BY id")).scalars())


def _bare(tx: Tx, name: str, cluster_id: int | None) -> tuple[int, int]:
    """The row of an article, and of a cluster if it is in none, with no more than they must have."""
    now = _time(tx)
    cluster_id = cluster_id or _inserted(tx, _CLUSTER, {"now": now})
    values = {"url": name, "site": SITE, "cluster": cluster_id, "now": now}
    return _inserted(tx, _ARTICLE, values), cluster_id


def _inserted(tx: Tx, statement: str, values: dict[str, object]) -> int:
    if tx.dialect.name == "postgresql":
        statement = re.sub(r":(\w+)", r"%(\1)s", statement)
    return int(prepared(tx, statement, values)[0][0])


def _time(tx: Tx) -> object:
    return "2026-03-10T12:00:00.000000Z" if tx.dialect.name == "sqlite" else NOW


def index_bytes(tx: Tx) -> int:
    """The bytes of the index: its tables with their own indexes. What articles have anyway does not count."""
    tables = ("fingerprint", "posting", "posting_page", "posting_recent", "line")
    if tx.dialect.name == "postgresql":
        return sum(int(tx.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one()) for name in tables)
    names = ", ".join(f"'{name}'" for name in (*tables, "fingerprint_exact_ix"))
    return int(tx.execute(text(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})")).scalar_one())
