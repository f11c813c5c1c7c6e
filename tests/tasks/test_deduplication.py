"""The whole way of a decision: what it writes, how many statements it takes, and that both databases agree."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks import shelf
from benchmarks.invented import Piece, Press
from storage import changes, pages, reading
from storage.database import Tx
from storage.records import ChangeKind
from storage.settings import Settings
from storage.store import Store
from storage.tables import article, fingerprint
from tasks.extract.material import Material
from tasks.filing import settle
from tasks.pipeline import Read, read

PARTS = [
    "The council of Norrby voted on Tuesday evening to reopen the ferry line across the estuary after 22 months.",
    "The two boats have been overhauled at a yard in Velden, and test runs are due to begin at the month's end.",
    "People on both banks have waited long enough, said Samuel Thorne, who chairs the transport committee.",
    "A single crossing will cost the same as a bus ticket, and bicycles will travel free, the harbour office said.",
    "About 705 passengers a day are expected in the summer, slightly more than in its last full year, 2023.",
]
MOST_STATEMENTS = 24
"""Of one filed article, with the row locks, the change feed and the page's own state."""


def html(parts: list[str], title: str = "Ferry line to reopen") -> str:
    text = "".join(f"<p>{part}</p>" for part in parts)
    start = f"<html lang=en><head><title>{title}</title></head>"
    return f"{start}<body><article><h1>{title}</h1>{text}</article></body></html>"


@pytest.fixture
def arrive(
    store: Store, settings: Settings, fetched: Callable[..., int], now: datetime
) -> Callable[..., tuple[int, int]]:
    """Takes a page the whole way; returns its article's id and the number of statements of the filing transaction."""

    def go(url: str, body: str) -> tuple[int, int]:
        page_id = fetched(url, body)
        headers = (("Content-Type", "text/html; charset=utf-8"),)
        result = read(Material(url=url, status=200, headers=headers, body=body.encode(), fetched_at=now))
        assert isinstance(result, Read), result
        statements: list[str] = []
        with store.writing() as tx:
            snapshot_id = pages.get(tx, page_id).snapshot_id
            raw: Any = tx.connection.driver_connection
            if tx.dialect.name == "sqlite":
                raw.set_trace_callback(statements.append)
            outcome = settle(tx, page_id, snapshot_id, result, now, settings)
            if tx.dialect.name == "sqlite":
                raw.set_trace_callback(None)
        assert outcome.article_id is not None
        return outcome.article_id, len(statements)

    return go


def test_the_statements_of_a_filing_do_not_grow_with_what_is_like_it(
    store: Store, arrive: Callable[..., tuple[int, int]]
) -> None:
    counts = [
        arrive(f"https://s{n}.example/{n}", html([*PARTS, f"Report number {n} of our desk."]))[1] for n in range(12)
    ]
    assert max(counts[2:]) <= counts[1]
    assert max(counts) <= MOST_STATEMENTS


def test_the_evidence_of_a_decision_is_kept(store: Store, arrive: Callable[..., tuple[int, int]]) -> None:
    one, _ = arrive("https://one.example/1", html(PARTS))
    two, _ = arrive("https://two.example/1", html(PARTS[:4], title="Boats are back"))
    with store.reading() as tx:
        told = reading.decision(tx, two)
    assert (told["reason"], told["primary_article_id"], told["primary_reason"]) == (
        "near_duplicate",
        one,
        "most_complete",
    )
    compared = told["evidence"]["compared"][0]
    assert compared["article"] == one
    assert compared["probability"] > 0.9
    assert compared["measures"]["containment"] == pytest.approx(1.0)


def test_a_credited_copy_is_not_the_primary(store: Store, arrive: Callable[..., tuple[int, int]]) -> None:
    copy, _ = arrive("https://one.example/1", html(["NORRBY (Reuters) - " + PARTS[0], *PARTS[1:]]))
    own, _ = arrive("https://two.example/1", html(PARTS))
    with store.reading() as tx:
        told = reading.decision(tx, copy)
        assert (told["credit"], told["primary_article_id"], told["primary_reason"]) == ("Reuters", own, "credited")


def test_the_declared_original_is_the_primary(store: Store, arrive: Callable[..., tuple[int, int]]) -> None:
    link = "<link rel=canonical href='https://two.example/1'></head>"
    copy, _ = arrive("https://one.example/1", html(PARTS).replace("</head>", link))
    arrive("https://three.example/1", html([*PARTS, "This report is longer than all others by a line."]))
    own, _ = arrive("https://two.example/1", html(["NORRBY (Reuters) - " + PARTS[0], *PARTS[1:]]))
    with store.reading() as tx:
        told = reading.decision(tx, copy)
    assert (told["primary_article_id"], told["primary_reason"]) == (own, "canonical")


