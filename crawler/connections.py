"""The connections that Scrapy keeps open between requests: closed when a site is left, never used to repeat a request.

And who waits for it is told when a request has its connection, which is when it is sent.

Scrapy has no setting for either, so this reaches into its HTTP handler. Where a program brings a handler of its own,
there is nothing to reach for, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from crawler.urls import DEFAULT_PORTS, parse

if TYPE_CHECKING:
    from scrapy.core.engine import ExecutionEngine


Key = tuple[bytes, bytes, int]
"""Scheme, host and port."""


def never_repeat(engine: ExecutionEngine) -> None:
    """Let no request be sent a second time by itself: the site would see two at once.

    Twisted does that when a kept connection breaks under a request. The page is simply tried again later.
    """
    for pool in _pools(engine):
        pool.retryAutomatically = False


def close_idle(engine: ExecutionEngine, origins: Collection[str]) -> None:
    """Close the idle connections to these origins: the next process to work on the site opens its own."""
    wanted = {key_of(origin) for origin in origins}
    for pool in _pools(engine):
        for key in [key for key in pool._connections if tuple(key[:3]) in wanted]:  # noqa: SLF001
            for connection in pool._connections.pop(key):  # noqa: SLF001
                pool._timeouts.pop(connection).cancel()  # noqa: SLF001
                connection.transport.loseConnection()


def tell_when_sent(engine: ExecutionEngine, told: Callable[[Key], None]) -> None:
    """Let `told` hear to whom each request goes at the moment at which it gets its connection, new or kept."""
    for pool in _pools(engine):
        if not getattr(pool, "tells_when_sent", False):
            pool.getConnection, pool.tells_when_sent = _telling(pool.getConnection, told), True


def _telling(connect: Callable[[Any, Any], Any], told: Callable[[Key], None]) -> Callable[[Any, Any], Any]:
    def get(key: Any, endpoint: Any) -> Any:
        def tell(connection: Any) -> Any:
            told(tuple(key[:3]))
            return connection

        return connect(key, endpoint).addCallback(tell)

    return get


def key_of(origin: str) -> Key:
    """How an origin is called among the connections."""
    address = parse(origin)
    host = origin.partition("://")[2].rpartition(":")[0] if address.port else origin.partition("://")[2]
    return address.scheme.encode(), host.encode(), address.port or DEFAULT_PORTS[address.scheme]


def _pools(engine: ExecutionEngine) -> Iterator[Any]:
    handlers = engine.downloader.handlers._handlers.values()  # noqa: SLF001
    return (handler._pool for handler in handlers if hasattr(handler, "_pool"))  # noqa: SLF001
