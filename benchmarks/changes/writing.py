"""A writer of the race: files articles as the product does, sometimes slowly, and sometimes in vain."""

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from storage import articles, changes, pages, reading, snapshots, sources, withdrawals
from storage.database import Tx
from storage.records import (
    Block,
    BlockKind,
    Boilerplate,
    Candidate,
    ChangeClass,
    ChangeKind,
    Clean,
    Decision,
    DecisionKind,
    Exchange,
    Filing,
    Fingerprint,
    Lead,
    Page,
    SourceConfig,
    Via,
)
from storage.store import Store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
_MOST_MOVED = 15
_VAIN, _SLOW = 0.05, 0.01
"""Shares of the transactions that are rolled back, and that wait before they commit."""
_LATE_S = (0.01, 0.06)
_RECENT = 40
_TEXT = "The ferry came in late, and the harbour office said that it would do so again tomorrow."


class _InVainError(Exception):
    """Ends a transaction whose work must leave nothing behind."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a row of the change feed must tell."""

    article_id: int
    version: int
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction that was committed, and when, in nanoseconds on a clock that all processes share."""

    told: Told
    """What it filed."""
    begun: int
    """When its commit began."""
    ended: int
    """When its commit had returned."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An article that this writer filed before."""

    version: int
    cluster_id: int


def stage(store: Store, writers: int) -> None:
    """Give each writer a source, and a page that was fetched."""
    for number in range(writers):
        site = f"writer-{number}.example"
        config, key = SourceConfig(name=site, url=f"https://{site}/feed.xml"), _address(number)
        with store.writing() as tx:
            source_id = sources.add(tx, config, site=site, now=NOW, interval_s=300).id
            lead = Lead(key=key, site=site, candidate=Candidate(url=key, via=Via.FEED))
            page_id = pages.discover(tx, source_id, [lead], NOW).new[0]
            got = Exchange(url=key, status=200, headers=(), request_headers=(), body=b"<p>", fetched_at=NOW)
            pages.fetched(tx, page_id, snapshots.keep(tx, page_id, got), NOW)


def write(store: Store, number: int, count: int) -> list[Commit]:
    """File until so many rows of the change feed have come of it, at least; returns what was committed, in order."""
    with store.reading() as tx:
        page = pages.find(tx, _address(number))
    if page is None:
        raise ValueError(f"writer {number} has no page: stage the store first")
    work = _Work(page, random.Random(number))
    done: list[Commit] = []
    while count > 0:
        with suppress(_InVainError):
            known, told, moved, begun = store.write(work.once)
            done.append(Commit(told, begun, time.monotonic_ns()))
            work.known = dict(list(known.items())[-_RECENT:])
            count -= 1 + moved
    return done


class _Work:
    """What a writer does in a transaction; `known` changes only after its commit."""

    def __init__(self, page: Page, chance: random.Random) -> None:
        self._page, self._random = page, chance
        self.known: dict[int, _Known] = {}

    def once(self, tx: Tx) -> tuple[dict[int, _Known], Told, int, int]:
        """File something, and tell of some articles as if their clusters had merged.

        Returns what is known then, what was filed, how many moved, and the time. Raises _InVainError now and then.
        """
        known = dict(self.known)
        told = self._step(tx, known)
        moved = self._random.sample(list(known), min(len(known), self._random.randint(0, _MOST_MOVED)))
        rows = [(ChangeKind.CLUSTERED, one, known[one].version, known[one].cluster_id) for one in moved]
        changes.append(tx, rows, NOW)
        chance = self._random.random()
        if chance < _VAIN:
            raise _InVainError
        if chance < _VAIN + _SLOW:  # its numbers are given out, and not to be seen yet
            Event().wait(self._random.uniform(*_LATE_S))
        return known, told, len(moved), time.monotonic_ns()

    def _step(self, tx: Tx, known: dict[int, _Known]) -> Told:
        chance = self._random.random()
        if not known or chance < 0.4:
            return self._found(tx, known, None)
        if chance < 0.55:
            return self._found(tx, known, self._random.choice(list(known.values())).cluster_id)
        article_id = self._random.choice(list(known))
        if chance < 0.6:
            version = known.pop(article_id).version
            withdrawals.mark(tx, article_id, "asked by a reader", NOW)
            return Told(article_id, version, ChangeKind.WITHDRAWN)
        return self._revised(tx, known, article_id)

    def _found(self, tx: Tx, known: dict[int, _Known], cluster_id: int | None) -> Told:
        joined = Decision(kind=DecisionKind.NEW, reason="new_story", cluster_id=cluster_id)
        article_id = articles.file(tx, self._filing(joined), NOW)
        known[article_id] = _Known(1, cluster_id or reading.decision(tx, article_id)["cluster_id"])
        return Told(article_id, 1, ChangeKind.CREATED)

    def _revised(self, tx: Tx, known: dict[int, _Known], article_id: int) -> Told:
        correction = Decision(
            kind=DecisionKind.VERSION,
            article_id=article_id,
            change_class=ChangeClass.CORRECTION,
            reason="correction",
        )
        articles.file(tx, self._filing(correction), NOW)
        was = known.pop(article_id)
        known[article_id] = _Known(was.version + 1, was.cluster_id)
        return Told(article_id, was.version + 1, ChangeKind.UPDATED)

    def _filing(self, decision: Decision) -> Filing:
        mark = f"{self._random.getrandbits(60):x}"
        text = f"{_TEXT} {mark}"
        block = Block(kind=BlockKind.PARAGRAPH, text=text)
        clean = Clean(url=f"{self._page.url}{mark}", title="A late ferry", text=text, blocks=(block,), fetched_at=NOW)
        return Filing(
            page=self._page,
            clean=clean,
            fingerprint=Fingerprint(algorithm=1, exact=int(mark, 16), marks=b""),
            content_hash=mark,
            word_count=len(text.split()),
            decision=decision,
            boilerplate=Boilerplate(lines=(), held={}, common=frozenset()),
        )


def _address(number: int) -> str:
    return f"https://writer-{number}.example/"