def test_a_version_that_adds_a_credit_gives_the_place_to_another(
    store: Store, arrive: Callable[..., tuple[int, int]]
) -> None:
    copy, _ = arrive("https://one.example/1", html([*PARTS, "The mayor said no more."]))
    own, _ = arrive("https://two.example/1", html(PARTS))
    with store.reading() as tx:
        assert reading.decision(tx, own)["primary_article_id"] == copy
    before = _last(store)
    arrive("https://one.example/1", html(["NORRBY (Reuters) - " + PARTS[0], *PARTS[1:], "The mayor said no more."]))
    with store.reading() as tx:
        told = reading.decision(tx, own)
        rows = [(row.kind, row.article_id, row.version) for row in changes.read(tx, before)]
    assert (told["primary_article_id"], told["primary_reason"]) == (own, "credited")
    assert rows == [(ChangeKind.UPDATED, copy, 2), (ChangeKind.CLUSTERED, own, 1)]


def test_an_unchanged_text_that_declares_its_original_gives_it_the_place(
    store: Store, arrive: Callable[..., tuple[int, int]]
) -> None:
    link = "<link rel=canonical href='https://two.example/1'></head>"
    copy, _ = arrive("https://one.example/1", html([*PARTS, "The mayor said no more."]))
    own, _ = arrive("https://two.example/1", html(PARTS))
    before = _last(store)
    for page in (html([*PARTS, "The mayor said no more."]).replace("</head>", link),) * 2:
        arrive("https://one.example/1", page)
    with store.reading() as tx:
        told = reading.decision(tx, copy)
        rows = [(row.kind, row.article_id, row.version) for row in changes.read(tx, before)]
    assert (told["primary_article_id"], told["primary_reason"]) == (own, "canonical")
    assert told["evidence"]["canonical"] == "https://two.example/1"
    assert rows == [(ChangeKind.CLUSTERED, copy, 1), (ChangeKind.CLUSTERED, own, 1)]

    arrive("https://one.example/1", html([*PARTS, "The mayor said no more."]))  # it takes the declaration back
    with store.reading() as tx:
        assert reading.decision(tx, own)["primary_article_id"] == copy
        assert "canonical" not in reading.decision(tx, copy)["evidence"]


def _last(store: Store) -> int:
    with store.reading() as tx:
        return changes.last(tx)


def test_boilerplate_of_a_site_makes_no_strangers_alike(store: Store, arrive: Callable[..., tuple[int, int]]) -> None:
    notice = [
        f"This notice number {n} stands under every article of this site, and nobody has ever read it."
        for n in range(9)
    ]
    made = [
        arrive(f"https://site.example/{n}", html([*piece.text.split("\n\n"), *notice], title=piece.title))[0]
        for n, piece in enumerate(_stories(8))
    ]
    with store.reading() as tx:
        groups = tx.execute(select(article.c.cluster_id).where(article.c.id.in_(made))).scalars().all()
    assert len(set(groups)) == len(made)


def _stories(count: int) -> list[Piece]:
    """So many long texts, each of another story."""
    press = Press(11)
    pieces = (piece for piece in iter(press.next, None) if len(piece.text) > 900)
    found: dict[int, Piece] = {}
    while len(found) < count:
        piece = next(pieces)
        found.setdefault(piece.story, piece)
    return list(found.values())


def test_both_databases_decide_alike_row_by_row(postgres_database: str) -> None:
    press = Press(7)
    pieces = [press.next() for _ in range(250)]
    rows = []
    for database in ("", postgres_database):
        with shelf.temporary_store(database) as store, store.writing() as tx:
            decisions = [shelf.file(tx, f"{n}", piece.title, piece.text) for n, piece in enumerate(pieces)]
            rows.append((decisions, shelf.clusters_of_all(tx)))
    assert rows[0] == rows[1]
    assert {decision.reason for decision in rows[0][0]} == {"new_story", "same_text", "near_duplicate"}


def test_articles_that_are_filed_together_are_decided_as_one_after_the_other(postgres_database: str) -> None:
    press = Press(8)
    pieces = [(f"{n}", piece.title, piece.text) for n, piece in enumerate(press.next() for _ in range(240))]
    with shelf.temporary_store() as store, store.writing() as tx:
        alone = [shelf.file(tx, *piece) for piece in pieces], shelf.clusters_of_all(tx), _marks(tx)
    for database in ("", postgres_database):
        with shelf.temporary_store(database) as store:
            together = []
            for at in range(0, len(pieces), 16):
                with store.writing() as tx:
                    arrived = [shelf.drafted(*piece) for piece in pieces[at : at + 16]]
                    together += list(shelf.file_together(tx, arrived))
            with store.reading() as tx:
                assert (together, shelf.clusters_of_all(tx), _marks(tx)) == alone


def _marks(tx: Tx) -> list[bytes]:
    return [bytes(one) for one in tx.execute(select(fingerprint.c.marks).order_by(fingerprint.c.article_id)).scalars()]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_changes_no_cluster(seed: int) -> None:
    press = Press(23)
    pieces = list(enumerate(press.next() for _ in range(200)))
    assert _partition(pieces) == _partition(Random(seed).sample(pieces, len(pieces)))


def _partition(pieces: list[tuple[int, Piece]]) -> set[frozenset[int]]:
    with shelf.temporary_store() as store, store.writing() as tx:
        for number, piece in pieces:
            shelf.file(tx, f"{number}", piece.title, piece.text)
        found: dict[int, set[int]] = {}
        for (number, _), cluster_id in zip(pieces, shelf.clusters_of_all(tx), strict=True):
            found.setdefault(cluster_id, set()).add(number)
    return {frozenset(group) for group in found.values()}
