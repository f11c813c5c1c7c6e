"""Runs a Celery worker on some of the queues until it is told to stop."""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from storage.errors import CopydeskError, UsageError
from storage.settings import Settings, load_settings

if TYPE_CHECKING:
    from tasks.app import CopydeskApp

ROLES = {"crawl": ("crawl", "maintain"), "process": ("process",), "all": ("crawl", "maintain", "process")}
"""What each kind of worker takes messages from."""
_EXIT_WITHIN_S = 3.0
"""What a worker may take to end after its tasks have ended or were put back."""


def run_worker(settings: Settings, queues: Sequence[str], concurrency: int | None = None) -> int:
    """Take messages from these queues until SIGTERM or SIGINT; returns the exit code.

    Without a `concurrency`, processing has as many processes as there are cores, and anything else two.

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
        set_up(settings.log_level)

    app = CopydeskApp(located(settings))
    signals.setup_logging.connect(log)
    signals.worker_shutting_down.connect(lambda **_: _stopping(app), weak=False)
    # Celery warns of root because of pickled messages; ours are JSON
    warnings.filterwarnings("ignore", message=".*superuser privileges.*")
    worker = app.Worker(
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
    return 0 if app.stopping.is_set() else worker.exitcode or 0


def _processes(queues: Sequence[str]) -> int:
    return (os.cpu_count() or 1) if "process" in queues else 2


def _stopping(app: "CopydeskApp") -> None:
    app.stopping.set()
    # Celery waits without end for a broker that dies during the shutdown; by then no task is left that could be lost
    from tasks.app import SOFT_SHUTDOWN_S  # noqa: PLC0415 - Celery must not be imported before run_worker has begun

    last = threading.Timer(SOFT_SHUTDOWN_S + _EXIT_WITHIN_S, os._exit, (0,))
    last.daemon = True
    last.start()


def main(argv: Sequence[str]) -> int:
    """`python -m tasks.worker ROLE [CONCURRENCY]`, with the settings of the environment."""
    try:
        if not argv or argv[0] not in ROLES:
            raise UsageError(f"worker: name a kind of worker: {', '.join(ROLES)}")
        return run_worker(load_settings(), ROLES[argv[0]], int(argv[1]) if len(argv) > 1 else None)
    except CopydeskError as error:
        logging.getLogger(__name__).critical("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
