"""Sets up the log of a long-running program: one line per event on standard error."""

import logging

from storage.masking import mask_logs

_CHATTY = ("celery.worker.strategy", "celery.app.trace")
"""They tell of each message twice; the tasks themselves say what they did."""


def set_up(level: str) -> None:
    """Log to standard error from that level on."""
    mask_logs()
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if level.upper() != "DEBUG":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
