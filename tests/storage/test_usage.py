"""The room that the store takes, on every backend."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from storage import snapshots
from storage.records import Source
from storage.store import Store
from storage.usage import usage


def test_the_index_grows_with_what_can_be_found(
    store: Store, add_source: Callable[..., Source], publish: Callable[..., int]
) -> None:
    with store.reading() as tx:
        before = usage(tx)
    with store.writing() as tx:
        source = add_source(tx)
        for number in range(60):
            publish(tx, source, f"{number}", text=f"{number}", keys=tuple(range(number * 20, number * 20 + 14)))
    with store.reading() as tx:
        after = usage(tx)
    assert (after.archive_files, after.archive_bytes) == (0, 0)
    assert (after.index_bytes or 0) > (before.index_bytes or 0) > 0
    assert after.database_bytes > (after.index_bytes or 0)


def test_the_archive_is_as_large_as_its_files(
    store: Store, add_source: Callable[..., Source], publish: Callable[..., int], now: datetime, tmp_path: Path
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
    for number in range(3):
        with store.writing() as tx:
            publish(tx, source, f"{number}-1")
            publish(tx, source, f"{number}-2")
        snapshots.pack(store, now + timedelta(hours=number + 1), most_bytes=1_000_000, after=timedelta())
    files = [file for file in tmp_path.rglob("*.warc.gz") if file.is_file()]
    with store.reading() as tx:
        found = usage(tx)
    assert found.archive_files == len(files) == 3
    behind = sum(file.stat().st_size for file in files) - found.archive_bytes
    assert 0 <= behind < 3 * 600, "what follows the last body is a record of some hundred bytes"
