"""Scrapy's HTTP handler with a bound on the head of a response, which neither it nor Twisted has.

Twisted bounds one header line (16 KiB), Scrapy the body: a server that sends header lines for as long as a request may
take would fill the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, ParseError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

MOST_HEAD = 262_144
"""Bytes of status line and headers, interim responses included: what browsers take too."""


class _Protocol(_LenientHTTP11ClientProtocol):
    head = 0

    def request(self, request: Any) -> Deferred[Any]:
        self.head = 0
        return super().request(request)

    def dataReceived(self, bytes: bytes) -> None:  # noqa: A002, N802 - Twisted's names
        super().dataReceived(bytes)  # type: ignore[no-untyped-call]
        if self._parser is not None and self._parser.state in (STATUS, HEADER):
            self.head += len(bytes)
            if self.head > MOST_HEAD:
                error = ParseError(f"more than {MOST_HEAD} bytes of headers", b"")  # type: ignore[no-untyped-call]
                self._giveUp(Failure(error))  # type: ignore[no-untyped-call]


class _Factory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _Protocol:  # noqa: ARG002, N802 - Twisted's name
        return _Protocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class BoundedHandler(HTTP11DownloadHandler):
    """What fetches http and https."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _Factory  # noqa: SLF001 - as the handler itself sets it
