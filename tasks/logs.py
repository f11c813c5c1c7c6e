"""Sets up the log of a program that runs until it is stopped."""

import logging
import sys
import threading
from types import TracebackType

from storage import logs
from storage.logs import telling
from storage.settings import Settings

_CHATTY = ("celery.worker.strategy", "celery.app.trace")
"""They tell of each message twice; the tasks themselves say what they did."""
_log = logging.getLogger("copydesk")


def set_up(settings: Settings, run: str | None = None) -> None:
    """Log to standard error as the settings say, with warnings and what nobody caught; `run` names the program."""
    logs.set_up(settings.log_level, settings.log_format)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = lambda told: _crashed(told.exc_type, told.exc_value, told.exc_traceback)
    if run is not None:
        logs.set_work(run=run)
    if settings.log_level.upper() != "DEBUG":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def _crashed(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, (KeyboardInterrupt, SystemExit)):
        return
    _log.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace), extra=telling("crashed"))
