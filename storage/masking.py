"""Passwords out of what is shown and logged: `https://user:pass@host` becomes `https://user:***@host`."""

import logging
import re
from typing import Any

_LOGIN = re.compile(r"\b([A-Za-z][A-Za-z0-9+.\-]{0,30}://[^\s:/?#@]{0,200}):[^\s/]{1,500}@")


def masked(text: str) -> str:
    """The text with a mark in the place of each password in an address (RFC 3986 section 3.2.1)."""
    return _LOGIN.sub(r"\1:***@", text) if "@" in text else text


class MaskedRecord(logging.LogRecord):
    """A log record that tells no password, whoever writes it: Scrapy, Celery, a driver, or we."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = masked(logging.Formatter().formatException(self.exc_info))  # formatters take it as it is

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        """The message, filled in and masked."""
        return masked(super().getMessage())


def mask_logs() -> None:
    """Let every record of this process be masked."""
    logging.setLogRecordFactory(MaskedRecord)
