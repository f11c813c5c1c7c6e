"""One HTTP request through Scrapy's engine, and every way it can end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from crawler.answers import Answer, Trouble
from crawler.guard import Blocked, GuardedResolver
from storage.records import Headers

if TYPE_CHECKING:
    from scrapy.core.engine import ExecutionEngine
    from scrapy.crawler import Crawler
    from scrapy.http import Headers as ScrapyHeaders
    from scrapy.http import Response

_CODES: tuple[tuple[type[Exception], str], ...] = (
    (CannotResolveHostError, "dns"),
    (DownloadConnectionRefusedError, "refused"),
    (DownloadTimeoutError, "timeout"),
    (ResponseDataLossError, "truncated"),
    (DownloadCancelledError, "too_large"),  # Scrapy cancels a download that passes DOWNLOAD_MAXSIZE
    (UnsupportedURLSchemeError, "blocked_scheme"),
    (IgnoreRequest, "too_large"),  # raised by the decompression for the same limit
    (DownloadFailedError, "connection"),
)
_FAILURES: tuple[type[Exception], ...] = (*(kind for kind, _ in _CODES), OSError)


class Fetcher:
    """Makes GET requests, one at a time and slowly enough for each site."""

    def __init__(self, crawler: Crawler, now: Callable[[], datetime]) -> None:
        self._crawler = crawler
        self._now = now

    async def get(self, url: str, *, site: str, headers: Headers = ()) -> Answer | Trouble:
        """The answer, or why there is none. Redirects are answers like others; nobody follows them here."""
        try:
            request = Request(url, headers=list(headers), meta={"download_slot": site}, dont_filter=True)
        except ValueError as error:
            return Trouble(code="bad_url", detail=str(error))
        try:
            response = await self._engine.download_async(request)
        except _FAILURES as error:
            return Trouble(code=self._code(error, url), detail=str(error)[:300])
        return self._answer(request, response)

    def pace(self, site: str, delay_s: float) -> None:
        """Set the least time between two requests to a site."""
        downloader = self._engine.downloader
        # idle slots are dropped and made anew from the settings: both places have to know
        downloader.per_slot_settings.setdefault(site, {})["delay"] = delay_s
        if site in downloader.slots:
            downloader.slots[site].delay = delay_s

    @property
    def _engine(self) -> ExecutionEngine:
        assert self._crawler.engine is not None
        return self._crawler.engine

    def _answer(self, request: Request, response: Response) -> Answer:
        sent = _lines(request.headers)
        return Answer(
            url=response.url,
            status=response.status,
            headers=_lines(response.headers),
            body=response.body,
            at=self._now(),
            request_headers=sent,
        )

    def _code(self, error: Exception, url: str) -> str:
        if isinstance(error, Blocked):
            return error.code
        if isinstance(error, CannotResolveHostError) and _was_refused(urlsplit(url).hostname or ""):
            return "blocked_address"
        if isinstance(error, DownloadFailedError) and _is_tls(error):
            return "tls"
        return next((code for kind, code in _CODES if isinstance(error, kind)), "connection")


def _was_refused(host: str) -> bool:
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one, and Scrapy chooses which

    resolver = getattr(reactor, "nameResolver", None)
    return isinstance(resolver, GuardedResolver) and host in resolver.refused


def _is_tls(error: DownloadFailedError) -> bool:
    reasons = getattr(error.__cause__, "reasons", ())
    return any(type(reason.value).__module__.startswith(("OpenSSL", "service_identity")) for reason in reasons)


def _lines(headers: ScrapyHeaders) -> Headers:
    named = ((name, value) for name, values in headers.items() for value in values)
    return tuple((name.decode("latin-1"), _text(value)) for name, value in named)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
