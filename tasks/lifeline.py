"""Ties processes together: a child ends with its parent, and a parent waits for signals without losing one."""

import ctypes
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.sharedctypes import RawValue
from types import FrameType, TracebackType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(sent: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a child is to run between fork and exec so that it gets that signal when its parent dies (prctl(2)).

    Does nothing where there is no prctl. The signal follows the *thread* that forks: start children from the main one.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork, where nothing may be loaded
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sent))
        if os.getppid() != parent:  # it died in between: nobody would send the signal any more
            os.kill(os.getpid(), sent)

    return ask


def adopt_orphans() -> None:
    """Let processes whose parent dies become children of this one, so that none outlives it unseen (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def reap(group: int, leader: int) -> None:
    """Take note of the deaths in a process group, but leave the leader's to whoever started it."""
    if sys.platform != "linux":
        return
    with suppress(ChildProcessError):  # nobody of the group is a child of ours
        while found := os.waitid(os.P_PGID, group, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid == leader:
                return
            os.waitpid(found.si_pid, 0)


def is_alive(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class SharedStop:
    """A flag that the processes forked from this one see as well. Setting it takes no lock: a signal handler may."""

    def __init__(self) -> None:
        self._flag = RawValue(ctypes.c_bool, False)

    def set(self) -> None:
        """Ask everybody to stop."""
        self._flag.value = True

    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return bool(self._flag.value)


class StopSignal:
    """Becomes set when SIGTERM or SIGINT arrives; waiting ends at once then. Use it in the main thread, as a context.

    An Event cannot do this: setting it in a signal handler may find its lock held by the very wait it interrupts.
    With `within_s`, the process ends that many seconds after the signal, with 0, even if whatever it is doing then does
    not come to an end: only where nothing can be lost by that.
    """

    def __init__(self, *, within_s: float | None = None) -> None:
        self._asked = False
        self._within_s = within_s
        self._before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
        self._inlet, self._outlet = socket.socketpair()
        for end in (self._inlet, self._outlet):
            end.setblocking(False)

    def __enter__(self) -> "StopSignal":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)
        self._before_fd = signal.set_wakeup_fd(self._inlet.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._inlet.close()
        self._outlet.close()

    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked

    def wait(self, timeout: float) -> bool:
        """Wait that many seconds, or until somebody asks to stop; returns whether somebody did."""
        if not self._asked:
            select.select([self._outlet], [], [], timeout)
        return self._asked

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._within_s is not None and not self._asked:
            last = threading.Timer(self._within_s, os._exit, (0,))
            last.daemon = True
            last.start()
        self._asked = True
