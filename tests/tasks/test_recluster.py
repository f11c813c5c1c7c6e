"""Deciding clusters anew: what was put together or apart wrongly is set right, told, and stays so."""

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, select, update

from benchmarks import shelf
from benchmarks.invented import Press
from storage import changes, clusters, reading, reclustering, similar
from storage.database import Tx
from storage.reclustering import Move
from storage.records import ChangeKind, Clean, Fingerprint, Neighbour
from storage.settings import Settings
from storage.store import Store
from storage.tables import article, article_version, fingerprint, posting, posting_page, posting_recent, snapshot
from tasks import fingerprint as prints
from tasks.decide import ties
from tasks.process import process_page
from tasks.recluster import Report, print_of, recluster

FERRY = [
    "The council of Norrby voted on Tuesday evening to reopen the ferry line across the estuary after 22 months.",
    "The two boats have been overhauled at a yard in Velden, and test runs are due to begin at the month's end.",
    "People on both banks have waited long enough, said Samuel Thorne, who chairs the transport committee.",
    "A single crossing will cost the same as a bus ticket, and bicycles will travel free, the harbour office said.",
    "About 705 passengers a day are expected in the summer, slightly more than in its last full year, 2023.",
]
BRIDGE = [
    "The road bridge over the estuary at Norrby will be closed at night from May on, the road office said on Monday.",
    "Workers will replace 48 bearings under the deck, which were worn at an inspection, and paint the eastern arch.",
    "Drivers will be sent over the old crossing, a detour of 17 kilometres; lorries must take the motorway instead.",
    "The works cost 6.3 million crowns and should be done by October, said Oskar Lind, who leads the project.",
]

SNAPSHOT: dict[str, Any] = {"id": 1, "page_id": 1, "url": "u", "status": 200, "headers": [], "request_headers": []}
SNAPSHOT |= {"size": 0, "digest": "none"}
VERSION: dict[str, Any] = {"authors": [], "keywords": [], "blocks": []}
VERSION |= {"version": 1, "change_class": "first", "reason": "new_story", "evidence": {}, "standing": 1}
VERSION |= {"content_hash": "none", "snapshot_id": 1, "created_at": shelf.NOW, "access": "free", "provenance": {}}

Arrive = Callable[[str, list[str]], int]


@pytest.fixture
def arrive(store: Store, settings: Settings, fetched: Callable[..., int], now: datetime) -> Arrive:
    def go(site: str, parts: list[str]) -> int:
        title = parts[0][:40]
        text = "".join(f"<p>{part}</p>" for part in parts)
        body = (
            f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article></body>"
        )
        page_id = fetched(f"https://{site}.example/{len(parts)}", f"{body}</html>")
        article_id = process_page(store, page_id, now=now, recipes={}, settings=settings).article_id
        assert article_id is not None
        return article_id

    return go


@pytest.fixture
def again(store: Store, now: datetime) -> Callable[..., Report]:
    return lambda **how: recluster(store, clock=lambda: now, **how)


def place(store: Store, *ids: int) -> list[int]:
    with store.reading() as tx:
        return [reading.get(tx, one).cluster_id for one in ids]


def apart(store: Store, now: datetime, article_id: int, before: int) -> int:
    """Put an article into a cluster of its own, whatever it is like."""
    move = Move(article_id=article_id, url="", before=before, into=None, similarity=None, reason="new_story")
    into, _ = store.write(lambda tx: reclustering.apply(tx, [move], now))
    assert into is not None
    return into


def told(store: Store, since: int) -> list[tuple[ChangeKind, int, int]]:
    with store.reading() as tx:
        return [(row.kind, row.article_id, row.cluster_id) for row in changes.read(tx, since)]


def last(store: Store) -> int:
    with store.reading() as tx:
        return changes.last(tx)


def test_what_was_decided_well_stays(arrive: Arrive, again: Callable[..., Report], store: Store) -> None:
    for site, parts in (("one", FERRY), ("two", FERRY[:4]), ("three", BRIDGE), ("four", [*FERRY, BRIDGE[0]])):
        arrive(site, parts)
    before = last(store)
    report = again()
    assert (report.read, report.moves, report.prints, last(store)) == (4, [], 0, before)


