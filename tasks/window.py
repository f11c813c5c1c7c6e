"""The next few pages of a batch: their tries are counted together, and what the store has of them is loaded at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from storage import pages, processing
from storage.errors import StoreError
from storage.records import Page
from storage.store import Store
from tasks.loading import Loaded, load


@contextmanager
def begun(store: Store, page_ids: Sequence[int]) -> Iterator["Window"]:
    """Pages whose tries are counted. Where the block ends early, those not taken by then were not tried.

    Raises StoreBusy.
    """
    window = Window(store, store.write(lambda tx: processing.begin_all(tx, page_ids)))
    try:
        yield window
    finally:
        if window.left:
            unbegin(store, window.left)


class Window:
    """Pages whose tries have begun, to be taken one by one."""

    def __init__(self, store: Store, some: dict[int, Page]) -> None:
        self._store, self._pages = store, some
        self._loaded: dict[int, Loaded] = {}
        # one that cannot be loaded must not take the others along: it will be loaded by itself, and tell why
        with suppress(Exception), store.reading() as tx:
            self._loaded = load(tx, self.left)

    @property
    def left(self) -> list[Page]:
        """The pages that nobody took."""
        return list(self._pages.values())

    def take(self, page_id: int) -> tuple[Page | None, Loaded | None]:
        """A page in its turn, None unless it waits to be processed, and what was loaded of it."""
        return self._pages.pop(page_id, None), self._loaded.pop(page_id, None)

    def look_again(self) -> None:
        """A page that was filed by itself may have made others the parts of its article: see how those are now."""
        if self._pages:
            with self._store.reading() as tx:
                self._pages = {one.id: one for one in pages.some(tx, self._pages)}


def unbegin(store: Store, some: Sequence[Page]) -> None:
    """Take back tries that failed by no fault of the pages, as far as the store lets us."""
    with suppress(StoreError):
        store.write(lambda tx: processing.unbegin(tx, [page.id for page in some]))
