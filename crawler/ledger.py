"""What a crawl writes: in batches, off the reactor's thread, seen through even when a task is cancelled."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, TypeVar

from storage.database import Tx
from storage.store import Store

R = TypeVar("R")
Tell = Callable[[dict[str, Any]], None]
"""Takes one event, a JSON object."""

_BATCH = 25
_PATIENCE_S = 0.5


class Ledger:
    """The one writer of a crawl process. To be used on the event loop's thread only.

    Everything goes through one thread, so what is added first is committed first. An error of the store makes every
    later call raise it: a crawl that cannot write has to end.
    """

    def __init__(self, store: Store, tell: Tell) -> None:
        self._store = store
        self._tell = tell
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.tally: Counter[str] = Counter()
        """What was committed, by the word that the work returned."""
        self._waiting: list[tuple[Callable[[Tx], str], int | None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def add(self, work: Callable[[Tx], str], *, fetched: int | None = None) -> None:
        """Let `work` be part of the next batch; `fetched` is a page to be announced when it is committed.

        Work whose class has a `together(tx, works)` is done with its like in one go.

        Raises StoreError when an earlier batch could not be written.
        """
        if self._broken:
            raise self._broken
        self._waiting.append((work, fetched))
        if len(self._waiting) >= _BATCH:
            await self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._start_writing)

    async def flush(self) -> None:
        """Commit all that was added so far. Raises StoreError."""
        self._start_writing()
        if self._writing:
            await asyncio.shield(asyncio.gather(*self._writing))
        if self._broken:
            raise self._broken

    async def do(self, work: Callable[[Tx], R]) -> R:
        """Run `work` in a writing transaction of its own. Raises StoreError."""
        return await self._in_thread(lambda: self._store.write(work))

    async def look(self, work: Callable[[Tx], R]) -> R:
        """Run `work` in a reading transaction. Raises StoreError."""

        def read() -> R:
            with self._store.reading() as tx:
                return work(tx)

        return await self._in_thread(read)

    def tell(self, event: dict[str, Any]) -> None:
        """Tell the parent process something."""
        self._tell(event)

    def close(self) -> None:
        """Write what is left, wherever the event loop ended, and let the thread go. Raises StoreError."""
        self._thread.shutdown(wait=True)
        batch, self._waiting = self._waiting, []
        if batch and not self._broken:
            self.tally.update(self._store.write(lambda tx: _done(tx, [work for work, _ in batch])))

    async def _in_thread(self, call: Callable[[], R]) -> R:
        # shielded: a commit that has begun must be seen through, and told, when the crawl is stopped
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, call))

    def _start_writing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            batch, self._waiting = self._waiting, []
            task = asyncio.ensure_future(self._write(batch))
            self._writing.add(task)
            task.add_done_callback(self._written)

    async def _write(self, batch: list[tuple[Callable[[Tx], str], int | None]]) -> None:
        self.tally.update(await self.do(lambda tx: _done(tx, [work for work, _ in batch])))
        if pages := [page for _, page in batch if page is not None]:
            self._tell({"fetched": pages})

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if not task.cancelled() and task.exception():
            self._broken = self._broken or task.exception()


def _done(tx: Tx, works: list[Callable[[Tx], str]]) -> list[str]:
    """Do all work in its order; returns the words to count it by.

    Works of one kind that follow each other are done by its `together`, where it has one: that takes fewer statements.
    """
    words: list[str] = []
    for together, group in groupby(works, lambda work: getattr(type(work), "together", None)):
        some = list(group)
        words += together(tx, some) if together else [work(tx) for work in some]
    return words
