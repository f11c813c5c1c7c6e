"""A page is not to blame for a full disk: it waits as it was, and is filed when there is room."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import text

from storage import pages
from storage.errors import StoreFull
from storage.records import PageState
from storage.settings import Settings
from storage.store import Store
from tasks import process
from tasks.outcome import OutcomeKind

Fetched = Callable[..., int]
URL = "https://harbour.example/ferry"
WORDS = " ".join(f"The ferry number {n} left the harbour on time this morning." for n in range(2_000))
PAGE = f"<html><title>A ferry came in</title><article><h1>A ferry came in</h1><p>{WORDS}</p></article></html>"


def _process(store: Store, page_id: int, now: datetime, settings: Settings) -> OutcomeKind:
    return process.process_page(store, page_id, now=now, recipes={}, settings=settings).kind


def _may_grow_to(store: Store, pages_more: int) -> None:
    with store.engine.connect() as connection:  # the pool's only one
        count = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {count + pages_more}"))


def test_a_page_that_finds_no_room_in_the_database_waits_untried(
    store: Store, fetched: Fetched, now: datetime, settings: Settings
) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such limit; its error is told in tests/storage/test_full_disk.py")
    page_id = fetched(URL, PAGE)
    _may_grow_to(store, 3)
    for _ in range(settings.max_attempts + 2):
        with pytest.raises(StoreFull, match="make room"):
            _process(store, page_id, now, settings)
    with store.reading() as tx:
        waiting = pages.get(tx, page_id)
    assert (waiting.state, waiting.attempts) == (PageState.FETCHED, 0)
    _may_grow_to(store, 100_000)
    assert _process(store, page_id, now, settings) == OutcomeKind.NEW


def test_nor_is_it_to_blame_where_a_reader_needs_a_temporary_file(
    store: Store, fetched: Fetched, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_id = fetched(URL, PAGE)

    def unpack(*_: object) -> None:
        raise OSError(28, "No space left on device", "/model")

    with monkeypatch.context() as patched:
        patched.setattr(process, "look", unpack)
        with pytest.raises(StoreFull, match=r"/model: No space left .* make room"):
            _process(store, page_id, now, settings)
    with store.reading() as tx:
        assert pages.get(tx, page_id).attempts == 0
    assert _process(store, page_id, now, settings) == OutcomeKind.NEW
