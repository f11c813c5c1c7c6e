"""The store: a database and an archive opened together, and the two kinds of transaction on them."""

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from sqlalchemy import Engine

from storage.archive import Archive
from storage.database import Tx, open_engine, transaction
from storage.errors import StoreBusy, StoreFull
from storage.schema import prepare
from storage.settings import Settings

R = TypeVar("R")


class Store:
    """The canonical store. Safe to share between threads; not across a fork: open one in each process."""

    def __init__(self, engine: Engine, archive: Archive) -> None:
        self.engine = engine
        self.archive = archive

    def reading(self) -> AbstractContextManager[Tx]:
        """A transaction that sees one state of the store. Raises StoreError."""
        return transaction(self.engine, writes=False)

    def writing(self) -> AbstractContextManager[Tx]:
        """A transaction that commits when the block ends and leaves nothing behind when it fails. Raises StoreError."""
        return transaction(self.engine, writes=True)

    def write(self, work: Callable[[Tx], R], *, tries: int = 6) -> R:
        """Run `work` in a writing transaction, again while the store is busy. `work` must have no other effects.

        Raises StoreBusy after that many tries, StoreFull at once: room does not come by itself.
        """
        for attempt in range(1, tries):
            try:
                with self.writing() as tx:
                    return work(tx)
            except StoreFull:
                raise
            except StoreBusy:
                _pause(attempt)
        with self.writing() as tx:
            return work(tx)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(settings: Settings, *, create: bool = True, cache_mb: int = 64) -> Store:
    """Open the store that the settings name, making an empty one where there is none.

    `cache_mb`: as for `open_engine`. Raises SchemaError when the database's schema is older or newer than this code.
    """
    engine = open_engine(settings.database_url, cache_mb=cache_mb)
    try:
        prepare(engine, create=create)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, Archive(settings.archive_root))


def _pause(attempt: int) -> None:
    threading.Event().wait(min(2.0, 0.05 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, keeps no secret
