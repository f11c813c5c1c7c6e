"""Pages whose text comes from scripts: shown by a browser that gets every byte through the guarded fetcher.

A page and all that its scripts fetch count as one request to its site: they go out one after the other in one turn,
and the delay is kept before and after. Other sites, from which scripts come, are entered as a guest for that time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crawler.addresses import refusal
from crawler.answers import Answer, Trouble, failure
from crawler.extras import NO_BROWSER, can_render
from crawler.fetcher import Fetcher
from crawler.gate import BUSY_FOR, Gate
from crawler.guests import PATIENCE_S
from crawler.urls import site_of
from crawler.visit import Visit
from storage.logs import telling
from storage.records import Headers

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.browser import Browser, Route, Wanted

MARK = "X-Archive-Rendered"
"""The header line by which a stored exchange says that its body is what a browser made of the answer."""
MOST_PARTS = 100
"""Scripts and data files of one page."""
_AT_ONCE = 2
_SHOWN = frozenset({"text/html", "application/xhtml+xml"})
_FETCHED = frozenset({"script", "xhr", "fetch"})
_ASKED_WITH = ("accept", "authorization", "origin", "referer")
"""Headers of a script's request that are sent on, beside those that begin with x-."""
_STALE = frozenset({"content-type", "content-encoding", "content-length", "etag", "last-modified", MARK.lower()})
"""Headers that speak of the bytes before the scripts ran."""

log = logging.getLogger(__name__)


