"""The contract of sources: added once, due when they say, paused, removed, triggered, polled."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from storage import sites, sources
from storage.errors import NotFound, SourceError
from storage.records import Poll, Source
from storage.store import Store

AddSource = Callable[..., Source]


def test_a_new_source_is_due_at_once(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        added = add_source(tx)
        assert sources.due(tx, "harbour.example", now) == [added]
        assert sites.next_due(tx) == now


def test_a_name_is_given_once(store: Store, add_source: AddSource) -> None:
    with store.writing() as tx:
        add_source(tx)
        with pytest.raises(SourceError, match="'harbour' exists already"):
            add_source(tx)


def test_a_removed_source_is_gone_and_may_come_back(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        first = add_source(tx)
        sources.remove(tx, "harbour", now)
        with pytest.raises(NotFound, match="no source is called 'harbour'"):
            sources.get(tx, "harbour")
        assert sources.due(tx, "harbour.example", now) == []
        assert sources.by_id(tx, first.id).config.name == "harbour"
        assert add_source(tx).id == first.id


def test_a_paused_source_is_not_due(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        add_source(tx)
        sources.set_paused(tx, "harbour", paused=True, now=now)
        assert sources.due(tx, "harbour.example", now) == []
        assert sites.next_due(tx) is None
        sources.set_paused(tx, "harbour", paused=False, now=now)
        assert len(sources.due(tx, "harbour.example", now)) == 1


def test_a_poll_is_kept_with_what_it_taught(store: Store, add_source: AddSource, now: datetime) -> None:
    later = now + timedelta(minutes=10)
    with store.writing() as tx:
        added = add_source(tx)
        visit = Poll(source_id=added.id, started_at=now, finished_at=now, outcome="ok", status=200, entries=20, new=3)
        sources.polled(tx, visit, next_at=later, interval_s=600, failures=0.0, etag='"a"', body_digest="sha256:1")
        kept = sources.get(tx, "harbour")
        assert (kept.next_at, kept.interval_s, kept.etag, kept.last_success_at) == (later, 600, '"a"', now)
        assert sources.history(tx, added.id) == [visit]
        assert sources.due(tx, "harbour.example", now) == []


def test_a_trigger_during_a_poll_is_not_lost(store: Store, add_source: AddSource, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    with store.writing() as tx:
        added = add_source(tx)
        sources.trigger(tx, ["harbour"], now + timedelta(seconds=1))
        visit = Poll(source_id=added.id, started_at=now, finished_at=later, outcome="ok", status=200)
        sources.polled(tx, visit, next_at=now + timedelta(hours=1), interval_s=3600, failures=0.0)
        assert [one.id for one in sources.due(tx, "harbour.example", later)] == [added.id]


def test_a_failed_poll_is_no_success(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        added = add_source(tx)
        visit = Poll(source_id=added.id, started_at=now, finished_at=now, outcome="timeout", status=None)
        sources.polled(tx, visit, next_at=now, interval_s=600, failures=0.5)
        kept = sources.get(tx, "harbour")
        assert (kept.last_poll_at, kept.last_success_at, kept.failures) == (now, None, 0.5)


def test_a_trigger_goes_before_all_others(store: Store, add_source: AddSource, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with store.writing() as tx:
        add_source(tx, "overdue", "old.example")
        add_source(tx, "wanted", "new.example")
        sources.trigger(tx, ["wanted"], later)
        claimed = sites.claim(tx, "me", later, lease=timedelta(minutes=1), limit=1)
        assert [site.key for site in claimed] == ["new.example"]


def test_sources_are_listed_page_by_page(store: Store, add_source: AddSource) -> None:
    with store.writing() as tx:
        for name in ("b", "a", "c"):
            add_source(tx, name)
        sources.manual(tx, datetime.fromisoformat("2026-03-10T12:00:00+00:00"))
        first = sources.listed(tx, limit=2)
        assert [one.config.name for one in first] == ["a", "b"]
        assert [one.config.name for one in sources.listed(tx, after="b")] == ["c"]


def test_the_manual_source_is_one_and_never_due(store: Store, now: datetime) -> None:
    with store.writing() as tx:
        assert sources.manual(tx, now).id == sources.manual(tx, now).id
        assert sites.next_due(tx) is None
