"""Packed postings find what rows would find, however often a page was split, and lose nothing on the way there."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from storage import posting_pages, schema, similar
from storage.database import Tx, open_engine, transaction
from storage.pairs import FIRST, unpacked
from storage.records import Fingerprint, Source
from storage.settings import load_settings
from storage.store import Store, open_store
from storage.tables import posting_page

Held = dict[int, set[int]]
FAR = 1 << 39
"""An id that takes all five bytes."""


@pytest.fixture
def packed(postgres_database: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store on PostgreSQL."""
    values = {"data": tmp_path, "database": postgres_database}
    store = open_store(load_settings(values, environ={}, file=tmp_path / "none.toml"))
    yield store
    store.close()


def filled(tx: Tx, articles: int, seed: int = 1) -> Held:
    """Posts articles under random keys, some of them very common; returns what must be found."""
    chance, held = random.Random(seed), defaultdict[int, set[int]](set)
    for article_id in range(FAR, FAR + articles):
        keys = {chance.randrange(-(1 << 31), 1 << 31) for _ in range(10)} | {chance.randrange(-3, 3), -(1 << 31)}
        for _ in range(chance.randrange(1, 3)):  # a second time, as for a new version: it must not count
            posting_pages.add(tx, [(key, article_id) for key in sorted(keys)])
        for key in keys:
            held[key].add(article_id)
    return held


def found(tx: Tx, keys: list[int]) -> Held:
    pairs, _ = posting_pages.find(tx, keys, [7], 64)
    assert len(set(pairs)) == len(pairs)
    held = defaultdict[int, set[int]](set)
    for key, one in pairs:
        held[key].add(one)
    return held


def test_each_key_finds_its_articles_and_no_other(packed: Store) -> None:
    with packed.writing() as tx:
        assert found(tx, [1, 2]) == {}
        held = filled(tx, 150)
        keys = sorted(held)
        assert {
            key: ids for at in range(0, len(keys), 24) for key, ids in found(tx, keys[at : at + 24]).items()
        } == held
        assert found(tx, [key + 1 for key in keys[10:40]]) == {}


def test_pages_stay_short_and_no_hash_is_in_two(packed: Store) -> None:
    with packed.writing() as tx:
        filled(tx, 150)
        pages = tx.execute(select(posting_page).order_by(posting_page.c.low)).all()
    hashes = [set(unpacked(page.data)[:, 0].tolist()) for page in pages]
    assert len(pages) > 20
    assert pages[0].low == FIRST
    ends = [*(page.low for page in pages[1:]), 1 << 31]
    for page, end, inside in zip(pages, ends, hashes, strict=True):
        assert page.low <= min(inside)
        assert max(inside) < end
        assert len(inside) == 1 or len(page.data) // 9 <= posting_pages.MOST


def test_what_is_forgotten_leaves_no_hole(packed: Store, now: datetime) -> None:
    with packed.writing() as tx:
        filled(tx, 60)
        after: int | None = FIRST
        while after is not None:  # none of the articles is in the store, so none is recent
            after = posting_pages.forget(tx, now, after=after, limit=100, dry=False).after
        assert [(page.low, page.data) for page in tx.execute(select(posting_page))] == [(FIRST, b"")]
        held = filled(tx, 60, seed=2)
        assert found(tx, sorted(held)[:40]) == {key: held[key] for key in sorted(held)[:40]}


def arrivals() -> list[tuple[int, ...]]:
    """The keys of articles that share many."""
    chance = random.Random(3)
    common = [{chance.randrange(40) for _ in range(6)} for _ in range(60)]
    return [tuple(sorted(keys | {chance.randrange(1 << 20)})) for keys in common]


def test_both_databases_find_the_same_in_the_same_order(
    store: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime
) -> None:
    prints = []
    with store.writing() as tx:
        source = add_source(tx)
        for number, keys in enumerate(arrivals()):
            print_ = Fingerprint(algorithm=1, exact=number, marks=b"", keys=keys)
            near, left = similar.neighbours(tx, print_)
            prints.append(([one.article_id for one in near], left))
            publish(tx, source, f"{number}", text=f"{number}", at=now + timedelta(minutes=number), keys=left)
    assert prints == by_hand()


def by_hand() -> list[tuple[list[int], tuple[int, ...]]]:
    """What the rule of `similar.neighbours` gives for the same articles."""
    prints, held = [], defaultdict[int, list[int]](list)
    for number, keys in enumerate(arrivals()):
        shared: dict[int, int] = defaultdict(int)
        for key in keys:
            for one in held[key]:
                shared[one] += 1
        ranked = sorted((-count, one) for one, count in shared.items() if count >= similar.LEAST_SHARED)
        prints.append((sorted(one for _, one in ranked[: similar.CANDIDATES]), keys))
        for key in keys:
            held[key].append(number + 1)
    return prints


def test_the_migration_packs_what_is_there(postgres_database: str) -> None:
    engine = open_engine(postgres_database)
    schema.migrate(engine, to="0007")
    chance = random.Random(4)
    rows = {(chance.randrange(-400, 400) ** 3, one) for one in range(1, 80) for _ in range(12)}
    rows |= {(5, one) for one in range(1, 80)}
    with transaction(engine, writes=True) as tx:
        for key, one in rows:
            tx.execute(text("INSERT INTO posting VALUES (:key, :one)"), {"key": key, "one": one})
    schema.migrate(engine)
    with transaction(engine, writes=True) as tx:
        held: Held = defaultdict(set)
        for key, one in rows:
            held[key].add(one)
        assert found(tx, sorted(held)) == held
        assert tx.execute(text("SELECT count(*) FROM posting")).scalar_one() == 0
        posting_pages.add(tx, [(FIRST, 99), (5, 99)])
        assert found(tx, [FIRST]) == {FIRST: {99}}
    engine.dispose()
