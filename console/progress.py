"""A progress bar on standard error for long work, with its rate and the time left, where a person looks at it."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

_WINDOW_S = 15.0
"""The rate is that of so many seconds past: work has quick and slow stretches."""


@dataclass(slots=True)
class Pace:
    """How quickly something gets on."""

    clock: Callable[[], float] = time.monotonic
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def at(self, done: int) -> float | None:
        """Note how much is done by now; returns how much a second that is, None while it is too early to say."""
        now = self.clock()
        self._marks.append((now, done))
        while now - self._marks[0][0] > _WINDOW_S and len(self._marks) > 2:
            self._marks.popleft()
        since, before = self._marks[0]
        return (done - before) / (now - since) if now - since >= 1 else None


@dataclass(slots=True)
class Seldom:
    """Asks a question that costs something no more than every so many seconds; gives the last answer else."""

    ask: Callable[[], int]
    every_s: float
    clock: Callable[[], float] = time.monotonic
    _due: float = float("-inf")
    _last: int = 0

    def __call__(self) -> int:
        """The answer, or the one before."""
        if self.clock() >= self._due:
            self._last, self._due = self.ask(), self.clock() + self.every_s
        return self._last


def shown_rate(rate: float | None) -> str | None:
    """A rate as people read it: by the second, or by the minute where that would be less than one."""
    if rate is None:
        return None
    if rate >= 10:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 or rate == 0 else f"{60 * rate:.1f}/min"


@contextmanager
def growing_bar(label: str, *, length: int = 0, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A call that sets the bar to `done` of `length`, both of which may grow."""
    hidden = not (shown and sys.stderr.isatty())
    pace = Pace()
    same: dict[str, Any] = {"label": label, "file": sys.stderr, "hidden": hidden, "show_pos": True}
    with click.progressbar(length=length, item_show_func=lambda rate: rate, show_percent=False, **same) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos, shown_rate(pace.at(done)))

        yield tell


@contextmanager
def progress_bar(length: int, label: str, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """A call that moves the bar on by so many of `length`."""
    done = 0
    with growing_bar(label, length=length, shown=shown) as tell:

        def advance(more: int) -> None:
            nonlocal done
            done += more
            tell(done, length)

        yield advance