class Renderer:
    """Shows pages for all visits of a crawl process. The browser is started for the first of them."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._browser: Browser | None = None
        self._version = ""
        self._starting = asyncio.Lock()
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def render(self, visit: Visit, answer: Answer, headers: Headers) -> Answer | Trouble:
        """A page as it is after its scripts ran. What is no page, or no success, stays as it is.

        To be called in the turn at the site from which `answer` came; `headers` are the source's own, for its own site.
        Codes: `no_browser`, `render_timeout`, `render_failed`, `too_large`, and `site_busy` where a part could not be
        had for now.
        """
        if failure(answer) or (answer.header("content-type") or "").partition(";")[0].strip().lower() not in _SHOWN:
            return answer
        browser = await self._started()
        if isinstance(browser, str):
            return Trouble(code="no_browser", detail=browser, took_s=answer.took_s)
        async with self._room:
            return await self._show(browser, visit, answer, headers)

    async def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            with suppress(_errors()):  # it may be dead already
                await self._browser.close()

    async def _show(self, browser: Browser, visit: Visit, answer: Answer, headers: Headers) -> Answer | Trouble:
        settings = visit.bench.settings
        async with _Showing(visit, answer, headers) as showing:
            try:
                async with asyncio.timeout(settings.timeout_s):
                    text = await browser.show(
                        answer.url, showing.reply, agent=settings.agent, longest_s=settings.timeout_s
                    )
            except TimeoutError:
                return Trouble(code="render_timeout", detail=f"not shown within {settings.timeout_s:.0f} s")
            except _errors() as error:
                return Trouble(code="render_failed", detail=str(error).partition("\n")[0][:300])
            finally:
                showing.tell()
        return showing.result(text, self._version)

    async def _started(self) -> Browser | str:
        """The running browser, or why there is none."""
        if not can_render():
            return NO_BROWSER
        from crawler.browser import Browser  # noqa: PLC0415 - of the extra, and few crawls need it

        async with self._starting:
            if self._browser is None:
                browser = Browser(self._crawler)
                try:
                    self._version = await browser.start()
                except _errors() as error:
                    await browser.close()
                    log.warning("no browser could be started: %s", error, extra=telling("no_browser"))
                    return f"no browser could be started ({str(error).partition(chr(10))[0][:200]}); {NO_BROWSER}"
                self._browser = browser
        return self._browser


class _Showing:
    """One page that is being shown: the sites that it was led to, and what became of what it asked for."""

    def __init__(self, visit: Visit, answer: Answer, headers: Headers) -> None:
        self._visit = visit
        self._answer = answer
        self._headers = headers
        self._home = site_of(answer.url)
        self._entered = {self._home: True}
        self._door = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._served = False
        self._room = visit.bench.settings.max_bytes
        self._parts = 0
        self._refused: Counter[str] = Counter()
        bench = visit.bench
        rules = {"agent": bench.settings.user_agent, "allowed": bench.settings.allow_addresses, "now": bench.now}
        inner = _Within(bench.fetcher, self._home, self._entered)
        self._gate = Gate(inner, bench.guests, bench.ledger, **rules)  # type: ignore[arg-type]

    async def __aenter__(self) -> _Showing:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self._stack.aclose())

    async def reply(self, route: Route, wanted: Wanted) -> None:
        """Answer one request of the page, or refuse it and count why."""
        try:
            if wanted.is_navigation_request():
                await self._navigate(route, wanted)
            elif wanted.resource_type == "stylesheet":
                await route.fulfill(status=200, content_type="text/css", body="")  # scripts may wait for it
            elif wanted.resource_type not in _FETCHED:
                await route.abort("blockedbyclient")
            else:
                await self._fetch(route, wanted)
        except _errors() as error:  # the page is closed already, and waits for no answer
            log.debug("%s: %s", wanted.url, error, extra=telling("render_unanswered"))

    def result(self, text: str, version: str) -> Answer | Trouble:
        """The page as shown, and marked as such."""
        if self._refused["site_busy"]:
            return Trouble(code="site_busy", detail="a part of the page", until=self._visit.bench.now() + BUSY_FOR)
        body = text.encode("utf-8", "replace")
        if len(body) > self._visit.bench.settings.max_bytes:
            return Trouble(code="too_large", detail=f"{len(body)} bytes after its scripts ran")
        kept = [line for line in self._answer.headers if line[0].lower() not in _STALE]
        made = f"Chromium {version}; {self._parts} parts fetched, {self._refused.total()} refused"
        lines = (*kept, ("Content-Type", "text/html; charset=utf-8"), (MARK, made))
        return replace(self._answer, body=body, headers=lines)

    def tell(self) -> None:
        """Count what was refused, and log it in one line."""
        tally = self._visit.bench.ledger.tally
        tally.update({"rendered": 1} | {f"render_refused_{code}": count for code, count in self._refused.items()})
        if self._refused:
            told = ", ".join(f"{count} {code}" for code, count in sorted(self._refused.items()))
            more = telling("render_refused", url=self._answer.url)
            log.warning("%s: its scripts asked for what was refused: %s", self._answer.url, told, extra=more)

    async def _navigate(self, route: Route, wanted: Wanted) -> None:
        """Serve the page itself, once. A frame in it is left out; a script that leads elsewhere is not followed."""
        if wanted.frame.parent_frame is not None:
            await route.abort("blockedbyclient")
        elif self._served:
            self._refused["navigation"] += 1
            await route.abort("aborted")  # which leaves the page as it is
        else:
            self._served = True
            await _fulfil(route, self._answer)

    async def _fetch(self, route: Route, wanted: Wanted) -> None:
        got = await self._part(wanted)
        if isinstance(got, Answer):
            self._room -= len(got.body)
            self._parts += 1
            await _fulfil(route, got)
        else:
            self._refused[got.code] += 1
            await route.abort("blockedbyclient")

    async def _part(self, wanted: Wanted) -> Answer | Trouble:
        """A script or a data file, behind its redirects. Every hop is judged by the guard and by robots.txt."""
        if wanted.method != "GET":
            return Trouble(code="method")
        url, settings = wanted.url, self._visit.bench.settings
        own = tuple((n, v) for n, v in wanted.headers.items() if n in _ASKED_WITH or n.startswith("x-"))
        for _ in range(settings.max_redirects + 1):
            async with self._door:  # one at a time: it counts as one request to a site
                if self._parts >= MOST_PARTS or self._room <= 0:
                    return Trouble(code="too_many_parts" if self._room > 0 else "too_large")
                answer = await self._ask(url, own)
            target = answer.target() if isinstance(answer, Answer) else None
            if target is None:
                return answer
            url = target
        return Trouble(code="redirect_limit")

    async def _ask(self, url: str, own: Headers) -> Answer | Trouble:
        bench = self._visit.bench
        if code := refusal(url, bench.settings.allow_addresses):
            return Trouble(code=code)
        site = site_of(url)
        if not await self._enter(site):
            return Trouble(code="site_busy")
        verdict = await self._gate.verdict(url)
        bench.fetcher.slow_down(site, min(verdict.delay_s, bench.settings.max_delay_s))
        if verdict.protest is not None:
            await self._visit.give_peace(site, verdict.protest)
        if verdict.code:
            return Trouble(code=verdict.code)
        safe = url.startswith("https:") or not self._answer.url.startswith("https:")
        given = self._headers if site == self._home and safe else ()
        named = {name.lower() for name, _ in given}
        headers = (*given, *(line for line in own if line[0].lower() not in named))
        answer = await bench.fetcher.within(url, site=site, home=self._home, headers=headers)
        if isinstance(answer, Answer):
            await self._visit.heed(site, answer)
        return answer

    async def _enter(self, site: str) -> bool:
        """Have the turn at a site until the page is shown; not if another has it for longer than a guest waits."""
        if site not in self._entered:
            bench = self._visit.bench
            self._entered[site] = await self._stack.enter_async_context(bench.guests.enter(site)) is not None
            if self._entered[site]:
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await self._stack.enter_async_context(bench.fetcher.turn(site))
                except TimeoutError:
                    self._entered[site] = False
        return self._entered[site]


class _Within:
    """Asks for robots.txt in the turn that the page has already; where that redirects to another site, in one there."""

    def __init__(self, fetcher: Fetcher, home: str, entered: Mapping[str, bool]) -> None:
        self._fetcher = fetcher
        self._home = home
        self._entered = entered

    async def get(self, url: str, *, site: str) -> Answer | Trouble:
        if not self._entered.get(site):
            try:
                async with AsyncExitStack() as stack:
                    async with asyncio.timeout(PATIENCE_S):
                        await stack.enter_async_context(self._fetcher.turn(site))
                    return await self._fetcher.within(url, site=site, home=self._home)
            except TimeoutError:
                return Trouble(code="site_busy", detail=site)
        return await self._fetcher.within(url, site=site, home=self._home)


async def _fulfil(route: Route, answer: Answer) -> None:
    lines: dict[str, str] = {}
    for name, value in answer.headers:
        key = name.lower()
        joint = "\n" if key == "set-cookie" else ", "
        if key not in ("content-length", "transfer-encoding", "content-encoding"):
            lines[key] = f"{lines[key]}{joint}{value}" if key in lines else value
    await route.fulfill(status=answer.status, headers=lines, body=answer.body)


def _errors() -> Any:
    from crawler.browser import BrowserError  # noqa: PLC0415 - of the extra

    return BrowserError
