"""Processes that read articles anew beside each other, and hand back what they saw in the order of the asking.

    python -m tasks.readers

is one of them: pickled places on standard input, what was seen of each on standard output; it ends with its input. They
are no multiprocessing pool: a page that kills its reader costs one article, and Ctrl-C reaches nobody but the caller.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

from storage.rereading import Place
from storage.settings import Settings
from storage.store import Store
from tasks.examine import Seen

if TYPE_CHECKING:
    from tasks.extract.recipes import Recipe

_WORTH_IT = 200
"""Articles for which another process is worth the second that its start takes."""
_AHEAD = 4
"""Articles that each reader may be ahead of the writer: a slow one must not let all others wait."""

_HOME = str(Path(__file__).resolve().parent.parent)


def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


# records hold read-only mappings, which pickle does not know
copyreg.pickle(MappingProxyType, lambda mapping: (_read_only, (dict(mapping),)))


def useful(articles: int) -> int:
    """How many readers are worth their start: at most as many as there are cores for this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, articles // _WORTH_IT))


class Readers:
    """A number of reading processes at work on one store."""

    def __init__(self, environment: Mapping[str, str], recipes: Mapping[str, Recipe], count: int) -> None:
        self._environment = dict(environment)
        self._recipes = dict(recipes)
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self.processes: list[subprocess.Popen[bytes]] = []
        """All that were started, those too that have died since."""
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")
        self._ahead = _AHEAD * count
        self._starting = threading.Lock()
        self._closed = False
        for _ in range(count):
            self._idle.put(self._start())

    def examine(self, places: Iterable[Place]) -> Iterator[tuple[Place, Seen]]:
        """What is seen of each place, in their order. Raises StoreBusy and SettingsError."""
        asked: deque[tuple[Place, Future[Seen]]] = deque()
        for place in places:
            asked.append((place, self._threads.submit(self._ask, place)))
            if len(asked) >= self._ahead:
                first, answer = asked.popleft()
                yield first, answer.result()
        for first, answer in asked:
            yield first, answer.result()

    def close(self) -> None:
        """End all readers, whatever they are at."""
        with self._starting:
            self._closed = True
        for process in self.processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self.processes:
            process.wait()
            for end in (process.stdin, process.stdout):
                assert end is not None
                with suppress(OSError):
                    end.close()

    def _again(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._closed:
                raise RuntimeError("the readers are closed")
            return self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "tasks.readers"]  # -P: not by a module of the current folder
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        # a session of its own: Ctrl-C ends the run by its caller, and no reader in the middle of an answer
        process = subprocess.Popen(command, env=self._environment, start_new_session=True, **pipes)
        self.processes.append(process)
        _send(process, self._recipes)
        return process

    def _ask(self, place: Place) -> Seen:
        process = self._idle.get()
        try:
            answer = _exchange(process, place)
        except (OSError, EOFError, pickle.UnpicklingError):
            process.kill()
            answer = Seen(error=f"it killed the process that read it (exit {process.wait()})")
            process = self._again()
        self._idle.put(process)
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def readers(store: Store, settings: Settings, recipes: Mapping[str, Recipe], count: int) -> Iterator[Readers]:
    """That many readers of a store, for as long as the block runs."""
    own = {"COPYDESK_DATABASE": store.engine.url.render_as_string(hide_password=False)}
    own |= {"COPYDESK_ARCHIVE": store.archive.root, "COPYDESK_DATA": str(settings.data)}
    own["PYTHONPATH"] = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
    found = Readers({**os.environ, **settings.environment(), **own}, recipes, count)
    try:
        yield found
    finally:
        found.close()


def _exchange(process: subprocess.Popen[bytes], place: Place) -> Seen | Exception:
    assert process.stdout is not None
    _send(process, place)
    return pickle.load(process.stdout)  # type: ignore[no-any-return]  # noqa: S301 - from a process of ours


def _send(process: subprocess.Popen[bytes], value: object) -> None:
    assert process.stdin is not None
    pickle.dump(value, process.stdin)
    process.stdin.flush()


def serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """Answer until there is nothing more to read."""
    from storage.errors import SettingsError, StoreBusy  # noqa: PLC0415 - only the child needs them
    from storage.settings import load_settings  # noqa: PLC0415
    from storage.store import open_store  # noqa: PLC0415
    from tasks.examine import examine  # noqa: PLC0415

    store = open_store(load_settings(), create=False)
    recipes = pickle.load(asked)  # noqa: S301 - from our parent
    while True:
        try:
            place = pickle.load(asked)  # noqa: S301
        except EOFError:
            return
        answer: Seen | Exception
        try:
            answer = examine(store, place, recipes)
        except (StoreBusy, SettingsError) as error:
            answer = error
        told.write(pickle.dumps(answer))
        told.flush()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not stand among the answers
    # by its real name: what is pickled in this module must be found in the parent's
    from tasks.readers import serve as serve_by_name

    serve_by_name(sys.stdin.buffer, answers)
