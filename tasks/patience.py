"""A bound on the processor time that one stranger's page may take: a pattern or a library may meet its worst case."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import CopydeskError

MOST_CPU_S = 30.0
"""For one page. The largest honest page that is let in takes a fifth of that."""


class TookTooLong(CopydeskError):
    """A page took more processor time than any page may."""


@contextmanager
def at_most(cpu_s: float = MOST_CPU_S) -> Iterator[None]:
    """Break off what runs in the block after that much of this process's own processor time. Raises TookTooLong.

    It works by a signal, so only in a main thread, where workers and commands process pages; elsewhere, and inside of
    another such block, it does nothing. The block must not touch the store: it is broken off wherever it is.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_VIRTUAL)[0]:
        yield
        return
    at_work = True

    def end(*_: object) -> None:
        if at_work:
            raise TookTooLong(f"the page took more than {cpu_s:g} seconds of processor time")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s, 1.0)  # and again, in case a library swallows the first one
    try:
        yield
    finally:
        at_work = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
