"""The faults: a plan of them by a seed, and how each is done to the running system."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat

from benchmarks.faults.books import in_work
from benchmarks.faults.machine import Machine
from benchmarks.faults.processes import (
    BROKER,
    CRAWL,
    CRAWL_CHILD,
    CRAWL_WORKER,
    PROCESS_CHILD,
    PROCESS_WORKER,
    SCHEDULER,
    UP,
    Process,
)
from benchmarks.faults.town import Town
from benchmarks.servers import Postgres
from storage.store import Store
from tasks.app import CopydeskApp
from tasks.broker import with_broker
from tasks.queue import BrokerDown, CeleryQueue, announce

_THERE_WITHIN_S = 60.0
"""How long a fault waits for its victim to turn up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. Its victims are chosen by `dice`, from 0 up to 1, when its time has come."""

    number: int
    kind: str
    seconds: float
    """How long it lasts, where it lasts."""
    dice: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What faults are done to."""

    machine: Machine
    town: Town
    store: Store
    postgres: Postgres | None = None
    """Where it is the database."""


Inject = Callable[[Stage, Fault], str | None]
"""Does it; returns what was hit, None where there was nothing to hit."""


def plan(seed: int, rounds: int, kinds: list[str], *, scale: float = 1.0) -> list[Fault]:
    """That many faults: all kinds in a random order, then all in another, and so on. The same seed, the same plan."""
    dice = random.Random(seed)
    order = chain.from_iterable(dice.sample(kinds, len(kinds)) for _ in repeat(None))
    return [
        Fault(number=n, kind=kind, seconds=scale * _length(dice, kind), dice=dice.random())
        for n, kind in zip(range(1, rounds + 1), order, strict=False)
    ]


def kinds(*, postgresql: bool) -> list[str]:
    """The faults that there are with that database."""
    own = ["database_restarted", "connections_cut", "broker_away"] if postgresql else ["kill_broker"]
    return [*_COMMON, *own]


def inject(stage: Stage, fault: Fault) -> str | None:
    """Do it, to its end; returns what was hit, None where nothing was there to be hit."""
    return (_COMMON | _RARE)[fault.kind](stage, fault)


def _length(dice: random.Random, kind: str) -> float:
    least, most = (5.0, 25.0) if kind in ("worker_sleeps", "scheduler_sleeps", "crawl_sleeps") else (2.0, 8.0)
    return dice.uniform(least, most)


def _kill(*parts: str, group: bool = False) -> Inject:
    def go(stage: Stage, fault: Fault) -> str | None:
        part, victim = _choose(stage, fault, parts)
        if victim is None:
            return None
        stage.machine.doom(f"kill -9 of the {part}", victim)
        victim.send(signal.SIGKILL, group=group)
        return part

    return go


def _term(*parts: str) -> Inject:
    def go(stage: Stage, fault: Fault) -> str | None:
        part, victim = _choose(stage, fault, parts)
        if victim is None:
            return None
        stage.machine.ask_to_end(part, victim)
        return part

    return go


def _sleeps(*parts: str) -> Inject:
    def go(stage: Stage, fault: Fault) -> str | None:
        part, victim = _choose(stage, fault, parts)
        if victim is None:
            return None
        with _frozen(victim):
            stage.machine.hold(fault.seconds)
        return part

    return go


def _kill_all(stage: Stage, _fault: Fault) -> str:
    """The whole system at once: `copydesk up`, which takes its children along, or every process of a host."""
    machine = stage.machine
    parts = machine.parts()
    for victim in parts.get(UP, []):
        machine.doom("kill -9 of copydesk up", victim)
        victim.send(signal.SIGKILL)
        return UP
    for part in (SCHEDULER, CRAWL_WORKER, PROCESS_WORKER):
        for victim in parts.get(part, []):
            machine.doom(f"kill -9 of the {part}", victim)
            victim.send(signal.SIGKILL)
    return "scheduler and workers"


def _term_all(stage: Stage, fault: Fault) -> str | None:
    parts = stage.machine.parts()
    if parts.get(UP):
        stage.machine.ask_to_end("copydesk up", parts[UP][0])
        return UP
    return _term(SCHEDULER, CRAWL_WORKER, PROCESS_WORKER)(stage, fault)


