"""The contract of quarantine: kept with the error, given another chance, or given up, always counted."""

from collections.abc import Callable
from datetime import datetime

import pytest

from storage import audit, pages, quarantine
from storage.errors import NotFound
from storage.records import Disposition, Lead, Page, PageState, Source
from storage.store import Store


@pytest.fixture
def poisoned(
    store: Store,
    add_source: Callable[..., Source],
    lead: Callable[..., Lead],
    fetch: Callable[..., Page],
    now: datetime,
) -> int:
    """The id of a page in quarantine."""
    with store.writing() as tx:
        source = add_source(tx)
        page_id = pages.discover(tx, source.id, [lead("1")], now).new[0]
        fetch(tx, page_id)
        quarantine.put(tx, page_id, stage="process", error="ValueError: no\x00", attempts=4, now=now)
    return page_id


def test_it_is_kept_with_its_error(store: Store, poisoned: int) -> None:
    with store.reading() as tx:
        [kept] = quarantine.listed(tx)
        assert (kept.page_id, kept.error, kept.attempts) == (poisoned, "ValueError: no", 4)
        assert audit.balance(tx).quarantined == 1


def test_a_retry_processes_the_bytes_that_are_there(store: Store, poisoned: int, now: datetime) -> None:
    with store.writing() as tx:
        quarantine.retry(tx, poisoned, now)
        page = pages.get(tx, poisoned)
        assert (page.state, page.attempts, page.disposition) == (PageState.FETCHED, 0, None)
        assert quarantine.listed(tx) == []
        assert pages.unannounced(tx, now, 10) == [poisoned]


def test_a_dropped_page_counts_as_rejected(store: Store, poisoned: int, now: datetime) -> None:
    with store.writing() as tx:
        quarantine.drop(tx, poisoned, now)
        assert pages.get(tx, poisoned).disposition is Disposition.REJECTED
        with pytest.raises(NotFound, match="is not in quarantine"):
            quarantine.get(tx, poisoned)
