"""Pages filed together leave the store as if each had been filed by itself; and what that costs in statements."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from benchmarks.invented import Piece, Press
from storage import pages
from storage.database import Tx, pipelined
from storage.pairs import unpacked
from storage.records import Block, BlockKind, Exchange, Extracted, Finding, PageState, Rejection
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from storage.tables import (
    article,
    article_version,
    change,
    cluster,
    fingerprint,
    line,
    page,
    posting,
    posting_page,
    posting_recent,
)
from tasks.clean import clean
from tasks.extract.material import Material
from tasks.filing import batch_of, settle
from tasks.ingest import Item, put
from tasks.pipeline import Read, conclude

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
COUNT = 48
MOST_FOR_A_BATCH = 16
"""Statements for all pages of a batch together; each has one more, that looks for what is like it."""
Result = Read | Rejection
Stage = Callable[[str], Store]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Opens an empty store, in a folder of its own."""
    with ExitStack() as stack:

        def opened(database: str = "") -> Store:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            store = open_store(load_settings({"data": folder, "database": database}, environ={}, file=folder / "none"))
            stack.callback(store.close)
            return store

        yield opened


def read_of(piece: Piece, url: str) -> Result:
    """What is read of a page with that text."""
    blocks = tuple(Block(kind=BlockKind.PARAGRAPH, text=one) for one in piece.text.split("\n\n"))
    seen = clean(Extracted(title=finding(piece.title), blocks=finding(blocks)))
    return conclude(seen, Material(url=url, status=200, headers=(), body=b"", fetched_at=NOW))


def finding(value: Any) -> tuple[Finding[Any], ...]:
    return (Finding(value=value, source="markup", raw="", confidence=0.9),)


def url_of(number: int) -> str:
    return f"https://s{number % 9}.example/{number}"


def arrivals() -> list[tuple[str, Result]]:
    """Stories and copies of them, lines that many have, two addresses of one article, and pages that are none.

    Some declare the address of an article that they are not.
    """
    press, rows, told = Press(7), [], []
    for number in range(COUNT):
        piece = press.next()
        told.append(piece)
        if number % 3 == 0:
            piece = Piece(piece.story, piece.title, f"{piece.text}\n\nThis line stands under each third story of them.")
        result = read_of(told[number - 2] if number % 24 == 7 else piece, url_of(number))
        if number % 12 == 7 and isinstance(result, Read):
            result = replace(result, clean=replace(result.clean, url=url_of(number - 2)))
        if number % 10 == 9:
            result = Rejection(stage="extract", reason="no_text", detail="")
        rows.append((url_of(number), result))
    return rows


def changed() -> list[tuple[str, Result]]:
    """A second look at some of them: as they were, and with more to say."""
    press, rows = Press(7), []
    for number in range(COUNT):
        piece = press.next()
        if number % 6 == 1:
            more = "\n\nTwo more boats were ordered on Friday, the harbour office said." if number % 4 == 1 else ""
            rows.append((url_of(number), read_of(Piece(piece.story, piece.title, piece.text + more), url_of(number))))
    return rows


def file(store: Store, rows: Sequence[tuple[str, Result]], together: int, now: datetime) -> list[tuple[str, str]]:
    """File pages, so many in a transaction; returns what became of each."""
    outcomes = []
    with store.writing() as tx:
        ids = [put(tx, Item(where=url, exchange=exchange(url, now)), now) for url, _ in rows]
        pages.refetch(tx, ids[5::20], now)  # while they wait, a listing says that they changed once more
    for start in range(0, len(rows), together):
        some = dict(zip(ids[start : start + together], (result for _, result in rows[start:]), strict=False))
        with store.writing() as tx:
            outcomes += file_all(tx, some, now)
    return outcomes


def exchange(url: str, now: datetime) -> Exchange:
    return Exchange(url=url, status=200, headers=(), body=b"x", fetched_at=now)


def file_all(tx: Tx, some: Mapping[int, Result], now: datetime) -> list[tuple[str, str]]:
    batch = batch_of(tx, dict(some))
    found = [
        settle(tx, one, pages.get(tx, one).snapshot_id, result, now, Settings(), batch) for one, result in some.items()
    ]
    batch.flush()
    return [(str(one.kind), one.reason or "") for one in found]


