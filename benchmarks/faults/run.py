"""One run: publish, do one fault after the other while work is in flight, let everything drain."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.faults.books import filed, settled
from benchmarks.faults.faults import Fault, Stage, inject

STUCK_S = 60.0
"""Within that after a fault, articles have to be filed again: whatever message was lost, whoever died."""
GIVE_UP_S = 330.0
"""A page whose site failed twice waits five minutes; where nothing at all happened for longer, nothing will."""


@dataclass(slots=True)
class Run:
    """What happened."""

    lead: int
    expected: int = 0
    filed: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds from each fault's end until the next share of the articles was filed, by its kind."""
    drained_s: float = 0.0


def perform(stage: Stage, faults: Sequence[Fault], *, articles: int, lead: int) -> Run:
    """Do all faults, wait until the store holds what was published or nothing comes any more, and stop everything.

    At least so many `articles` are published in all. Whenever a round or a recovery begins, `lead` of them at least are
    not yet filed: every fault finds work in flight.
    """
    run = Run(lead=lead)
    share = max(articles // max(len(faults), 1), 1)
    for fault in faults:
        _round(stage, fault, run, share)
    _drain(stage, run)
    stage.machine.stop()
    run.expected = len(stage.town.truth)
    return run


def _round(stage: Stage, fault: Fault, run: Run, share: int) -> None:
    machine, town = stage.machine, stage.town

    def reached(goal: float) -> bool:
        run.filed = filed(stage.store, run.filed)
        return run.filed >= goal

    town.publish(max(share, run.filed + run.lead - town.published))
    machine.until(
        partial(reached, run.filed + 1 + fault.dice * share), STUCK_S
    )  # some moment in the middle of the work
    hit = inject(stage, fault)
    reached(0)  # it may have lasted, and work gone on; pages that a site in trouble refused wait for a minute
    town.publish(max(0, run.filed + run.lead - town.published))
    ended, goal = time.monotonic(), min(run.filed + share, town.published)
    on_time = machine.until(partial(reached, goal), STUCK_S)
    took = time.monotonic() - ended
    if hit is None:
        machine.wrong.append(f"fault {fault.number}, {fault.kind}: its victim never turned up")
    else:
        run.hit[fault.kind] += 1
        run.took[fault.kind].append(took)
    if not on_time:
        machine.wrong.append(f"fault {fault.number}, {fault.kind}: {run.filed} filed, not {goal}, in {took:.0f} s")
    print(f"{fault.number:4} {fault.kind} ({hit}): {run.filed} filed {took:.1f} s later", flush=True)


def _drain(stage: Stage, run: Run) -> None:
    began, truth = time.monotonic(), stage.town.truth
    count = 0

    def more() -> bool:
        nonlocal count
        before, count = count, settled(stage.store, truth, count)
        return count != before or count == len(truth)

    while stage.machine.until(more, GIVE_UP_S) and count < len(truth):
        pass
    run.drained_s = time.monotonic() - began
