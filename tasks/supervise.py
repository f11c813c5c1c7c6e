"""Keeps child processes alive: starts them, starts one that died again after a while, and stops them all in time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tasks.lifeline import die_with_parent, is_alive, reap

Say = Callable[[str], None]

_LOOK_S = 0.05
_LONGEST_PAUSE_S = 30.0
_SETTLED_S = 60.0
"""A child that lived this long has got over whatever killed it before."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    deaths: int = field(default=0, init=False)
    due_at: float = field(default=0.0, init=False)

    def start(self, now: float) -> None:
        """Start it, in a group of its own: a terminal's Ctrl-C goes to the supervisor alone."""
        self.process = subprocess.Popen(
            list(self.command),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # logs go to standard error
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started_at = now

    def died(self, now: float) -> int | None:
        """The exit code of a child that has just died, with the time of its next start set; else None."""
        if self.process is None or self.process.poll() is None:
            return None
        code, self.process = self.process.returncode, None
        self.deaths = 1 if now - self.started_at >= _SETTLED_S else self.deaths + 1
        self.due_at = now + pause(self.deaths)
        return code


def pause(deaths: int) -> float:
    """Seconds before a child that died that many times in a row is started again."""
    return float(min(_LONGEST_PAUSE_S, 2 ** min(deaths - 1, 10)))


class Supervisor:
    """A group of children. Its methods belong to one thread, the main one."""

    def __init__(self, say: Say, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self.children: list[Child] = []

    def add(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        self.children.append(child)
        self._start(child)

    def look(self) -> None:
        """Notice who died, and start again whose time has come. Call it a few times a second."""
        now = self._clock()
        for child in self.children:
            if child.process is not None:
                reap(child.process.pid, child.process.pid)
            code = child.died(now)
            if code is not None:
                self._say(f"{child.name} ended with code {code}; it starts again in {child.due_at - now:.0f} s")
            elif child.process is None and now >= child.due_at:
                self._start(child)

    def stop(self, names: Sequence[str], within_s: float) -> None:
        """Ask these children to end, and kill with all their processes those that have not ended in that time."""
        chosen = [child for child in self.children if child.name in names and child.process is not None]
        for child in chosen:
            child.process.terminate()  # type: ignore[union-attr]
        deadline = self._clock() + within_s
        for child in chosen:
            self._end(child, deadline)
        self.children = [child for child in self.children if child.name not in names]

    def _start(self, child: Child) -> None:
        child.start(self._clock())
        assert child.process is not None
        self._say(f"{child.name} started (process {child.process.pid})")

    def _end(self, child: Child, deadline: float) -> None:
        assert child.process is not None
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=max(0.0, deadline - self._clock()))
        # its own children may still be giving back what they hold
        while self._is_left(child.process.pid) and self._clock() < deadline:
            time.sleep(_LOOK_S)
        if not is_alive(child.process.pid):
            self._say(f"{child.name} stopped")
            return
        self._say(f"{child.name} did not stop in time: killed")
        with suppress(ProcessLookupError):  # it ended at this very moment
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()

    def _is_left(self, group: int) -> bool:
        reap(group, group)
        return is_alive(group)
