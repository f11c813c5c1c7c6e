"""Our own outage: told by polls of several sites, blamed on nobody, over with the first sign of life."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.outage import is_ours, note_poll
from storage import events, outages, sites, sources
from storage.database import Tx
from storage.outages import Try
from storage.records import EventKind, Poll, SourceConfig
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tries(*seen: str) -> list[Try]:
    """Newest first, as `site:outcome`."""
    pairs = [one.split(":") for one in seen]
    return [Try(poll_id=n, source_id=n, site=site, outcome=code, at=NOW) for n, (site, code) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("seen", "ours"),
    [
        (("a:timeout", "b:dns", "c:connection"), True),
        (("a:timeout", "b:dns", "c:connection", "d:ok"), True),
        (("a:timeout", "d:ok", "b:dns", "c:connection"), False),
        (("a:timeout", "d:http_500", "b:dns", "c:connection"), False),
        (("a:timeout", "d:refused", "b:dns", "c:connection"), False),
        (("a:timeout", "a:timeout", "b:timeout", "b:dns"), False),
        ((), False),
    ],
)
def test_three_silent_sites_and_no_answer_in_between(seen: tuple[str, ...], ours: bool) -> None:
    assert is_ours(tries(*seen)) is ours


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(load_settings({"data": tmp_path}, {}, tmp_path / "none.toml"))
    with found.writing() as tx:
        for name in ("a", "b", "c", "d"):
            config = SourceConfig(name=name, url=f"https://{name}.example/feed")
            sources.add(tx, config, site=f"{name}.example", now=NOW - MINUTE, interval_s=300)
    yield found
    found.close()


@pytest.fixture
def poll(store: Store) -> Callable[[str, str], bool]:
    def failed(name: str, outcome: str) -> bool:
        def write(tx: Tx) -> bool:
            source = sources.get(tx, name)
            told = Poll(source_id=source.id, started_at=NOW, finished_at=NOW, outcome=outcome, status=None)
            sources.polled(tx, told, next_at=NOW + 30 * MINUTE, interval_s=300, failures=source.failures + 0.5)
            sites.block(tx, source.site, NOW + 5 * MINUTE, 1)
            return note_poll(tx, outcome, NOW)

        return store.write(write)

    return failed


def test_an_outage_is_blamed_on_no_source(store: Store, poll: Callable[[str, str], bool]) -> None:
    assert [poll("a", "timeout"), poll("b", "dns"), poll("c", "timeout")] == [False, False, True]
    with store.reading() as tx:
        found = [sources.get(tx, name) for name in ("a", "b", "c")]
        assert [source.failures for source in found] == [0, 0, 0]
        assert {source.next_at for source in found} == {NOW + MINUTE}
        assert [sources.history(tx, source.id)[0].outcome for source in found] == ["offline"] * 3
        site = sites.get(tx, "a.example")
        assert site is not None
        assert (site.failures, site.blocked_until) == (0, NOW + MINUTE)
        assert outages.ongoing(tx)


def test_it_is_over_with_the_first_answer_whatever_it_says(store: Store, poll: Callable[[str, str], bool]) -> None:
    for name in ("a", "b", "c"):
        poll(name, "timeout")
    assert poll("d", "http_503") is False
    with store.reading() as tx:
        assert not outages.ongoing(tx)
        assert events.history(tx)[0].closed_at == NOW


def test_two_dead_sites_are_their_own_fault(store: Store, poll: Callable[[str, str], bool]) -> None:
    for name in ("a", "b", "a", "b"):
        assert poll(name, "timeout") is False
    with store.reading() as tx:
        assert sources.get(tx, "a").failures == 1.0
        assert events.counts(tx) == {}


def test_an_event_is_open_once_per_source_and_kind(store: Store) -> None:
    with store.writing() as tx:
        one, other = sources.get(tx, "a").id, sources.get(tx, "b").id
        assert events.begin(tx, EventKind.GAP, "x", NOW, one)
        assert not events.begin(tx, EventKind.GAP, "y", NOW, one)
        assert events.begin(tx, EventKind.GAP, "z", NOW, other)
        assert events.begin(tx, EventKind.QUIET, "q", NOW, one)
        assert events.end(tx, EventKind.GAP, NOW + MINUTE, one, detail="caught up")
        assert not events.end(tx, EventKind.GAP, NOW + MINUTE, one)
        assert events.counts(tx) == {"gap": 1, "quiet": 1}
        assert [(event.source, event.detail) for event in events.current(tx)] == [("a", "q"), ("b", "z")]
        assert events.begin(tx, EventKind.GAP, "again", NOW, one)
