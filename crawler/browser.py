"""A Chromium without a network: scrapy-playwright runs it, and whatever a page asks for is answered by a function.

Chromium itself can reach nothing. Every name, addresses in digits included, fails to resolve, and all connections go
to a proxy whose name fails likewise; WebRTC may not go past that proxy. So what is not answered here goes nowhere,
however a script may ask for it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page as Tab
from playwright.async_api import Request as Wanted
from playwright.async_api import Route
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy import Request
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Browser", "BrowserError", "Reply", "Route", "Wanted", "launch_options"]

Reply = Callable[[Route, Wanted], Awaitable[None]]
"""Answers one request of a page."""

SETTLE_S = 5.0
"""How long a page may go on asking for more after its own text is there; what it shows then is taken."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://nowhere.invalid:1",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-first-run",
    "--mute-audio",
)


def launch_options() -> dict[str, Any]:
    """How Chromium is started: the system's where there is one, else the one that Playwright installed."""
    signals = {f"handle_sig{name}": False for name in ("int", "term", "hup")}  # a crawl ends when its work is written
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    sandbox = os.geteuid() != 0  # which Chromium refuses to root
    return {"executable_path": found, "args": list(_ARGUMENTS), "chromium_sandbox": sandbox, **signals}


class Browser(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Shows pages, each in a fresh profile of its own. Not for Scrapy to choose: its caller has the site's turn."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.config.launch_options = launch_options()
        self.config.max_pages_per_context = 1
        self.config.target_closed_max_retries = 0
        self._replies: dict[str, Reply] = {}
        self._shown = 0

    async def start(self) -> str:
        """Start Chromium; returns its version. Raises BrowserError."""
        await self._launch()
        await self._maybe_launch_browser()
        return str(self.browser.version)

    async def show(self, url: str, reply: Reply, *, agent: str, longest_s: float) -> str:
        """The markup of a page after its scripts ran, where `reply` answers all that it asks for, itself first.

        Raises BrowserError.
        """
        self._shown += 1
        profile = f"page-{self._shown}"
        self._replies[profile] = reply
        try:
            response = await self.download_request(_request(url, profile, agent, longest_s))
        finally:
            self._replies.pop(profile)
            if (left := self.context_wrappers.get(profile)) is not None:
                with suppress(BrowserError):  # it may have crashed
                    await left.context.close()
        return str(response.text)

    def _make_request_handler(self, context_name: str, **_: Any) -> Reply:
        """In the place of letting Chromium ask by itself."""
        return self._replies[context_name]

    async def _apply_page_methods(self, page: Tab, request: Request, spider: object) -> None:  # noqa: ARG002
        """Wait until nothing more is asked for, however the page stands: a script that leads away may stop it loading.

        In the place of waiting for a load event that need not come.
        """
        with suppress(BrowserTimeout):
            await page.wait_for_load_state("networkidle", timeout=request.meta["settle_s"] * 1000)


def _request(url: str, profile: str, agent: str, longest_s: float) -> Request:
    kept = {"service_workers": "block", "accept_downloads": False, "user_agent": agent}
    meta = {
        "playwright": True,
        "playwright_include_page": True,  # its profile is closed as a whole
        "playwright_context": profile,
        "playwright_context_kwargs": kept,
        "playwright_page_goto_kwargs": {"wait_until": "commit", "timeout": longest_s * 1000},
        "settle_s": min(SETTLE_S, longest_s / 2),
    }
    return Request(url, meta=meta, dont_filter=True)


logging.getLogger("scrapy-playwright").setLevel(logging.ERROR)  # it warns of each page that fails, and so do we
