"""One HTTP request through Scrapy's engine, in the site's own lane, and every way it can end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from scrapy import Request, signals
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    StopDownload,
    UnsupportedURLSchemeError,
)

from crawler import coding
from crawler.answers import Answer, Trouble, is_media
from crawler.connections import Key, close_idle, key_of, never_repeat, tell_when_sent
from crawler.guard import Blocked, GuardedResolver
from crawler.manners import PLAIN, Manner, secret_names, storable
from crawler.urls import origin_of
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
    (coding.CutShort, "truncated"),
    (coding.TooLarge, "too_large"),
    (DownloadCancelledError, "too_large"),  # Scrapy cancels a download that passes DOWNLOAD_MAXSIZE
    (UnsupportedURLSchemeError, "blocked_scheme"),
    (IgnoreRequest, "refused"),
    (DownloadFailedError, "connection"),
    (TunnelError, "proxy_refused"),
)
_FAILURES: tuple[type[Exception], ...] = (*(kind for kind, _ in _CODES), OSError)
_LOGIN_WANTED = 407
"""Proxy Authentication Required (RFC 9110 section 15.5.8): the answer of the proxy, not of the site."""

_SLACK_S = 0.1
"""How long a request may be on its way: so much later is the next one sent where no answer proves that it arrived."""

After = Callable[[Answer], Awaitable[Answer | Trouble]]
"""What is done with an answer as long as the site's turn lasts."""


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class _Lane:
    """One site's way through this process: a request at a time, each a delay after the one before it arrived.

    Where the operator lets several run at the same time, each goes a delay after the one before it got its connection.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    delay_s: float = 0.0
    arrived: float | None = None
    """When the last request had reached the site at the latest, in monotonic seconds."""
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    concurrency: int = 1
    sent: asyncio.Event = field(default_factory=_set_event)
    """Cleared while a request that others need not wait for has no connection yet."""
    rests_until: datetime | None = None
    """Nobody may ask before that, who waits for a turn neither."""
    way: Manner = PLAIN
    """The proxy through which the site is asked, and the log-in to it."""
    barred: Trouble | None = None
    """Why nothing may be asked at all: the proxy is not allowed, or its log-in is not set."""
    origins: set[str] = field(default_factory=set)

    def left_s(self) -> float:
        return 0.0 if self.arrived is None else self.arrived + self.delay_s - time.monotonic()


class Fetcher:
    """Makes GET requests, one at a time and slowly enough for each site.

    A delay is counted from the moment at which the last request had surely arrived: its first answering bytes, or its
    failure. Counted from the sending, a slow connection followed by a quick one would bring two requests too close.
    """

    def __init__(self, crawler: Crawler, now: Callable[[], datetime], most_bytes: int) -> None:
        self._crawler = crawler
        self._now = now
        self._most = most_bytes
        self._lanes: dict[str, _Lane] = {}
        crawler.signals.connect(self._look_at_headers, signals.headers_received)

    async def get(
        self,
        url: str,
        *,
        site: str,
        headers: Headers = (),
        only_pages: bool = False,
        form: Mapping[str, str] | None = None,
        after: After | None = None,
    ) -> Answer | Trouble:
        """The answer, or why there is none. Redirects are answers like others; nobody follows them here.

        `only_pages`: stop at the headers of what is no page by its type; such an answer has no body. `form`: post this
        instead of getting. `after`: let this make something of the answer before anybody else asks the site.
        """
        if barred := self._lanes.setdefault(site, _Lane()).barred:
            return barred
        request = self._request(url, site, site, headers, only_pages, form)
        if isinstance(request, Trouble):
            return request
        async with self.turn(site) as lane:
            if lane.rests_until is not None and self._now() < lane.rests_until:
                lane.sent.set()
                return Trouble(code="site_rests", detail=site, until=lane.rests_until)
            answer = await self._ask(lane, request)
            return await after(answer) if after and isinstance(answer, Answer) else answer

    @asynccontextmanager
    async def turn(self, site: str) -> AsyncIterator[_Lane]:
        """Wait until the site may be asked; nobody else asks it while the block runs, unless several may at a time."""
        lane = self._lanes.setdefault(site, _Lane())
        async with lane.room:
            async with lane.turn:
                await lane.sent.wait()
                while (left := lane.left_s()) > 0:  # noqa: ASYNC110 - an answer to another request may prolong it
                    await asyncio.sleep(left)
                never_repeat(self._engine)
                tell_when_sent(self._engine, self._note_sent)
                if lane.concurrency == 1:
                    yield lane
                    return
                lane.arrived = time.monotonic() + _SLACK_S
                lane.sent.clear()
            try:
                yield lane
            finally:
                lane.sent.set()

    async def within(self, url: str, *, site: str, home: str, headers: Headers = ()) -> Answer | Trouble:
        """Ask at once, in a `turn` at the site that the caller has; through the proxy of the site `home`."""
        if barred := self._lanes.setdefault(home, _Lane()).barred:
            return barred
        request = self._request(url, site, home, headers)
        lane = self._lanes.setdefault(site, _Lane())
        if lane.rests_until is not None and self._now() < lane.rests_until:
            return Trouble(code="site_rests", detail=site, until=lane.rests_until)
        return request if isinstance(request, Trouble) else await self._ask(lane, request)

    def route(self, site: str, *, way: Manner, barred: Trouble | None, concurrency: int) -> None:
        """Set how a site is reached, before its first request: by which way, and how many at the same time."""
        lane = self._lanes.setdefault(site, _Lane())
        lane.way, lane.barred = way, barred
        lane.room, lane.concurrency = asyncio.Semaphore(concurrency), concurrency
        if concurrency > 1:
            downloader = self._engine.downloader
            downloader.per_slot_settings.setdefault(site, {})["concurrency"] = concurrency
            if site in downloader.slots:
                downloader.slots[site].concurrency = concurrency

    def pace(self, site: str, delay_s: float) -> None:
        """Set the least time between two requests to a site."""
        self._lanes.setdefault(site, _Lane()).delay_s = delay_s

    def slow_down(self, site: str, delay_s: float) -> None:
        """Raise the least time between two requests to a site; it never gets shorter by this."""
        lane = self._lanes.setdefault(site, _Lane())
        lane.delay_s = max(lane.delay_s, delay_s)

    def rest(self, site: str, until: datetime) -> None:
        """Let nobody ask the site before that time, who waits for a turn neither (`site_rests`)."""
        lane = self._lanes.setdefault(site, _Lane())
        lane.rests_until = max(lane.rests_until or until, until)

    def left_s(self, site: str) -> float:
        """Seconds until the site may be asked again; 0 when it may be now."""
        lane = self._lanes.get(site)
        return max(0.0, lane.left_s()) if lane else 0.0

    def leave(self, site: str) -> None:
        """Keep nothing open to a site that another process may work on next, and forget its pace."""
        lane = self._lanes.pop(site, None)
        if lane is not None:
            close_idle(self._engine, lane.origins)

    @property
    def _engine(self) -> ExecutionEngine:
        assert self._crawler.engine is not None
        return self._crawler.engine

    def _request(
        self,
        url: str,
        site: str,
        home: str,
        headers: Headers,
        only_pages: bool = False,
        form: Mapping[str, str] | None = None,
    ) -> Request | Trouble:
        way = self._lanes[home].way
        headers = (*headers, *way.headers)
        facts: dict[str, Any] = {"download_slot": site, "only_pages": only_pages, "secret": secret_names(headers)}
        facts |= {"proxy": way.proxy} if way.proxy else {}
        try:
            request = Request(url, meta=facts, dont_filter=True, **_posting(form, headers))
            self._lanes.setdefault(site, _Lane()).origins.add(origin_of(url))
        except ValueError as error:
            return Trouble(code="bad_url", detail=str(error))
        return request

    def _note_sent(self, key: Key) -> None:
        """A request goes out: the delay of the next one to that site begins."""
        for lane in self._lanes.values():
            if not lane.sent.is_set() and any(key_of(origin) == key for origin in lane.origins):
                lane.arrived = time.monotonic() + _SLACK_S
                lane.sent.set()

    async def _ask(self, lane: _Lane, request: Request) -> Answer | Trouble:
        sent = time.monotonic()
        if "proxy" in request.meta:
            lane.sent.set()  # the connection is the proxy's, and says nothing of the site
        try:
            response = await self._engine.download_async(request)
            if response.status == _LOGIN_WANTED and "proxy" in request.meta:
                return Trouble(code="proxy_refused", detail="the proxy wants another log-in (407)")
            return self._answer(request, response, request.meta.get("answered_at", time.monotonic()) - sent)
        except _FAILURES as error:
            took = time.monotonic() - sent
            return Trouble(code=self._code(error, request.url), detail=str(error)[:300], took_s=took)
        finally:
            lane.arrived = max(lane.arrived or 0.0, request.meta.get("answered_at", time.monotonic()))

    def _look_at_headers(self, headers: ScrapyHeaders, request: Request) -> None:
        request.meta["answered_at"] = time.monotonic()
        kind = headers.get("Content-Type") or b""
        if request.meta.get("only_pages") and is_media(kind.decode("latin-1")):
            raise StopDownload(fail=False)

    def _answer(self, request: Request, response: Response, took_s: float) -> Answer:
        coded = [value.decode("latin-1") for value in response.headers.getlist("Content-Encoding")]
        body = coding.decode(response.body, coded, self._most)
        if len(body) > self._most:
            raise coding.TooLarge(f"more than {self._most} bytes")
        if coding.known(coded):
            response.headers.pop("Content-Encoding", None)
        return Answer(
            url=response.url,
            status=response.status,
            headers=_lines(response.headers),
            body=body,
            at=self._now(),
            request_headers=storable(_lines(request.headers), request.meta["secret"]),
            took_s=took_s,
        )

    def _code(self, error: Exception, url: str) -> str:
        if isinstance(error, Blocked):
            return error.code
        if isinstance(error, CannotResolveHostError) and _was_refused(urlsplit(url).hostname or ""):
            return "blocked_address"
        if isinstance(error, DownloadFailedError) and _is_tls(error):
            return "tls"
        return next((code for kind, code in _CODES if isinstance(error, kind)), "connection")


def _posting(form: Mapping[str, str] | None, headers: Headers) -> dict[str, Any]:
    if form is None:
        return {"headers": list(headers)}
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    return {"method": "POST", "body": urlencode(form), "headers": [*headers, kind]}


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
