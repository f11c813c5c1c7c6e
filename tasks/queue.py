"""The queue as the rest of the system sees it: send a message, count what waits, announce pages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from storage.errors import CopydeskError
from tasks.app import PROCESS_PAGES, CopydeskApp

_CONNECT_S = 4.0
_MARK = "copydesk.mark"
"""A key that is in the broker as long as it has forgotten nothing."""


class BrokerDown(CopydeskError):
    """The broker cannot be reached for now; what was to be sent stays in the database, for the next sweep."""


class MessageQueue(Protocol):
    """What the scheduler needs of a broker to tell of work. Both methods raise BrokerDown."""

    def send(self, task: str, *args: object, expires_s: float | None = None) -> None:
        """Send one message to the task's queue; a worker that takes it after `expires_s` drops it."""

    def waiting(self, queue: str) -> int:
        """How many messages of a queue no worker has taken yet."""


class Forgetful(Protocol):
    """What shows that a broker has lost its messages. Both methods raise BrokerDown."""

    def forgot(self) -> bool:
        """Whether the broker has lost what it held since the last call of `mark`, as one that came back empty."""

    def mark(self) -> None:
        """Leave a mark in the broker, which it loses when it loses its messages."""


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
            # as Celery declares it: RabbitMQ refuses a second declaration that differs (AMQP 0-9-1, queue.declare)
            declared = connection.default_channel.queue_declare(queue, durable=True, auto_delete=False)
            return int(declared.message_count)

    def forgot(self) -> bool:
        """Whether the mark is gone; False for a broker that takes none. Raises BrokerDown."""
        return self._with_redis(lambda client: not client.exists(_MARK))

    def mark(self) -> None:
        """Leave the mark, where the broker takes one. Raises BrokerDown."""
        self._with_redis(lambda client: bool(client.set(_MARK, 1)))

    def workers(self, timeout_s: float = 1.0) -> list[str]:
        """The names of the workers that answer within that time. Raises BrokerDown."""
        with _broker_errors(self._app), self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=_CONNECT_S)
            answers = self._app.control.ping(timeout=timeout_s, connection=connection)
            return sorted(name for answer in answers for name in answer)

    def _with_redis(self, call: Callable[[Any], bool]) -> bool:
        with _broker_errors(self._app), self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=_CONNECT_S)
            client = getattr(connection.default_channel, "client", None)  # only the channels of Redis have one
            return client is not None and call(client)


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
