"""A page that crashes its parser's process, by a real SIGSEGV in a real worker, ends alone in quarantine."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import redis

from storage import pages, processing, quarantine
from storage.records import Disposition, Page, PageState
from storage.settings import Settings
from storage.store import Store
from tasks import process
from tasks.app import CopydeskApp
from tasks.outcome import OutcomeKind
from tasks.process import process_page
from tasks.queue import CeleryQueue, announce

WORDS = "The ferry to the islands ran again on Tuesday after the storm had passed, and the office was content. "
STORY = "<!doctype html><title>Ferry {n}</title><article><h1>Ferry {n}</h1><p>{words}</p></article>"
CRASH = """
import os, signal
import lxml.html
real = lxml.html.document_fromstring
def crashing(source, *more, **named):
    if b"POISON" in source:
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(source, *more, **named)
lxml.html.document_fromstring = crashing
"""


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python processes that start from now on have a parser that crashes on some pages."""
    folder = tmp_path / "fragile"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CRASH, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def batch(fetched: Callable[..., int]) -> list[int]:
    """Three pages, of which the second is poison."""
    stories = [STORY.format(n=n, words=f"Number {n}. {WORDS * n}") for n in (3, 4, 5)]
    stories[1] = stories[1].replace("<p>", "<p>POISON ")
    return [fetched(f"https://harbour.example/{n}", story) for n, story in enumerate(stories)]


def page_of(store: Store, page_id: int) -> Page:
    with store.reading() as tx:
        return pages.get(tx, page_id)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("fragile")
def test_poison_is_found_out_by_its_second_kill_and_takes_nobody_along(
    store: Store, batch: list[int], worker: CopydeskApp
) -> None:
    announce(CeleryQueue(worker), batch)
    end = time.monotonic() + 60
    with redis.Redis.from_url(worker.settings.broker) as client:
        while any(page_of(store, one).state is not PageState.DONE for one in batch) and time.monotonic() < end:
            client.blpop(["nothing"], timeout=0.2)

    left = [page_of(store, one) for one in batch]
    kinds = [Disposition.ARTICLE, Disposition.QUARANTINED, Disposition.ARTICLE]
    assert [page.disposition for page in left] == kinds
    with store.reading() as tx:
        found = quarantine.get(tx, batch[1])
    assert (found.attempts, found.error) == (2, "it killed the process that read it alone: SIGSEGV")


def killed(store: Store, page_id: int, times: int) -> None:
    """Leave a page as it is when its worker was killed that many times while it was in work."""
    for _ in range(times):
        with store.writing() as tx:
            assert processing.begin(tx, page_id) is not None


@pytest.mark.parametrize("times", [1, 10])
def test_an_innocent_page_that_was_there_when_a_worker_died_is_filed(
    store: Store, batch: list[int], settings: Settings, now: datetime, times: int
) -> None:
    killed(store, batch[0], times)
    outcome = process_page(store, batch[0], now=now, recipes={}, settings=settings)
    assert outcome.kind is OutcomeKind.NEW


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("fragile")
def test_a_page_that_failed_before_and_was_killed_since_is_read_alone_too(
    store: Store, batch: list[int], settings: Settings, now: datetime
) -> None:
    for page_id, kind in ((batch[0], OutcomeKind.NEW), (batch[1], OutcomeKind.QUARANTINED)):
        store.write(lambda tx, page_id=page_id: pages.postpone(tx, page_id, now, 1, reason="process_failed"))  # type: ignore[misc]
        killed(store, page_id, 5)
        assert process_page(store, page_id, now=now, recipes={}, settings=settings).kind is kind


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_kills_are_no_failures_of_a_page_that_survives_alone_but_have_an_end(
    store: Store, batch: list[int], settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a fault in the reader")

    monkeypatch.setattr(process, "look", broken)
    killed(store, batch[0], 9)
    outcome = process_page(store, batch[0], now=now, recipes={}, settings=settings)
    assert (outcome.kind, page_of(store, batch[0]).attempts) == (OutcomeKind.POSTPONED, 1)
    killed(store, batch[2], settings.max_attempts * 5)
    outcome = process_page(store, batch[2], now=now, recipes={}, settings=settings)
    assert outcome.kind is OutcomeKind.QUARANTINED
    assert outcome.reason == "the worker died, or lost the store, in each of the tries"
