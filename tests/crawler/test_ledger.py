import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crawler.ledger import Ledger
from storage import sites
from storage.database import Tx
from storage.errors import StoreError
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(load_settings({"data": tmp_path}, {}, tmp_path / "none.toml"))
    yield found
    found.close()


def make(key: str) -> Any:
    def write(tx: Tx) -> str:
        sites.ensure(tx, [key])
        return "made"

    return write


def keys(store: Store) -> set[str]:
    with store.reading() as tx:
        return {key for key in ("a", "b", "c") if sites.get(tx, key)}


def test_pages_are_announced_after_their_commit(store: Store) -> None:
    seen: list[tuple[dict[str, Any], set[str]]] = []

    async def run() -> None:
        ledger = Ledger(store, lambda event: seen.append((event, keys(store))))
        await ledger.add(make("a"), fetched=1)
        await ledger.add(make("b"), fetched=2)
        assert seen == []
        await ledger.flush()
        assert ledger.tally == {"made": 2}
        ledger.close()

    asyncio.run(run())
    assert seen == [({"fetched": [1, 2]}, {"a", "b"})]


class Joint:
    """Work that is done with its like."""

    done: ClassVar[list[list[str]]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, tx: Tx) -> str:
        raise AssertionError("it was to be done with its like")

    @classmethod
    def together(cls, tx: Tx, works: list["Joint"]) -> list[str]:
        cls.done.append([one.name for one in works])
        return [f"joint_{one.name}" for one in works]


def test_work_of_one_kind_is_done_together_and_nothing_changes_its_order(store: Store) -> None:
    Joint.done.clear()
    events: list[dict[str, Any]] = []

    async def run() -> None:
        ledger = Ledger(store, events.append)
        for number, work in enumerate((Joint("a"), Joint("b"), make("a"), Joint("c"))):
            await ledger.add(work, fetched=number)
        await ledger.flush()
        assert ledger.tally == {"joint_a": 1, "joint_b": 1, "joint_c": 1, "made": 1}
        ledger.close()

    asyncio.run(run())
    assert Joint.done == [["a", "b"], ["c"]]
    assert events == [{"fetched": [0, 1, 2, 3]}]


def test_a_batch_is_written_without_being_asked_for(store: Store) -> None:
    async def run() -> None:
        told = asyncio.Event()
        ledger = Ledger(store, lambda _: told.set())
        await ledger.add(make("a"), fetched=1)
        await asyncio.wait_for(told.wait(), 10)
        ledger.close()

    asyncio.run(run())
    assert keys(store) == {"a"}


def test_a_commit_is_seen_through_when_its_task_is_cancelled(store: Store) -> None:
    told: list[dict[str, Any]] = []

    async def run() -> None:
        ledger = Ledger(store, told.append)
        await ledger.add(make("a"), fetched=1)
        task = asyncio.ensure_future(ledger.flush())
        await asyncio.wait([task], timeout=0)  # lets it start
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ledger.flush()
        ledger.close()

    asyncio.run(run())
    assert told == [{"fetched": [1]}]
    assert keys(store) == {"a"}


def test_after_a_failed_write_nothing_more_is_taken(store: Store) -> None:
    def fail(_: Tx) -> str:
        raise StoreError("the disk is full")

    async def run() -> None:
        ledger = Ledger(store, lambda _: None)
        await ledger.add(make("a"), fetched=1)
        await ledger.add(fail)
        with pytest.raises(StoreError, match="disk is full"):
            await ledger.flush()
        with pytest.raises(StoreError, match="disk is full"):
            await ledger.add(make("b"))
        ledger.close()

    asyncio.run(run())
    assert keys(store) == set()