def contents(tx: Tx) -> dict[str, list[Any]]:
    """All that is in the store of articles; ids by their rank, as a batch may leave numbers out."""
    names = rank(tx.execute(select(article.c.id).order_by(article.c.id)).scalars())
    groups = rank(tx.execute(select(cluster.c.id).order_by(cluster.c.id)).scalars())
    told = list(tx.execute(select(change).order_by(change.c.seq)).mappings())
    versions = select(article_version).order_by(article_version.c.article_id, article_version.c.version)
    prints = tx.execute(select(fingerprint).order_by(fingerprint.c.article_id)).mappings()
    rows = tx.execute(select(page).order_by(page.c.id)).mappings()
    return {
        "articles": [
            (one["url"], names[one["id"]], groups[one["cluster_id"]], one["version"], one["page_id"], one["updated_at"])
            for one in tx.execute(select(article).order_by(article.c.id)).mappings()
        ],
        "versions": [
            (names[one["article_id"]], one["version"], one["title"], one["text"], one["reason"], one["similarity"])
            for one in tx.execute(versions).mappings()
        ],
        "clusters": [
            (names.get(one["primary_article_id"]), one["primary_reason"], one["successor_id"] is None)
            for one in tx.execute(select(cluster).order_by(cluster.c.id)).mappings()
        ],
        "changes": [
            (at + 1, one["kind"], names[one["article_id"]], one["version"], groups[one["cluster_id"]], one["at"])
            for at, one in enumerate(told)
        ],
        "numbers": [one["seq"] for one in told],
        "prints": [(names[one["article_id"]], one["exact"], bytes(one["marks"])) for one in prints],
        "postings": sorted((key, names[one]) for key, one in postings(tx)),
        "lines": [
            (one["slot"], one["hash"], one["clusters"], groups[one["cluster_id"]])
            for one in tx.execute(select(line).order_by(line.c.slot)).mappings()
        ],
        "pages": [
            (one["url"], one["state"], one["disposition"], one["reason"], names.get(one["article_id"]), one["done_at"])
            for one in rows
        ],
    }


def postings(tx: Tx) -> set[tuple[int, int]]:
    """By which keys articles are found."""
    rows = {(one.hash, one.article_id) for one in tx.execute(select(posting))}
    packed = [data for of in (posting_page, posting_recent) for data in tx.execute(select(of.c.data)).scalars()]
    return rows | {(key, one) for data in packed for key, one in unpacked(data).tolist()}


def rank(ids: Any) -> dict[int, int]:
    return {one: at for at, one in enumerate(ids)}


def test_pages_filed_together_leave_what_pages_filed_one_by_one_leave(stage: Stage, postgres_store: str) -> None:
    first, second = arrivals(), changed()
    left = []
    for database, together in (("", 1), ("", 16), (postgres_store, 16)):
        store = stage(database)
        kinds = file(store, first, together, NOW) + file(store, second, together, NOW + timedelta(hours=1))
        with store.reading() as tx:
            left.append((kinds, contents(tx)))

    by_itself, in_batches, on_postgresql = left
    assert in_batches == by_itself
    assert on_postgresql == by_itself
    kinds, held = by_itself
    assert {kind for kind, _ in kinds} >= {"new", "twin", "rejected", "same", "version"}
    assert {one[4] for one in held["versions"]} >= {"new_story", "near_duplicate"}
    assert held["numbers"] == list(range(1, len(held["changes"]) + 1))
    assert {state for _, state, *_ in held["pages"]} == {"done", "discovered"}


def test_a_batch_of_new_stories_takes_few_statements(
    stage: Stage, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, press = stage(postgres_store), Press(11)
    stories: dict[int, Piece] = {}
    while len(stories) < 16:
        piece = press.next()
        stories.setdefault(piece.story, piece)
    rows = [(url_of(at), read_of(piece, url_of(at))) for at, piece in enumerate(stories.values())]
    with store.writing() as tx:
        ids = [put(tx, Item(where=url, exchange=exchange(url, NOW)), NOW) for url, _ in rows]
    held = pages_of(store, ids)
    run: list[str] = []
    for name in ("execute", "executemany"):
        monkeypatch.setattr(psycopg.Cursor, name, noting(getattr(psycopg.Cursor, name), run))

    with store.writing() as tx:
        batch = batch_of(tx, dict(zip(ids, (result for _, result in rows), strict=True)))
        for one, (_, result) in zip(ids, rows, strict=True):
            assert settle(tx, one, held[one], result, NOW, Settings(), batch).kind == "new"
        batch.flush()

    assert len(run) <= MOST_FOR_A_BATCH + len(rows), run


def pages_of(store: Store, ids: Sequence[int]) -> dict[int, int | None]:
    with store.reading() as tx:
        return {one.id: one.snapshot_id for one in pages.some(tx, ids)}


def noting(call: Callable[..., Any], run: list[str]) -> Callable[..., Any]:
    def noted(cursor: Any, statement: Any, *more: Any, **named: Any) -> Any:
        run.append(str(statement))
        return call(cursor, statement, *more, **named)

    return noted


def test_a_page_that_a_listing_wants_again_waits_again_when_it_is_filed(stage: Stage) -> None:
    store, rows = stage(""), arrivals()[:8]
    file(store, rows, 8, NOW)
    with store.reading() as tx:
        left = {one.url: one for one in pages.some(tx, range(1, 9))}
    again = left[url_of(5)]
    assert (again.state, again.disposition, again.next_at) == (PageState.DISCOVERED, None, NOW)
    assert {one.state for one in left.values() if one is not again} == {PageState.DONE}
    assert all(one.article_id for one in left.values())


def test_what_breaks_in_a_pipeline_is_told_as_everywhere_and_leaves_nothing(stage: Stage, postgres_store: str) -> None:
    store, row = stage(postgres_store), {"id": 7, "primary_reason": "only_member", "created_at": NOW}

    def twice() -> None:
        with store.writing() as tx, pipelined(tx):
            tx.execute(cluster.insert(), [row, {**row, "id": 8}])
            tx.execute(cluster.insert(), [row, {**row, "id": 9}])

    with pytest.raises(IntegrityError):
        twice()
    with store.writing() as tx:
        assert tx.execute(select(cluster.c.id)).all() == []
