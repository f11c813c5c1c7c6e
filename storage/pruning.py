"""Pruning: a round through all that may be old, in steps that are each a transaction.

Killed anywhere, it leaves what a finished step left: the mark of how far a round has come is written with the step, and
the next call goes on there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select

from storage import erasure, expiry, similar
from storage.database import Tx, insert
from storage.retention import FINGERPRINTS, Rules, Step, rules_of
from storage.settings import Settings
from storage.store import Store
from storage.tables import horizon

EVERY = timedelta(days=1)
"""Between two rounds, where workers run."""
_ROUND = "prune"


Told = Callable[[str, int], None]
"""Hears after each step what went, by the names in WHAT."""


class _Work(Protocol):
    """One step of one kind."""

    def __call__(self, tx: Tx, rules: Rules, now: datetime, /, *, after: int, dry: bool) -> Step: ...


def _fingerprints(tx: Tx, rules: Rules, now: datetime, *, after: int, dry: bool) -> Step:
    return similar.forget(tx, now - timedelta(days=rules.days[FINGERPRINTS]), after=after, dry=dry)


_WORK: tuple[tuple[str, str, _Work, int], ...] = (
    ("polls", "polls", expiry.polls, 0),
    ("sightings", "sightings", expiry.sightings, 0),
    ("versions", "versions", expiry.versions, 0),
    ("bodies", "archive", expiry.hot_bodies, 0),
    ("postings", FINGERPRINTS, _fingerprints, similar.FIRST),
)
"""What goes, by which kind of retention, the step, and where it begins."""
WHAT = ("polls", "sightings", "versions", "bodies", "archive_files", "postings")
"""All that a round counts."""


def prune(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    dry: bool = False,
    stop: Callable[[], bool] = lambda: False,
    told: Told = lambda _what, _count: None,
) -> bool:
    """Let go what is old; returns whether the round came to its end before it was to `stop`.

    A `dry` one writes nothing, and tells of what would go. Raises StoreBusy and ArchiveError: what was done until then
    stays done.
    """
    with store.reading() as tx:
        rules = rules_of(tx, settings)
    ended = _Round(store=store, rules=rules, now=now, dry=dry, stop=stop, told=told).go()
    if ended and not dry:
        store.write(lambda tx: _mark(tx, _ROUND, None, now))
    return ended


def due(tx: Tx, now: datetime) -> bool:
    """Whether it is time for a round, or one was left unfinished."""
    at = tx.execute(select(horizon.c.at).where(horizon.c.name == _ROUND)).scalar()
    return at is None or now - at >= EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One call's way through everything."""

    store: Store
    rules: Rules
    now: datetime
    dry: bool
    stop: Callable[[], bool]
    told: Told

    def go(self) -> bool:
        if not self.dry:
            erasure.finish(self.store)  # files that a call before was kept from deleting
        wanted = (one for one in _WORK if self.rules.latest(one[1], self.now) is not None)
        return all(self._walk(what, work, begin) for what, _, work, begin in wanted) and self._files()

    def _walk(self, what: str, work: _Work, begin: int) -> bool:
        after: int | None = begin if self.dry else self._marked(what, begin)
        while after is not None and not self.stop():
            step = self._step(what, work, after)
            self.told(what, step.gone)
            after = step.after
        return after is None

    def _step(self, what: str, work: _Work, after: int) -> Step:
        if self.dry:
            with self.store.reading() as tx:
                return work(tx, self.rules, self.now, after=after, dry=True)

        def write(tx: Tx) -> Step:
            step = work(tx, self.rules, self.now, after=after, dry=False)
            _mark(tx, f"{_ROUND} {what}", step.after, self.now)
            return step

        return self.store.write(write)

    def _marked(self, what: str, begin: int) -> int:
        """Where a round that was interrupted goes on."""
        with self.store.reading() as tx:
            after = tx.execute(select(horizon.c.after).where(horizon.c.name == f"{_ROUND} {what}")).scalar()
        return begin if after is None else int(after)

    def _files(self) -> bool:
        """File by file; those that went are found no more, so that an interrupted round needs no mark."""
        name = ""
        while not self.stop():
            with self.store.reading() as tx:
                found = expiry.next_file(tx, self.rules, self.now, name)
            if found is None:
                return True
            name = found
            bodies = self._file(name)
            if bodies:
                self.told("bodies", bodies)
                self.told("archive_files", 1)
        return False

    def _file(self, name: str) -> int:
        if self.dry:
            with self.store.reading() as tx:
                return expiry.archive_file(tx, name, self.rules, self.now, dry=True)
        with erasure.archive_to_oneself(self.store):  # an erasure may be about to write it anew
            bodies = self.store.write(lambda tx: expiry.archive_file(tx, name, self.rules, self.now))
            erasure.finish(self.store)
        return bodies


def _mark(tx: Tx, name: str, after: int | None, now: datetime) -> None:
    values = {"after": after, "at": now}
    put = insert(tx, horizon).values(name=name, **values)
    tx.execute(put.on_conflict_do_update(index_elements=["name"], set_=values))
