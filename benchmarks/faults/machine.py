"""The system under test as its operator runs it: real commands, started again by a supervisor whenever they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks.faults.processes import Process, by_part, living
from storage.settings import Settings
from tasks.broker import EmbeddedBroker, embedded
from tasks.lifeline import die_with_parent

HOME = Path(__file__).resolve().parents[2]
STOP_WITHIN_S = 10.0
"""What a graceful end may take."""
_LOOK_S = 0.05
_AGAIN_S = 0.5
_ORPHAN_S = 30.0
"""How long a process may outlive the one that it belonged to."""


@dataclass(slots=True, kw_only=True)
class Role:
    """One command that is kept running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    due_at: float = 0.0
    held: bool = False
    """Whether it is not to be started for the time being."""


@dataclass(slots=True, kw_only=True)
class Doomed:
    """Processes that have to be gone by some time, and why."""

    why: str
    processes: list[Process]
    by: float = field(default_factory=lambda: time.monotonic() + _ORPHAN_S)


class Machine:
    """All commands of a run, as a context manager. Its methods belong to the main thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.broker: EmbeddedBroker = embedded(settings.data)
        self.wrong: list[str] = []
        """What should not have happened, in sentences."""
        self.roles = {name: Role(name=name, command=command) for name, command in self._commands().items()}
        self._doomed: list[Doomed] = []
        self._pause = threading.Event()
        self._log = (settings.data / "log").open("ab")

    def __enter__(self) -> Machine:
        self.look()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one in living(self.settings.data):
            one.send(signal.SIGKILL)
        for role in self.roles.values():
            if role.process is not None:
                role.process.wait()
        self._log.close()

    def look(self) -> None:
        """Start again what has ended, and note what lives that should not."""
        now = time.monotonic()
        for role in self.roles.values():
            if role.process is not None and role.process.poll() is not None:
                role.process, role.due_at = None, now + _AGAIN_S
            if role.process is None and not role.held and now >= role.due_at:
                self._start(role)
        for one in [one for one in self._doomed if now >= one.by]:
            self._doomed.remove(one)
            self.wrong += [f"{one.why}: {left.command[-3:]} outlived it" for left in one.processes if left.is_alive()]

    def parts(self) -> dict[str, list[Process]]:
        """The living processes by the part that each plays."""
        return by_part(living(self.settings.data))

    def until(self, true: Callable[[], object], within_s: float) -> bool:
        """Keep everything running until that is true or the time is over; returns whether it is true."""
        deadline = time.monotonic() + within_s
        while not true():
            if time.monotonic() >= deadline:
                return False
            self.look()
            self._pause.wait(_LOOK_S)
        return True

    def hold(self, seconds: float) -> None:
        """Keep everything running for that long."""
        self.until(lambda: False, seconds)

    def doom(self, why: str, lord: Process) -> None:
        """Expect all that belongs to this process to end with it, by itself."""
        self._doomed.append(Doomed(why=why, processes=descendants(lord, living(self.settings.data))))

    def ask_to_end(self, what: str, one: Process) -> None:
        """Send SIGTERM, and see that the process ends in time, and with 0 where we are told its exit code."""
        self.doom(f"SIGTERM of the {what}", one)
        role = next((r for r in self.roles.values() if r.process is not None and r.process.pid == one.pid), None)
        process, began = role.process if role else None, time.monotonic()
        one.send(signal.SIGTERM)
        if not self.until(lambda: not one.is_alive(), STOP_WITHIN_S):
            self.wrong.append(f"SIGTERM of the {what}: still there after {STOP_WITHIN_S:g} s")
            one.send(signal.SIGKILL)
        elif process is not None and process.wait() != 0:
            told = f"exit code {process.returncode} after {time.monotonic() - began:.1f} s"
            self.wrong.append(f"SIGTERM of the {what}: {told}")

    def stop(self) -> None:
        """Ask everything to end, and note what does not or leaves something behind."""
        brokers = self.roles.pop("broker", None)
        ended = [(role.name, role.process) for role in self.roles.values() if role.process is not None]
        self.roles.clear()
        for _, process in ended:
            process.terminate()
        self.until(lambda: all(process.poll() is not None for _, process in ended), STOP_WITHIN_S)
        for name, process in ended:
            if process.poll() != 0:
                self.wrong.append(f"the end of the {name}: exit code {process.poll()}")
        if brokers is not None and brokers.process is not None:
            brokers.process.terminate()
            brokers.process.wait()
        if not self.until(lambda: not living(self.settings.data), 2.0):
            self.wrong += [f"orphan: {one.command[-3:]}" for one in living(self.settings.data)]

    def _start(self, role: Role) -> None:
        environment = {**os.environ, **self.settings.environment(), "COPYDESK_DATA": str(self.settings.data)}
        environment["PYTHONPATH"] = str(HOME)
        role.process = subprocess.Popen(
            list(role.command),
            env=environment,
            cwd=self.settings.data,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - nothing is left of a run that is killed
        )

    def _commands(self) -> dict[str, Sequence[str]]:
        copydesk = [sys.executable, "-P", "-m", "console"]
        if not self.settings.broker:
            return {"up": [*copydesk, "up"]}
        worker = [*copydesk, "worker", "--concurrency", "2"]
        return {
            "broker": self.broker.command(),
            "scheduler": [*copydesk, "scheduler"],
            "crawl worker": [*worker, "crawl"],
            "process worker": [*worker, "process", "maintain"],
        }


def descendants(lord: Process, found: list[Process]) -> list[Process]:
    """The processes that a process started, and those that they started."""
    own = [one for one in found if one.parent == lord.pid]
    return [*own, *(below for one in own for below in descendants(one, found))]
