"""Decides anew which articles tell one story, from the prints in the store, and moves those that stand elsewhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from storage import reclustering, similar
from storage.database import Tx, chunks, stand_in_line
from storage.reclustering import Move, Subject
from storage.records import Fingerprint, Neighbour
from storage.store import Store
from tasks import fingerprint as prints
from tasks.decide import Thresholds, ties
from tasks.filing import NEARLY_EQUAL
from tasks.hashing import distinct
from tasks.marks import SHORT_WORDS
from tasks.regroup import Groups

_BATCH = 100
_MOST_MOVED = 500
"""Articles that move in one transaction."""
_HASH_BITS = 32


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run found, and wrote unless it was a dry one."""

    prints: int = 0
    """Computed by the present algorithm in the place of older ones; of a dry run those that wait for it."""
    read: int = 0
    moves: list[Move] = field(default_factory=list)
    skipped: int = 0
    """Articles that changed their place meanwhile."""


def recluster(
    store: Store,
    *,
    clock: Callable[[], datetime],
    since: datetime | None = None,
    horizon: timedelta = timedelta(days=90),
    dry_run: bool = False,
    thresholds: Thresholds | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> Report:
    """Bring all prints to the present algorithm, decide the clusters of articles changed at `since` or later, and move.

    Each step is a transaction of its own: a run that was stopped is taken up by the next, and a run that follows a
    complete one changes nothing. Within a cluster an article stays with whomever it is alike; into another it moves as
    a new article would. In a dry run, articles whose prints are of an older algorithm are left where they are.
    Raises StoreBusy.
    """
    report = Report()
    if dry_run:
        with store.reading() as tx:
            report.prints = reclustering.count_stale(tx, prints.ALGORITHM)
    else:
        report.prints = complete(store, clock=clock, horizon=horizon)
    groups = _decide(store, since, thresholds, report, progress)
    for moves in groups.moves():
        report.moves += moves if dry_run else _move(store, moves, clock, report)
    return report


def complete(store: Store, *, clock: Callable[[], datetime], horizon: timedelta) -> int:
    """Compute all prints of other algorithms anew from the stored texts; returns how many there were.

    Articles that did not change within the horizon are not found by likeness, as before.
    """
    done, last = 0, 0
    while True:
        before = clock() - horizon
        ids = store.write(lambda tx, after=last, limit=before: _complete(tx, after, limit))  # type: ignore[misc]
        if not ids:
            return done
        done, last = done + len(ids), ids[-1]


def _complete(tx: Tx, after: int, horizon: datetime) -> list[int]:
    stand_in_line(tx)
    texts = reclustering.stale(tx, prints.ALGORITHM, after=after, limit=_BATCH)
    for one in texts:
        drafted = prints.draft(one.title, one.text)
        made = prints.finish(drafted, similar.boilerplate(tx, drafted.lines()).common)
        near, keys = similar.neighbours(tx, made)
        others = (other.fingerprint for other in near if other.article_id != one.article_id)
        found_by_another = any(prints.similarity(made, other) >= NEARLY_EQUAL for other in others)
        similar.index(tx, one.article_id, made, () if found_by_another or one.updated_at < horizon else keys)
    return [one.article_id for one in texts]


def _decide(
    store: Store,
    since: datetime | None,
    thresholds: Thresholds | None,
    report: Report,
    progress: Callable[[int], None],
) -> Groups:
    groups, seen = Groups(), set[int]()
    for batch, near, company in _batches(store, since):
        for one in batch:
            mates = company.get(one.known.cluster_id, [])
            _place(groups, one.known, mates, near[one.known.article_id], seen, thresholds)
            seen.add(one.known.article_id)
        report.read += len(batch)
        progress(len(batch))
    return groups


_Company = dict[int, list[tuple[Neighbour, bool]]]


def _batches(
    store: Store, since: datetime | None
) -> Iterator[tuple[list[Subject], dict[int, list[Neighbour]], _Company]]:
    """The articles by id, what is like each of them, and by cluster who is there; each batch as of one moment."""
    last = 0
    while True:
        with store.reading() as tx:
            batch = reclustering.subjects(tx, prints.ALGORITHM, after=last, limit=_BATCH, since=since)
            if not batch:
                return
            asked = {one.known.article_id: print_of(one) for one in batch}
            found = similar.look_up(tx, list(asked.values()))
            near = {one: similar.neighbours(tx, print_, found)[0] for one, print_ in asked.items()}
            here = {one.known.cluster_id for one in batch}
            company: _Company = {}
            for mate, chosen in reclustering.mates(tx, here, prints.ALGORITHM, since):
                company.setdefault(mate.cluster_id, []).append((mate, chosen))
        yield batch, near, company
        last = batch[-1].known.article_id


def print_of(one: Subject) -> Fingerprint:
    """The stored print with the keys that it was made with: those trigrams of the text that are in the sketch."""
    stored = one.known.fingerprint
    marks = prints.marks_of(stored)
    if marks.words < SHORT_WORDS or not marks.sketch:
        return stored
    runs = distinct(prints.draft(one.title, one.text).text.runs())
    sketched = runs[np.isin(runs >> np.uint64(_HASH_BITS - marks.bits), np.array(marks.sketch, np.uint64))]
    keys = sketched[: prints.KEYS].astype(np.int64) - (1 << (_HASH_BITS - 1))
    return replace(stored, keys=tuple(keys.tolist()))


def _place(
    groups: Groups,
    one: Neighbour,
    mates: list[tuple[Neighbour, bool]],
    near: list[Neighbour],
    seen: set[int],
    thresholds: Thresholds | None,
) -> None:
    chosen = {mate.article_id: free for mate, free in mates if mate.article_id != one.article_id}
    if chosen:
        groups.add(one)
    if fixed := [mate for mate, free in mates if not free]:
        groups.fix(one.cluster_id, fixed)
    kin = ties(
        one.fingerprint,
        one.published_at,
        [mate for mate, _ in mates if mate.article_id in chosen],
        thresholds=thresholds,
    )
    for tie in kin:
        groups.tie(one, tie, fixed=not chosen[tie.other.article_id])
    # An article was filed beside those that were there before it: only these count.
    earlier = [other for other in near if other.article_id < one.article_id and other.cluster_id != one.cluster_id]
    for at, tie in enumerate(ties(one.fingerprint, one.published_at, earlier, thresholds=thresholds)):
        if tie.sure or (at == 0 and not kin):
            groups.tie(one, tie, fixed=tie.other.article_id not in seen)


def _move(store: Store, moves: list[Move], clock: Callable[[], datetime], report: Report) -> list[Move]:
    done, into = [], moves[0].into
    for some in chunks(moves, _MOST_MOVED):
        asked = [replace(one, into=into) for one in some]
        into, count = store.write(lambda tx, asked=asked: reclustering.apply(tx, asked, clock()))  # type: ignore[misc]
        report.skipped += len(some) - count
        done += [replace(one, into=into) for one in some]
    return done