def test_copies_that_stand_apart_are_put_together_once(
    arrive: Arrive, again: Callable[..., Report], store: Store, now: datetime
) -> None:
    one, two, stranger = arrive("one", FERRY), arrive("two", FERRY[:4]), arrive("three", BRIDGE)
    home, alone = place(store, one, stranger)
    lost = apart(store, now, two, home)
    before = last(store)

    dry = again(dry_run=True)
    assert [(m.article_id, m.before, m.into, m.reason) for m in dry.moves] == [(two, lost, home, "near_duplicate")]
    assert (dry.moves[0].similarity or 0) > 0.7
    assert (last(store), place(store, one, two, stranger)) == (before, [home, lost, alone])

    done = again()
    assert done.moves == dry.moves
    assert place(store, one, two, stranger) == [home, home, alone]
    assert (ChangeKind.CLUSTERED, two, home) in told(store, before)
    with store.reading() as tx:
        assert clusters.current(tx, lost) == home
        assert reading.decision(tx, two)["evidence"]["recluster"]["reason"] == "near_duplicate"
    finished = last(store)
    assert again().moves == []
    assert last(store) == finished


def test_strangers_in_one_cluster_are_parted_and_each_part_has_a_primary(
    arrive: Arrive, again: Callable[..., Report], store: Store, now: datetime
) -> None:
    one, two = arrive("one", FERRY), arrive("two", FERRY[:4])
    three, four = arrive("three", BRIDGE), arrive("four", [*BRIDGE, "This report was shortened by our desk in Velden."])
    home, other = place(store, one, three)
    store.write(lambda tx: clusters.move(tx, home, [other]))
    store.write(lambda tx: clusters.lead(tx, home))
    before = last(store)

    assert [(m.article_id, m.into, m.reason) for m in again(dry_run=True).moves] == [
        (three, None, "split"),
        (four, None, "split"),
    ]
    fresh = again().moves[0].into
    assert fresh not in (None, home, other)
    assert place(store, one, two, three, four) == [home, home, fresh, fresh]
    assert {(kind, cluster_id) for kind, _, cluster_id in told(store, before)} <= {
        (ChangeKind.CLUSTERED, home),
        (ChangeKind.CLUSTERED, fresh),
    }
    with store.reading() as tx:
        assert [reading.get(tx, each).is_primary for each in (one, two, three, four)].count(True) == 2
    assert again().moves == []


def test_since_leaves_older_articles_where_they_are(
    arrive: Arrive, again: Callable[..., Report], store: Store, now: datetime
) -> None:
    one, two, three = arrive("one", FERRY), arrive("two", FERRY[:4]), arrive("three", BRIDGE)
    home, alone = place(store, one, three)
    lost = apart(store, now, two, home)
    with store.writing() as tx:
        old = update(article).where(article.c.id == one).values(updated_at=now - timedelta(days=9))
        tx.execute(old)
    report = again(since=now - timedelta(days=1))
    assert (report.read, [(m.article_id, m.before, m.into) for m in report.moves]) == (2, [(two, lost, home)])
    assert place(store, one, two, three) == [home, home, alone]


def test_a_run_that_was_stopped_is_taken_up(
    arrive: Arrive, again: Callable[..., Report], store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [arrive(site, [*FERRY, f"The desk of {site} wrote this line."]) for site in ("one", "two", "three")]
    strangers = [arrive(site, [*BRIDGE, f"The desk of {site} wrote this line."]) for site in ("four", "five")]
    home, other = place(store, ids[0], strangers[0])
    apart(store, now, ids[2], home)
    apart(store, now, strangers[1], other)
    real, calls = reclustering.apply, []

    def stops(*args: object) -> tuple[int | None, int]:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reclustering, "apply", stops)
    with pytest.raises(KeyboardInterrupt):
        again()
    monkeypatch.undo()
    assert len(again().moves) == 1
    assert place(store, *ids, *strangers) == [home] * 3 + [other] * 2


def posted(tx: Tx) -> set[int]:
    """The hashes by which anything is found, in rows and in pages."""
    pages = [data for of in (posting_page, posting_recent) for data in tx.execute(select(of.c.data)).scalars()]
    packed = {key for data in pages for key, _, _ in struct.iter_unpack(">iBI", data)}
    return packed | set(tx.execute(select(posting.c.hash)).scalars())


def test_the_keys_of_a_stored_print_are_found_again(arrive: Arrive, store: Store) -> None:
    one = arrive("one", FERRY)
    with store.reading() as tx:
        found = next(each for each in reclustering.subjects(tx, prints.ALGORITHM) if each.known.article_id == one)
        keys = posted(tx)
    assert set(print_of(found).keys) >= keys
    assert len(keys) == similar.POSTINGS


