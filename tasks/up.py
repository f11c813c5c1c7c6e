"""Runs the whole system on one machine: broker, scheduler, workers and web as children that end together."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from storage import pages
from storage.errors import UsageError
from storage.locks import file_lock
from storage.logs import telling
from storage.settings import Settings
from storage.store import open_store
from tasks.app import SOFT_SHUTDOWN_S
from tasks.broker import EmbeddedBroker, embedded, with_broker
from tasks.lifeline import StopSignal, adopt_orphans
from tasks.logs import set_up
from tasks.supervise import Child, Say, Supervisor
from tasks.worker import run_worker

__all__ = ["UpError", "run_worker", "teller", "up"]

_LOOK_S = 0.25
_BROKER_READY_S = 10.0
_STOP_S = SOFT_SHUTDOWN_S + 3.5
_STOP_BROKER_S = 1.5
_BROKER = "broker"


class UpError(UsageError):
    """The system cannot be started on this data folder."""


def up(settings: Settings, *, web: Sequence[str] = (), say: Say | None = None) -> int:
    """Run everything until SIGTERM or SIGINT; returns the exit code. `web` is the command of the web server, if any.

    Raises UpError when the data folder is in use already or the broker does not start, and StoreError for the database.
    """
    say = say or teller(settings)
    with file_lock(settings.data / "run" / "up.lock") as lock:
        if lock is None:
            raise UpError(f"{settings.data}: another 'copydesk up' runs on this data folder; stop it first")
        _sign(lock)
        _prepare(settings)
        adopt_orphans()
        with StopSignal() as stop:
            return _run(settings, web, stop, Supervisor(say), say)


def _run(settings: Settings, web: Sequence[str], stop: StopSignal, supervisor: Supervisor, say: Say) -> int:
    try:
        if not settings.broker:
            settings = _with_broker(settings, supervisor, stop)
        for child in _children(settings, web):
            supervisor.add(child)
        say(f"up: data in {settings.data.absolute()}; Ctrl-C stops it")
        while not stop.wait(_LOOK_S):
            supervisor.look()
    finally:
        say("stopping")
        supervisor.stop([child.name for child in supervisor.children if child.name != _BROKER], _STOP_S)
        supervisor.stop([_BROKER], _STOP_BROKER_S)
    say("stopped")
    return 0


def _prepare(settings: Settings) -> None:
    store = open_store(settings)  # the schema is there before four processes look for it
    try:
        if not settings.broker:  # the embedded one starts empty
            store.write(lambda tx: pages.unannounce(tx, datetime.now(UTC)))
    finally:
        store.close()


def _with_broker(settings: Settings, supervisor: Supervisor, stop: StopSignal) -> Settings:
    broker = embedded(settings.data)
    broker.socket.unlink(missing_ok=True)  # left by a server that was killed; nobody uses it, as we hold the lock
    supervisor.add(Child(name=_BROKER, command=broker.command(), environment=dict(os.environ)))
    _await(broker.ready, stop, broker)
    return with_broker(settings, broker)


def _await(ready: Callable[[], bool], stop: StopSignal, broker: EmbeddedBroker) -> None:
    tries = int(_BROKER_READY_S / _LOOK_S)
    if not any(ready() or stop.wait(_LOOK_S / 5) for _ in range(5 * tries)):
        raise UpError(f"the embedded broker does not answer at {broker.socket}; see {broker.log}")


def _children(settings: Settings, web: Sequence[str]) -> list[Child]:
    # -P: a file of the current folder must not stand in for a module of ours; so our own folder has to be named
    home = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": home}
    run = [sys.executable, "-P", "-m"]
    commands: dict[str, Sequence[str]] = {
        "scheduler": [*run, "tasks.schedule"],
        "crawl worker": [*run, "tasks.worker", "crawl"],
        "process worker": [*run, "tasks.worker", "process"],
    }
    if web:
        commands["web"] = web
    return [Child(name=name, command=command, environment=environment) for name, command in commands.items()]


def _sign(lock: IO[str]) -> None:
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def teller(settings: Settings) -> Say:
    """What `up` tells people with on standard error: a line of words, or an event where the log is JSON."""
    if settings.log_format.lower() != "json":
        return _say
    set_up(settings, run=f"up-{os.uname().nodename}-{os.getpid()}")
    return lambda line: logging.getLogger("tasks.up").info("%s", line, extra=telling("up"))


def _say(line: str) -> None:
    sys.stderr.write(f"copydesk: {line}\n")
    sys.stderr.flush()
