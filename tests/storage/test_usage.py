"""The room that the store takes, on every backend."""

from collections.abc import Callable

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