def test_two_algorithms_live_side_by_side_until_all_is_recomputed(
    arrive: Arrive, again: Callable[..., Report], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, stranger = arrive("one", FERRY), arrive("three", BRIDGE)

    def reversed_marks(draft: prints.Draft, boilerplate: object = ()) -> Fingerprint:
        made = first(draft, boilerplate)  # type: ignore[arg-type]
        return replace(made, algorithm=prints.ALGORITHM, keys=tuple(~key for key in made.keys))

    first = prints.finish
    monkeypatch.setattr(prints, "ALGORITHM", prints.ALGORITHM + 1)
    for module in ("tasks.fingerprint.finish", "tasks.filing.finish", "tasks.pipeline.finish"):
        monkeypatch.setattr(module, reversed_marks)
    monkeypatch.setattr("tasks.recluster.print_of", lambda one: reversed_marks(prints.draft(one.title, one.text)))

    two = arrive("two", FERRY[:4])  # is like the first, whose print is of the old algorithm: they are not compared
    copy = arrive("four", BRIDGE)  # the same words show by their hash in any algorithm
    home, alone, apart_, same = place(store, one, stranger, two, copy)
    assert len({home, alone, apart_}) == 3
    assert same == alone

    dry = again(dry_run=True)
    assert (dry.prints, dry.read) == (2, 2)
    report = again()
    assert (report.prints, report.read) == (2, 4)
    assert place(store, one, two, stranger, copy) == [home, home, alone, alone]
    with store.reading() as tx:
        assert set(tx.execute(select(fingerprint.c.algorithm)).scalars()) == {prints.ALGORITHM}
    done = again()
    assert (done.prints, done.moves) == (0, [])


def test_a_print_is_not_read_by_another_algorithm(now: datetime) -> None:
    text = "No trains run today between Norrby and Velden."
    mine = prints.fingerprint(Clean(url="u", title="Trains", text=text, blocks=(), fetched_at=now))
    other = Neighbour(article_id=1, url="v", site="v", cluster_id=1, fingerprint=mine)
    alien = replace(other, fingerprint=replace(mine, algorithm=99, marks=b"of another make"))
    assert len(ties(mine, now, [other])) == 1
    assert ties(mine, now, [alien]) == []


def test_recomputing_does_not_let_what_is_beyond_the_horizon_be_found_again(
    arrive: Arrive, again: Callable[..., Report], store: Store, now: datetime
) -> None:
    arrive("one", FERRY)
    with store.writing() as tx:
        tx.execute(posting.delete())
        tx.execute(posting_page.delete())
        tx.execute(posting_recent.delete())
        tx.execute(update(article).values(updated_at=now - timedelta(days=91)))
        tx.execute(update(fingerprint).values(algorithm=1))
    assert again().prints == 1
    with store.reading() as tx:
        assert posted(tx) == set()


@pytest.mark.parametrize("count", [2, 7])
def test_the_statements_of_a_move_do_not_grow_with_the_cluster(
    arrive: Arrive, store: Store, now: datetime, count: int
) -> None:
    ids = [arrive(f"s{n}", [*FERRY, f"Report number {n} of our desk."]) for n in range(count)]
    home = place(store, ids[0])[0]
    lost = apart(store, now, ids[-1], home)
    move = Move(article_id=ids[-1], url="", before=lost, into=home, similarity=1.0, reason="near_duplicate")
    statements: list[str] = []
    with store.writing() as tx:
        event.listen(tx, "before_cursor_execute", lambda *told: statements.append(told[2]))
        assert reclustering.apply(tx, [move], now) == (home, 1)
    assert len(statements) <= 20, statements


@pytest.mark.parametrize("seed", range(2))
def test_whatever_was_done_to_the_clusters_one_run_sets_it_right(seed: int, now: datetime) -> None:
    press, random = Press(7), Random(seed)
    pieces = [press.next() for _ in range(200)]
    with shelf.temporary_store() as store:
        with store.writing() as tx:
            tx.execute(snapshot.insert().values(**SNAPSHOT, fetched_at=now))
            for number, piece in enumerate(pieces, start=1):
                shelf.file(tx, f"{number}", piece.title, piece.text)
                words = {"title": piece.title, "text": piece.text, "word_count": len(piece.text.split())}
                tx.execute(article_version.insert().values(**VERSION, **words, article_id=number, fetched_at=now))
            made = _partition(tx)
        assert recluster(store, clock=lambda: now).moves == []
        with store.writing() as tx:
            for number in random.sample(range(1, 201), 20):
                mine = article.c.id == number
                tx.execute(update(article).where(mine).values(cluster_id=clusters.found(tx, now)))
            for into, other in zip(*[iter(random.sample(shelf.clusters_of_all(tx), 20))] * 2, strict=True):
                if into != other:
                    clusters.move(tx, into, [other])
            assert _partition(tx) != made
        assert recluster(store, clock=lambda: now).moves
        with store.reading() as tx:
            assert _partition(tx) == made
        assert recluster(store, clock=lambda: now).moves == []


def _partition(tx: Tx) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for number, cluster_id in enumerate(shelf.clusters_of_all(tx)):
        groups.setdefault(cluster_id, set()).add(number)
    return {frozenset(group) for group in groups.values()}
