"""Pages that one message names are filed several in a transaction, and none takes the others along."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from storage import pages, snapshots
from storage.errors import StoreBusy, StoreFull
from storage.records import Disposition, PageState
from storage.settings import Settings
from storage.store import Store
from storage.tables import snapshot
from tasks import loading, pipeline, process
from tasks.filing import settle
from tasks.outcome import Outcome, OutcomeKind
from tasks.process import process_pages

STORY = (
    "<!doctype html><html lang=en><head><title>Harbour {n} opens</title>{link}</head><body><article>"
    "<h1>Harbour {n} opens</h1><p>The harbour number {n} opened on Tuesday, after {n} years of work, said the town.</p>"
    "<p>Some {n}00 people came to see the first of the boats make fast at the mole, and a band of {n} played.</p>"
    "</article></body></html>"
)
Fetch = Callable[..., int]


@pytest.fixture
def batch(fetched: Fetch) -> list[int]:
    """Pages of as many sites, each with a story of its own."""
    return [fetched(f"https://n{n}.example/a", STORY.format(n=n, link="")) for n in range(2, 7)]


@pytest.fixture
def settles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of each page that was settled its id, and which transaction it was in."""
    seen: list[tuple[int, int]] = []
    held: list[Any] = []

    def told(tx: Any, page_id: int, *more: Any) -> Outcome:
        held.append(tx)  # or the next one might have its id
        seen.append((page_id, id(tx)))
        return settle(tx, page_id, *more)

    monkeypatch.setattr(process, "settle", told)
    return seen


def run(store: Store, page_ids: list[int], now: datetime) -> list[Outcome]:
    return process_pages(store, page_ids, clock=lambda: now, recipes={}, settings=Settings())


def begun(store: Store, page_ids: list[int]) -> list[int]:
    with store.reading() as tx:
        return [pages.get(tx, one).attempts for one in page_ids]


def test_pages_are_filed_together_and_told_of_in_their_order(
    store: Store, batch: list[int], settles: list[tuple[int, int]], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LONGEST_WAIT_S", 60.0)
    monkeypatch.setattr(process, "TOGETHER", 3)
    outcomes = run(store, batch[::-1], now)
    assert [one.page_id for one in outcomes] == batch[::-1]
    assert {one.kind for one in outcomes} == {OutcomeKind.NEW}
    assert [page_id for page_id, _ in settles] == batch[::-1]
    assert len({tx for _, tx in settles[:3]}) == len({tx for _, tx in settles[3:]}) == 1


def test_a_page_that_waited_long_enough_is_filed(
    store: Store, batch: list[int], settles: list[tuple[int, int]], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LONGEST_WAIT_S", -1.0)
    read = process._read
    seen = []

    def noting(*more: Any) -> Any:
        seen.append(len(settles))
        return read(*more)

    monkeypatch.setattr(process, "_read", noting)
    run(store, batch[:3], now)
    assert seen == [0, 1, 2]


def test_a_page_that_cannot_be_filed_takes_no_other_along(
    store: Store, batch: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(tx: Any, page_id: int, *more: Any) -> Outcome:
        if page_id == batch[1]:
            raise RecursionError("a row that fits nowhere")
        return settle(tx, page_id, *more)

    monkeypatch.setattr(process, "settle", breaking)
    outcomes = run(store, batch[:4], now)
    kinds = [OutcomeKind.NEW, OutcomeKind.POSTPONED, OutcomeKind.NEW, OutcomeKind.NEW]
    assert [one.kind for one in outcomes] == kinds
    with store.reading() as tx:
        assert pages.get(tx, batch[1]).state is PageState.FETCHED


def test_without_room_all_tries_are_taken_back(
    store: Store, batch: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Outcome:
        raise StoreFull("no room")

    monkeypatch.setattr(process, "settle", full)
    with pytest.raises(StoreFull):
        run(store, batch[:3], now)
    assert begun(store, batch[:3]) == [0, 0, 0]


def test_a_page_named_twice_is_processed_once(
    store: Store, batch: list[int], settles: list[tuple[int, int]], now: datetime
) -> None:
    outcomes = run(store, [batch[0], batch[1], batch[0]], now)
    assert [one.page_id for one in outcomes] == batch[:2]
    assert [page_id for page_id, _ in settles] == batch[:2]


def test_a_page_that_goes_on_elsewhere_is_filed_in_its_turn(store: Store, fetched: Fetch, now: datetime) -> None:
    link = "<link rel=next href='https://n1.example/a?page=2'>"
    back = "<link rel=prev href='https://n1.example/a'>"
    first = fetched("https://n1.example/a", STORY.format(n=31, link=link))
    other = fetched("https://n9.example/a", STORY.format(n=39, link=""))
    second = fetched("https://n1.example/a?page=2", STORY.format(n=32, link=back))
    run(store, [other, first, second], now)
    run(store, [first], now)
    with store.reading() as tx:
        assert pages.get(tx, other).disposition is Disposition.ARTICLE
        assert pages.get(tx, second).disposition is Disposition.DUPLICATE
        assert pages.get(tx, second).article_id == pages.get(tx, first).article_id


def test_a_page_becomes_a_part_although_its_try_began_before_anybody_knew(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    link = "<link rel=next href='https://n1.example/a?page=2'>"
    first = fetched("https://n1.example/a", STORY.format(n=31, link=link))
    second = fetched("https://n1.example/a?page=2", STORY.format(n=32, link=""))
    run(store, [first, second], now)
    with store.reading() as tx:
        assert (pages.get(tx, second).part_of, pages.get(tx, second).reason) == (first, "part_of_article")


def test_a_page_that_cannot_be_loaded_takes_no_other_along(store: Store, batch: list[int], now: datetime) -> None:
    with store.writing() as tx:
        tx.execute(update(snapshot).where(snapshot.c.page_id == batch[1]).values(body=b"no zlib"))
    outcomes = run(store, batch[:3], now)
    assert [one.kind for one in outcomes] == [OutcomeKind.NEW, OutcomeKind.POSTPONED, OutcomeKind.NEW]
    assert "decompress" in (outcomes[1].reason or "")


def test_large_and_packed_bodies_are_loaded_in_their_turn(
    store: Store, batch: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_MOST_BYTES", 600)
    with store.reading() as tx:
        loaded = loading.load(tx, pages.some(tx, batch[:4]))
    assert [loaded[one].body is None for one in batch[:4]] == [False, True, True, True]
    assert snapshots.pack(store, now, most_bytes=1_000, after=timedelta(0)) == len(batch)
    assert {one.kind for one in run(store, batch[:4], now)} == {OutcomeKind.NEW}


def test_tries_that_were_never_made_do_not_count(
    store: Store, batch: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(material: Any) -> Any:
        if "n3.example" in material.url:
            raise StoreBusy("gone for a moment")
        return pipeline.look(material)

    monkeypatch.setattr(process, "look", look)
    with pytest.raises(StoreBusy):
        run(store, batch, now)
    assert begun(store, batch) == [1, 1, 0, 0, 0]


def test_the_tries_of_a_batch_are_counted_before_the_first_is_made(
    store: Store, batch: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(material: Any) -> Any:
        seen.append(begun(store, batch[:3]))
        return pipeline.look(material)

    monkeypatch.setattr(process, "look", look)
    run(store, batch[:3], now)
    assert seen == [[1, 1, 1]] * 3
