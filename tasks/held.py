"""The pages that a worker has in hand: as long as it lives, it says so in the store, and nobody takes them for lost."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from storage import pages
from storage.errors import StoreError
from storage.logs import telling
from storage.store import Store

EVERY_S = 10.0
"""How often it says so: a few times in the time after which a message counts as lost."""
_log = logging.getLogger(__name__)


@contextmanager
def held(store: Store, page_ids: Sequence[int], *, every_s: float = EVERY_S) -> Iterator[None]:
    """Keep the pages from being announced again while the block runs. Raises StoreBusy.

    A thread of its own does it, as one page may take minutes. It ends with the process, however that ends.
    """
    _say(store, page_ids)
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(store, page_ids, over, every_s), name="held", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(store: Store, page_ids: Sequence[int], over: threading.Event, every_s: float) -> None:
    while not over.wait(every_s):
        try:
            _say(store, page_ids)
        except StoreError as error:  # at worst they are announced once more, which does nothing
            _log.warning("not told that %s pages are in hand: %s", len(page_ids), error, extra=telling("not_told"))


def _say(store: Store, page_ids: Sequence[int]) -> None:
    store.write(lambda tx: pages.still_told(tx, page_ids, datetime.now(UTC)))
