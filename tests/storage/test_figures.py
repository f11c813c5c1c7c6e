"""What operators are shown: counted once, by the hour, and told when the work stands still."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from storage import figures, pages
from storage.figures import Hour, Progress
from storage.records import Disposition, Lead, Page, Source
from storage.store import Store

PATIENCE = timedelta(minutes=5)


@pytest.fixture
def busy(
    store: Store,
    now: datetime,
    publish: Callable[..., int],
    add_source: Callable[..., Source],
    lead: Callable[..., Lead],
    fetch: Callable[..., Page],
) -> Store:
    """Two articles at eleven, one at noon, a rejected page at noon, one page that waits for each stage."""
    with store.writing() as tx:
        source = add_source(tx)
        for path, hours in (("a", 1), ("b", 1), ("c", 0)):
            publish(tx, source, path, at=now - timedelta(hours=hours))
        found = pages.discover(tx, source.id, [lead("d"), lead("e"), lead("f")], now).new
        pages.finish(tx, found[0], Disposition.REJECTED, "too_short", now)
        fetch(tx, found[1], at=now)
    return store


def test_hours_are_counted_once_and_the_present_one_as_it_is(busy: Store, now: datetime) -> None:
    expected = [
        Hour(hour=now - timedelta(hours=1), what="page", outcome="article", count=2),
        Hour(hour=now, what="page", outcome="article", count=1),
        Hour(hour=now, what="page", outcome="rejected", count=1),
    ]
    with busy.reading() as tx:
        assert figures.roll_due(tx, now)
        assert sorted(figures.by_hour(tx, now), key=lambda one: (one.hour, one.outcome)) == expected
    assert busy.write(lambda tx: figures.roll(tx, now)) == 48
    assert busy.write(lambda tx: figures.roll(tx, now)) == 0
    with busy.reading() as tx:
        assert not figures.roll_due(tx, now + timedelta(minutes=59))
        assert figures.roll_due(tx, now + timedelta(hours=2))
        assert sorted(figures.by_hour(tx, now), key=lambda one: (one.hour, one.outcome)) == expected


def test_what_waits(busy: Store, now: datetime) -> None:
    with busy.reading() as tx:
        assert figures.waiting(tx) == {"to_fetch": 1, "to_process": 1, "quarantined": 0}
        seen = figures.progress(tx)
    assert (seen.page_waits_since, seen.page_done_at) == (now, now + timedelta(seconds=2))


@pytest.mark.parametrize(
    ("waits_min", "done_min", "stalls"),
    [(None, 90, 0), (1, 90, 0), (10, 1, 0), (10, 10, 1), (10, None, 1)],
)
def test_work_that_stands_still_is_told(
    waits_min: int | None, done_min: int | None, stalls: int, now: datetime
) -> None:
    def ago(minutes: int | None) -> datetime | None:
        return None if minutes is None else now - timedelta(minutes=minutes)

    pages_only = Progress(
        page_done_at=ago(done_min), page_waits_since=ago(waits_min), poll_done_at=None, source_due_since=None
    )
    assert len(pages_only.stalls(now, PATIENCE)) == stalls
    polls_only = Progress(
        page_done_at=None, page_waits_since=None, poll_done_at=ago(done_min), source_due_since=ago(waits_min)
    )
    assert len(polls_only.stalls(now, PATIENCE)) == stalls
