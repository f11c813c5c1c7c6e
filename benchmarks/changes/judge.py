"""Judges the race by what stands in the feed at its end, and by the clock of the commits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.changes.reading import Seen
from benchmarks.changes.writing import Commit, Told


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows went wrong, over all readers; all zero if the feed keeps its word."""

    missed: int
    """Rows that a reader never saw."""
    twice: int
    out_of_order: int
    """Rows that a reader saw after a higher number, and commits that follow another and have a lower number."""
    never_committed: int
    """Rows that a reader saw and that are not in the feed."""
    untold: int
    """What was committed and has no row."""


def judge(feed: Sequence[Seen], readers: Sequence[Sequence[Seen]], commits: Sequence[Commit]) -> Verdict:
    """Compare what readers saw with the whole feed, and the feed with what its writers did."""
    truth, numbers = set(feed), {told: seq for seq, told in feed}
    seen = [Counter(rows) for rows in readers]
    return Verdict(
        missed=sum(len(truth - one.keys()) for one in seen),
        twice=sum(one.total() - len(one) for one in seen),
        out_of_order=sum(_descents(rows) for rows in readers) + late_commits(commits, numbers),
        never_committed=sum(len(one.keys() - truth) for one in seen),
        untold=sum(one.told not in numbers for one in commits),
    )


def late_commits(commits: Sequence[Commit], numbers: Mapping[Told, int]) -> int:
    """How many commits began after another had returned, and yet have a number below the one of that.

    A reader that came between the two would have passed the lower number.
    """
    found = [one for one in commits if one.told in numbers]
    ended = sorted((one.ended, numbers[one.told]) for one in found)
    late, at, highest = 0, 0, 0
    for begun, number in sorted((one.begun, numbers[one.told]) for one in found):
        while at < len(ended) and ended[at][0] < begun:
            highest = max(highest, ended[at][1])
            at += 1
        late += number < highest
    return late


def _descents(rows: Sequence[Seen]) -> int:
    return sum(after[0] < before[0] for before, after in pairwise(rows))