def _term_without_broker(stage: Stage, fault: Fault) -> str | None:
    """SIGTERM while the broker answers nobody."""
    _, broker = _choose(stage, fault, (BROKER,))
    if broker is None:
        return None
    with _frozen(broker):
        stage.machine.hold(fault.seconds / 4)
        return _term(SCHEDULER, CRAWL_WORKER, PROCESS_WORKER)(stage, fault)


def _broker_away(stage: Stage, fault: Fault) -> str | None:
    """Nobody listens at the broker's address for a while; then there is an empty one."""
    role = stage.machine.roles["broker"]
    role.held = True
    hit = _kill(BROKER)(stage, fault)
    stage.machine.hold(fault.seconds)
    role.held = False
    return hit


def _twice(stage: Stage, _fault: Fault) -> str | None:
    """Messages that are on their way or being worked on are sent twice more."""
    machine = stage.machine
    queue = CeleryQueue(CopydeskApp(with_broker(machine.settings, machine.broker)))
    found: list[int] = []

    def on_their_way() -> bool:
        found[:] = in_work(stage.store, machine.settings.batch)
        return bool(found)

    if not machine.until(on_their_way, _THERE_WITHIN_S):
        return None
    try:
        announce(queue, found)
        announce(queue, found)
    except BrokerDown:
        return None
    return f"{len(found)} pages"


def _site(kind: str, times: int) -> Inject:
    def go(stage: Stage, fault: Fault) -> str:
        stage.town.trouble(kind, int(fault.dice * 1000), sites=3, times=times)
        return "3 sites"

    return go


def _locked(stage: Stage, fault: Fault) -> str:
    """Somebody else holds the database's lock on what everybody writes."""
    with _database_lock(stage):
        stage.machine.hold(fault.seconds)
    return "pages"


@contextmanager
def _database_lock(stage: Stage) -> Iterator[None]:
    with stage.store.engine.connect().execution_options(writes=True) as connection, connection.begin():
        if stage.postgres is not None:
            connection.exec_driver_sql("LOCK TABLE page IN ACCESS EXCLUSIVE MODE")
        yield


def _database_restarted(stage: Stage, _fault: Fault) -> str:
    assert stage.postgres is not None
    stage.postgres.restart()
    return "postgres"


def _connections_cut(stage: Stage, _fault: Fault) -> str:
    assert stage.postgres is not None
    return f"{stage.postgres.cut_connections()} connections"


def _choose(stage: Stage, fault: Fault, parts: tuple[str, ...]) -> tuple[str, Process | None]:
    """One of the living processes that play one of these parts, when there is one."""
    part = parts[int(fault.dice * len(parts))]
    found: list[Process] = []

    def there() -> bool:
        found[:] = stage.machine.parts().get(part, [])
        return bool(found)

    stage.machine.until(there, _THERE_WITHIN_S)
    return part, found[int(fault.dice * 997) % len(found)] if found else None


@contextmanager
def _frozen(one: Process) -> Iterator[None]:
    one.send(signal.SIGSTOP)
    try:
        yield
    finally:
        one.send(signal.SIGCONT)


_COMMON: dict[str, Inject] = {
    "kill_crawl": _kill(CRAWL),
    "kill_pool_child": _kill(PROCESS_CHILD, CRAWL_CHILD, PROCESS_CHILD),
    "kill_worker": _kill(PROCESS_WORKER, CRAWL_WORKER),
    "kill_worker_group": _kill(PROCESS_WORKER, CRAWL_WORKER, group=True),
    "kill_scheduler": _kill(SCHEDULER),
    "kill_all": _kill_all,
    "term_crawl": _term(CRAWL),
    "term_worker": _term(PROCESS_WORKER, CRAWL_WORKER),
    "term_scheduler": _term(SCHEDULER),
    "term_all": _term_all,
    "term_without_broker": _term_without_broker,
    "broker_frozen": _sleeps(BROKER),
    "message_twice": _twice,
    "worker_sleeps": _sleeps(PROCESS_CHILD, PROCESS_WORKER, CRAWL_WORKER),
    "crawl_sleeps": _sleeps(CRAWL),
    "scheduler_sleeps": _sleeps(SCHEDULER),
    "database_locked": _locked,
    "site_busy": _site("busy", 2),
    "site_drops": _site("drop", 1),
    "site_cuts": _site("cut", 2),
}
_RARE: dict[str, Inject] = {
    "kill_broker": _kill(BROKER),
    "broker_away": _broker_away,
    "database_restarted": _database_restarted,
    "connections_cut": _connections_cut,
}
