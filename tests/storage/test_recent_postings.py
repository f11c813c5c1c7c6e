"""What came lately is found like all else, by every process, however far the hand has gone around."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from storage import recent_postings, similar
from storage.database import Tx, open_engine
from storage.records import Fingerprint, Source
from storage.store import Store
from storage.tables import posting, posting_page, posting_recent

Held = dict[int, set[int]]
KEPT = 256


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_postings, "_STEP", (1 << 32) // KEPT)
    monkeypatch.setattr(recent_postings, "_FEW", 40)


@pytest.fixture
def twin(store: Store) -> Iterator[Store]:
    """The same store as another process has it."""
    engine = open_engine(store.engine.url.render_as_string(hide_password=False))
    yield Store(engine, store.archive)
    engine.dispose()


def print_(keys: tuple[int, ...]) -> Fingerprint:
    return Fingerprint(algorithm=1, exact=7, marks=b"", keys=keys)


def found(tx: Tx, keys: list[int]) -> Held:
    lists = similar.look_up(tx, [print_(tuple(keys))]).lists
    assert all(len(ids) == len(set(ids)) for ids in lists.values())
    return {key: set(ids) for key, ids in lists.items()}


def keys_of(chance: random.Random) -> tuple[int, ...]:
    return tuple(sorted({chance.randrange(-(1 << 31), 1 << 31) for _ in range(9)} | {chance.choice((-5, -(1 << 31)))}))


@pytest.fixture
def article_id(store: Store, add_source: Callable[..., Source], publish: Callable[..., int]) -> int:
    with store.writing() as tx:
        return publish(tx, add_source(tx), "one")


def test_nothing_is_lost_while_two_processes_write(
    store: Store, twin: Store, article_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MOST_POSTINGS", 1 << 20)
    chance, held = random.Random(5), defaultdict[int, set[int]](set)
    for number in range(150):
        keys, one = keys_of(chance), article_id + number
        with chance.choice((store, twin)).writing() as tx:
            similar._post(tx, recent_postings.add(tx, [(key, one) for key in keys]))
            for key in keys:
                held[key].add(one)
        asked = chance.sample(sorted(held), min(40, len(held)))
        for each in (store, twin):
            with each.reading() as tx:
                assert found(tx, asked) == {key: held[key] for key in asked}
    with store.reading() as tx:
        assert tx.execute(select(func.count()).select_from(posting_recent)).scalar_one() <= KEPT // 10 + 1
        rows = tx.execute(select(func.count()).select_from(posting)).scalar_one()
        pages = tx.execute(select(func.count()).select_from(posting_page)).scalar_one()
        assert rows > 1_000 or pages > 20


def test_what_is_taken_back_is_not_remembered(store: Store, twin: Store) -> None:
    with suppress(KeyboardInterrupt), store.writing() as tx:
        recent_postings.add(tx, [(1, 8)])
        assert found(tx, [1, 2]) == {1: {8}, 2: set()}
        raise KeyboardInterrupt
    with twin.writing() as tx:  # whose row is named as that one was
        recent_postings.add(tx, [(2, 9)])
    for each in (store, twin):
        with each.reading() as tx:
            assert found(tx, [1, 2]) == {1: set(), 2: {9}}


def test_a_full_key_of_what_is_forgotten_leads_somewhere_again(
    store: Store, twin: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        for number in range(similar.MOST_POSTINGS):
            publish(tx, source, f"{number}", text=f"{number}", keys=(1, 2))
    for each in (store, twin):
        with each.reading() as tx:
            assert similar.look_up(tx, [print_((1, 2, 3))]).full == {1, 2}
            assert similar.neighbours(tx, print_((1, 2, 3))) == ([], (3,))
    with store.writing() as tx:
        assert similar.forget(tx, now + timedelta(days=1)).gone == 2 * similar.MOST_POSTINGS
    for each in (store, twin):
        with each.reading() as tx:
            assert similar.neighbours(tx, print_((1, 2, 3))) == ([], (1, 2, 3))


def test_what_is_full_by_what_is_taken_back_is_not_full(store: Store) -> None:
    with suppress(KeyboardInterrupt), store.writing() as tx:
        recent_postings.add(tx, [(1, one) for one in range(similar.MOST_POSTINGS)])
        assert similar.look_up(tx, [print_((1,))]).full == {1}
        raise KeyboardInterrupt
    with store.reading() as tx:
        assert similar.look_up(tx, [print_((1,))]).full == set()


def test_a_hand_that_goes_around_at_once_leaves_nothing_behind(store: Store) -> None:
    with store.writing() as tx:
        recent_postings.add(tx, [(key, 5) for key in range(-20, 20)])
        due = recent_postings.add(tx, [(key, 6) for key in range(KEPT + 1)])
    assert due == [(key, 5) for key in range(-20, 20)]
    with store.reading() as tx:
        assert recent_postings.kept(tx)[:, 1].tolist() == [6] * (KEPT + 1)
