"""The contract of the change feed: no reader misses a row below its cursor, whoever writes at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

import pytest

from storage import changes
from storage.records import Source
from storage.store import Store

WRITERS, EACH = 6, 20


def test_readers_miss_nothing_under_many_writers(
    store: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
    finished = Event()

    def write(writer: int) -> None:
        for number in range(EACH):
            store.write(lambda tx, number=number: publish(tx, source, f"{writer}-{number}", at=now))  # type: ignore[misc]

    def read() -> list[int]:
        seen: list[int] = []
        while True:
            last_round = finished.is_set()
            with store.reading() as tx:
                seen += [row.seq for row in changes.read(tx, seen[-1] if seen else 0, limit=7)]
            if last_round and len(seen) >= WRITERS * EACH:
                return seen
            if last_round and not _more(store, seen):
                return seen

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for done in [pool.submit(write, writer) for writer in range(WRITERS)]:
            done.result()
        finished.set()
        seen = [reader.result() for reader in readers]
    assert [len(rows) for rows in seen] == [WRITERS * EACH] * 2
    assert all(rows == sorted(set(rows)) for rows in seen)


def _more(store: Store, seen: list[int]) -> bool:
    with store.reading() as tx:
        return changes.last(tx) > (seen[-1] if seen else 0)


def test_a_rolled_back_writer_leaves_no_row(
    store: Store, add_source: Callable[..., Source], publish: Callable[..., int]
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012 - the block is what is tested
        publish(tx, source, "1")
        _ = 1 / 0
    with store.writing() as tx:
        assert changes.read(tx, 0) == []
        publish(tx, source, "2")
        assert len(changes.read(tx, 0)) == 1
