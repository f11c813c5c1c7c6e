"""Sightings are forgotten by when they were last seen, and what was learned of a source is kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from storage import expiry, memory, pages, sources
from storage.database import Tx
from storage.records import Candidate, Disposition, Lead, Source, SourceConfig, Via
from storage.retention import rules_of
from storage.settings import load_settings
from storage.store import Store

AddSource = Callable[..., Source]


def lead(number: int) -> Lead:
    url = f"https://harbour.example/{number}"
    return Lead(key=url, site="harbour.example", candidate=Candidate(url=url, via=Via.FEED))


def show(tx: Tx, source: Source, numbers: list[int], at: datetime, *, done: bool = True) -> list[int]:
    found = pages.discover(tx, source.id, [lead(number) for number in numbers], at)
    for page_id in found.new if done else ():
        pages.finish(tx, page_id, Disposition.REJECTED, "http_404", at)
    return list(found.new)


def prune(store: Store, now: datetime, *, days: int, limit: int = 5000) -> int:
    with store.reading() as tx:
        settings = load_settings({"keep_sightings_days": days}, environ={}, file=Path("none.toml"))
        rules = rules_of(tx, settings)
    forgotten, after = 0, 0
    while True:
        start = after
        step = store.write(lambda tx, start=start: expiry.sightings(tx, rules, now, after=start, limit=limit))  # type: ignore[misc]
        forgotten += step.gone
        if step.after is None:
            return forgotten
        after = step.after


def test_what_is_still_shown_is_kept_however_long_ago_it_came(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        show(tx, source, list(range(25)), now - timedelta(days=400))
        show(tx, source, [3, 4], now - timedelta(days=1))
    assert prune(store, now, days=90, limit=10) == 23
    assert prune(store, now, days=90, limit=10) == 0
    with store.reading() as tx:
        assert pages.shown_by(tx, source.id, [lead(number).key for number in range(25)]) == 2


def test_what_was_forgotten_is_no_new_page(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        show(tx, source, [1], now - timedelta(days=400))
    assert prune(store, now, days=90) == 1
    with store.writing() as tx:
        again = pages.discover(tx, source.id, [lead(1)], now)
    assert (again.new, again.known) == ((), 1)


def test_a_page_that_waits_keeps_its_evidence(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        show(tx, add_source(tx), [1], now - timedelta(days=400), done=False)
    assert prune(store, now, days=90) == 0


def test_a_source_may_keep_its_sightings_shorter_or_longer(store: Store, now: datetime) -> None:
    with store.writing() as tx:
        for name, days in (("short", 2), ("long", 999)):
            config = SourceConfig(name=name, url="https://harbour.example/", retention=(("sightings", days),))
            found = sources.add(tx, config, site="harbour.example", now=now, interval_s=60)
            show(tx, found, [1, 2], now - timedelta(days=30))
    assert prune(store, now, days=90) == 2


def test_memory_is_by_topic_and_replaced(store: Store, add_source: AddSource) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        assert memory.recall(tx, source.id, "listing") == {}
        memory.remember(tx, source.id, "listing", {"kind": "feed"})
        memory.remember(tx, source.id, "sitemap", {"lies": 1})
        memory.remember(tx, source.id, "listing", {"kind": "section"})
    with store.reading() as tx:
        assert memory.recall(tx, source.id, "listing") == {"kind": "section"}
        assert memory.recall(tx, source.id, "sitemap") == {"lies": 1}
