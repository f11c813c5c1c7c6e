"""The queue as the rest of the system sees it: send a message, count what waits, announce pages in batches."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from storage.errors import CopydeskError
from tasks.app import PROCESS_PAGES, CopydeskApp

_CONNECT_S = 4.0


class BrokerDown(CopydeskError):
    """The broker cannot be reached for now; what was to be sent stays in the database, for the next sweep."""


class MessageQueue(Protocol):
    """What the scheduler needs of a broker. Both methods raise BrokerDown."""

    def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
        """Send one message to the task's queue; a worker that takes it after `expires_s` drops it."""

    def waiting(self, queue: str) -> int:
        """How many messages of a queue no worker has taken yet."""


class CeleryQueue:
    """The queues of a Celery application."""

    def __init__(self, app: CopydeskApp) -> None:
        self._app = app

    def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
        """Send one message. Raises BrokerDown."""
        with _broker_errors(self._app):
            self._app.send_task(task, args=args, expires=expires_s)

    def waiting(self, queue: str) -> int:
        """How many messages wait. Raises BrokerDown."""
        with _broker_errors(self._app), self._app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=_CONNECT_S)
            return int(connection.default_channel.queue_declare(queue).message_count)

    def workers(self, timeout_s: float = 1.0) -> list[str]:
        """The names of the workers that answer within that time. Raises BrokerDown."""
        with _broker_errors(self._app), self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=_CONNECT_S)
            answers = self._app.control.ping(timeout=timeout_s, connection=connection)
            return sorted(name for answer in answers for name in answer)


class Announcer:
    """Gathers ids of fetched pages and sends them in batches: when a batch is full, or has waited for `patience_s`."""

    def __init__(
        self,
        send: Callable[[list[int]], None],
        *,
        size: int,
        patience_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._size = size
        self._patience_s = patience_s
        self._clock = clock
        self._ids: list[int] = []
        self._since = clock()

    def add(self, page_ids: Sequence[int]) -> None:
        """Take ids in; send what is ready."""
        if not self._ids:
            self._since = self._clock()
        self._ids += page_ids
        while len(self._ids) >= self._size:
            self._send(self._ids[: self._size])
            del self._ids[: self._size]
        if self._clock() - self._since >= self._patience_s:
            self.flush()

    def flush(self) -> None:
        """Send the rest."""
        if self._ids:
            self._send(self._ids)
            self._ids = []


def announce(queue: MessageQueue, page_ids: Sequence[int]) -> None:
    """Tell the process workers of fetched pages. Raises BrokerDown."""
    queue.send(PROCESS_PAGES, list(page_ids))


@contextmanager
def _broker_errors(app: CopydeskApp) -> Iterator[None]:
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - with the connection, not before

    connection = app.connection_for_write()
    try:
        yield
    except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerDown(f"broker {connection.as_uri()}: {error or type(error).__name__}") from error
