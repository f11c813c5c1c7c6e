"""Replay a simulated week against our schedule and those of others, and print one line of JSON at the end.

    python -m benchmarks.recall [--seed 2] [--sources 1000] [--weeks 2]

All begin with nothing known at the same time; the last week is judged. An article counts as seen if a poll that read
the whole listing came while it was in it.
"""

import argparse
import json
import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from benchmarks.recall.ours import Ours
from benchmarks.recall.peers import Schedule, Seen, peers
from benchmarks.recall.world import DAY, WEEK, Publisher, World, make_world

TUNED_ON, REPORTED_ON = 1, 2
"""Constants were chosen on one seed; what is reported is another."""


@dataclass(slots=True)
class Score:
    """How a schedule did in the judged week."""

    published: int = 0
    delays: list[float] = field(default_factory=list)
    polls: int = 0

    def figures(self) -> dict[str, float]:
        """Share seen, median delay in seconds, polls."""
        seen = len(self.delays) / self.published if self.published else 1.0
        return {"seen": round(seen, 5), "median_delay_s": round(median(self.delays or [0.0])), "polls": self.polls}


@dataclass(slots=True)
class _Server:
    """What a publisher's server remembers of the client."""

    publisher: Publisher
    known: int = -1
    """Items shown at the last whole answer: what the validators stand for."""
    told_at: float = -math.inf

    def says_304(self, at: float, shown: int) -> bool:
        """Whether a conditional request gets 304: rightly, or by a lie."""
        if not self.publisher.validators or self.known < 0:
            return False
        return shown == self.known or at - self.told_at < self.publisher.lies_s


def replay(publisher: Publisher, schedule: Schedule, world: World, score: Score) -> None:
    """Poll one publisher from the beginning to a little after the judged week."""
    begin, end = (world.weeks - 1) * WEEK, world.weeks * WEEK
    server, had = _Server(publisher), 0
    at: float | None = random.Random(publisher.name).uniform(0, 60)
    while at is not None and at < end + 1.5 * DAY:
        score.polls += begin <= at < end
        offline = world.offline[0] <= at < world.offline[1]
        failure = "offline" if offline else publisher.failure(at)
        shown = publisher.shown(at)
        unread = Seen(at=at, failure=failure, not_modified=not failure, entries=0, new=0, hint_s=publisher.hint_s)
        conditional = schedule.conditional(at)
        if failure or (conditional and server.says_304(at, shown)):
            at = schedule.next_at(unread)
            if offline and at is not None and isinstance(schedule, Ours):
                at = max(at, world.offline[1] + at % 60)  # the schedule as a whole is paused until a probe succeeds
            continue
        if not conditional and shown != server.known and server.says_304(at, shown):
            score.polls += begin <= at < end  # the question whether it lies
            schedule.caught(at)
        first = max(had, shown - publisher.window)
        new = publisher.items[first:shown]
        score.delays += [at - item for item in new if begin <= item < end]
        held = publisher.items[max(0, shown - publisher.window) : shown]
        had, server.known, server.told_at = shown, shown, at
        seen = Seen(
            at=at,
            failure=None,
            not_modified=False,
            entries=len(held),
            new=len(new),
            hint_s=publisher.hint_s,
            dates=held if publisher.dated else (),
            new_items=new,
        )
        at = schedule.next_at(seen)


def judge(world: World, make: Callable[[Publisher], Schedule]) -> Score:
    """The score of a schedule over all publishers."""
    score, begin = Score(), (world.weeks - 1) * WEEK
    for publisher in world.publishers:
        score.published += publisher.shown(begin + WEEK) - publisher.shown(begin)
        replay(publisher, make(publisher), world, score)
    return score


def main() -> int:
    """Run the benchmark; exit 1 where our schedule misses its goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__)
    parser.add_argument("--seed", type=int, default=REPORTED_ON)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--weeks", type=int, default=2, help="simulated weeks, of which the last is judged")
    parser.add_argument("--only", default="", help="one schedule by name")
    asked = parser.parse_args()
    world = make_world(asked.seed, sources=asked.sources, weeks=asked.weeks)
    makers: dict[str, Callable[[Publisher], Schedule]] = {"ours": lambda publisher: Ours(publisher.name)}
    makers |= {name: partial(_any_publisher, make) for name, make in peers().items()}
    figures = {}
    for name, make in makers.items():
        if asked.only in ("", name):
            figures[name] = judge(world, make).figures()
            sys.stdout.write(f"{name:32} {figures[name]}\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if _won(figures) else 1


def _any_publisher(make: Callable[[], Schedule], _publisher: Publisher) -> Schedule:
    return make()


def _won(figures: dict[str, dict[str, float]]) -> bool:
    ours = figures.get("ours")
    if ours is None:
        return True
    rivals = [one for name, one in figures.items() if name != "ours" and one["seen"] >= ours["seen"]]
    return ours["seen"] >= 0.999 and all(ours["polls"] < one["polls"] for one in rivals)


if __name__ == "__main__":
    sys.exit(main())
