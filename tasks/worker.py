"""Runs a Celery worker on some of the queues until it is told to stop."""

import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

from storage import logs
from storage.errors import CopydeskError, UsageError
from storage.logs import set_work, telling
from storage.settings import Settings, load_settings

if TYPE_CHECKING:
    from tasks.app import CopydeskApp

ROLES = {"crawl": ("crawl",), "process": ("process", "maintain"), "all": ("crawl", "maintain", "process")}
"""What each kind of worker takes messages from. A crawl stays for minutes: nothing that is wanted soon waits for it."""
_PAGE = f"<html><body><article><h1>A page</h1><p>{'Any text of an article will do. ' * 5}</p></article></body></html>"
_EXIT_WITHIN_S = 3.0
"""What a worker may take to end after its tasks have ended or were put back."""


def run_worker(settings: Settings, queues: Sequence[str], concurrency: int | None = None) -> int:
    """Take messages from these queues until SIGTERM or SIGINT; returns the exit code.

    Without a `concurrency`, processing has as many processes as there are cores, two at least, and anything else two.

    A stopping worker gives its tasks a few seconds, then puts them back into the queue. Raises UsageError when there is
    no broker.
    """
    # Celery reads this when it is imported: SIGTERM is to end with the soft shutdown, not to wait for long tasks
    os.environ["REMAP_SIGTERM"] = "SIGQUIT"
    from celery import signals  # noqa: PLC0415 - see above

    from tasks.app import CopydeskApp  # noqa: PLC0415 - see above
    from tasks.broker import located  # noqa: PLC0415 - see above
    from tasks.logs import set_up  # noqa: PLC0415 - see above

    def log(**_: Any) -> None:
        set_up(settings, run=f"{'-'.join(queues)}-{os.uname().nodename}-{os.getpid()}")

    def begin(task_id: str, **_: Any) -> None:
        set_work(run=task_id)

    app = CopydeskApp(located(settings))
    log()
    signals.setup_logging.connect(log)
    signals.task_prerun.connect(begin)
    # Celery warns of root because of pickled messages; ours are JSON
    warnings.filterwarnings("ignore", message=".*superuser privileges.*")
    if "process" in queues:
        load_models()
    worker = ending_soon(app.Worker, app)(
        hostname=f"{'-'.join(queues)}-{os.getpid()}@{os.uname().nodename}",
        queues=list(queues),
        concurrency=concurrency or _processes(queues),
        loglevel=settings.log_level.upper(),
        pool="prefork",
        optimization="fair",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return 0 if app.stopping.is_set() and not worker.failed else worker.exitcode or 0


def load_models() -> None:
    """Read a page before the pool forks: its processes share the models and word lists that this loads."""
    from tasks.extract.material import Material  # noqa: PLC0415 - only workers that process need it
    from tasks.pipeline import read  # noqa: PLC0415 - likewise

    now = datetime.now(UTC)
    read(Material(url="https://page.invalid/", status=200, headers=(), body=_PAGE.encode(), fetched_at=now))
    gc.freeze()  # the collector would write to them, and so make each process a copy


def ending_soon(kind: type[Any], app: "CopydeskApp") -> type[Any]:
    """The kind of worker, but one that ends in time, whatever its broker does.

    A connection lost at a bad moment can break the part of Celery that takes messages; Celery then waits for the tasks
    that run, ten minutes for a crawl, and takes nothing meanwhile. This one ends soon then, so that whoever supervises
    it starts another. And a stop signal is heard by its tasks at once, not after the soft shutdown.
    """

    class Worker(kind):  # type: ignore[misc]
        failed = False

        def install_platform_tweaks(self, worker: Any) -> None:
            super().install_platform_tweaks(worker)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _after(lambda: _stopping(app), signal.getsignal(number)))

        def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
            if exitcode and not app.stopping.is_set():
                self.failed = True
                _stopping(app, exitcode)
            super().stop(in_sighandler=in_sighandler, exitcode=exitcode)

    return Worker


def _after(first: Callable[[], None], then: Any) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        first()
        then(number, frame)

    return handle


def _processes(queues: Sequence[str]) -> int:
    return max(2, os.cpu_count() or 1) if "process" in queues else 2


def _stopping(app: "CopydeskApp", exitcode: int = 0) -> None:
    if app.stopping.is_set():
        return
    app.stopping.set()
    # Celery waits without end for a broker that dies during the shutdown; by then no task is left that could be lost
    from tasks.app import SOFT_SHUTDOWN_S  # noqa: PLC0415 - Celery must not be imported before run_worker has begun

    last = threading.Timer(SOFT_SHUTDOWN_S + _EXIT_WITHIN_S, os._exit, (exitcode,))
    last.daemon = True
    last.start()


def main(argv: Sequence[str]) -> int:
    """`python -m tasks.worker ROLE [CONCURRENCY]`, with the settings of the environment."""
    try:
        settings = load_settings()
        logs.set_up(settings.log_level, settings.log_format)
        if not argv or argv[0] not in ROLES:
            raise UsageError(f"worker: name a kind of worker: {', '.join(ROLES)}")
        return run_worker(settings, ROLES[argv[0]], int(argv[1]) if len(argv) > 1 else None)
    except CopydeskError as error:
        logging.getLogger("tasks.worker").critical("%s", error, extra=telling("not_started"))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
