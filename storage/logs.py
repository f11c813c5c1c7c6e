"""One line for each event that a program tells of, on standard error: text to read, or JSON to be collected.

A line says when, how grave, what happened (`action`, a word that stays the same), for which run, site and page, and
what a person may read. Lines of libraries have the library's name as their action.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any, Literal

from storage.masking import mask_logs, masked

Form = Literal["text", "json"]

_FACTS = "copydesk_facts"
_work: ContextVar[Mapping[str, Any]] = ContextVar("work", default={})  # noqa: B039 - never changed, only replaced


def telling(action: str, **facts: Any) -> dict[str, Any]:
    """What to hand to a logging call as `extra`: the event's action, and facts that a program may want to pick out."""
    return {_FACTS: {"action": action, **facts}}


@contextmanager
def working(**on: Any) -> Iterator[None]:
    """Let each line that is logged inside name what is worked on: `run`, `site`, `page`."""
    token = _work.set({**_work.get(), **on})
    try:
        yield
    finally:
        _work.reset(token)


def set_work(**on: Any) -> None:
    """As `working`, for the rest of this thread, task or process."""
    _work.set({**_work.get(), **on})


def set_up(level: str, form: str) -> None:
    """Log to standard error from that level on. Calling it again changes level and form."""
    mask_logs()
    root = logging.getLogger()
    ours = next((one for one in root.handlers if isinstance(one, _ToStandardError)), None)
    if ours is None:
        ours = _ToStandardError()
        root.addHandler(ours)
    ours.setFormatter(JsonLine() if form.lower() == "json" else TextLine())
    root.setLevel(level.upper())
    ours.setLevel(level.upper())  # a library may have given its own logger a lower level, as Scrapy does


class JsonLine(logging.Formatter):
    """A record as one JSON object: at, level, action, run, site, page, message, further facts, error, logger."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return json.dumps(event_of(record), ensure_ascii=False, default=str)


class TextLine(logging.Formatter):
    """A record as `TIME LEVEL ACTION NAME=VALUE…: MESSAGE`; what had several lines has ` | ` between them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        event = event_of(record)
        words = [event.pop(name) for name in ("at", "level", "action")]
        message, error = event.pop("message"), event.pop("error", "")
        del event["logger"]
        words += [f"{name}={_word(value)}" for name, value in event.items()]
        told = " | ".join(line.rstrip() for line in [*message.splitlines(), *error.splitlines()] if line.strip())
        return f"{' '.join(words)}: {told}"


def event_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record tells, by name, masked; absent names are left out."""
    facts: Mapping[str, Any] = getattr(record, _FACTS, None) or {"action": _library(record.name)}
    at = datetime.fromtimestamp(record.created, UTC)
    told: dict[str, Any] = {"at": f"{at:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z", "level": record.levelname}
    told |= {"action": facts["action"], **_work.get(), **facts, "message": record.getMessage()}
    if record.exc_info and record.exc_info[0] is not None:
        told["error"] = record.exc_text or logging.Formatter().formatException(record.exc_info)
    told["logger"] = record.name
    return {name: masked(value) if isinstance(value, str) else value for name, value in told.items()}


def _library(logger: str) -> str:
    return "warning" if logger == "py.warnings" else logger.partition(".")[0]


class _ToStandardError(logging.StreamHandler[IO[str]]):
    """Writes to what standard error is at that moment, not when it was made (as logging's own last resort does)."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> IO[str]:  # type: ignore[override]
        return sys.stderr


def _word(value: Any) -> str:
    text = str(value)
    return (
        json.dumps(text, ensure_ascii=False)
        if not text or any(char.isspace() or char == '"' for char in text)
        else text
    )
