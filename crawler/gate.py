"""The gate of robots.txt (RFC 9309): fetched once per origin, remembered in the store, asked before every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from crawler import robots as rules
from crawler.addresses import refusal
from crawler.answers import Answer, Trouble, protest
from crawler.guests import Guests
from crawler.ledger import Ledger
from crawler.urls import origin_of, site_of
from storage import sites
from storage.records import Robots

BUSY_FOR = timedelta(minutes=1)
"""When to try again for a site on which another process works."""
_MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether an address may be asked for; if not, why, and when the answer may be another."""

    code: str | None = None
    until: datetime | None = None
    delay_s: float = 0.0
    """The Crawl-delay asked for."""
    protest: timedelta | None = None
    """For how long the site asked to be left alone when its robots.txt was fetched just now; zero: it did not say."""


class Asks(Protocol):
    """What gets a robots.txt."""

    async def get(self, url: str, *, site: str) -> Answer | Trouble:
        """The answer, or why there is none."""


class Gate:
    """Answers for all origins that a crawl process meets. `agent` is the name that rules are matched against."""

    def __init__(
        self,
        fetcher: Asks,
        guests: Guests,
        ledger: Ledger,
        *,
        agent: str,
        allowed: tuple[str, ...],
        now: Callable[[], datetime],
    ) -> None:
        self._fetcher = fetcher
        self._guests = guests
        self._ledger = ledger
        self._agent = agent
        self._allowed = allowed
        self._now = now
        self._known: dict[str, Robots] = {}
        self._protests: dict[str, timedelta] = {}

    async def verdict(self, url: str) -> Verdict:
        """What robots.txt says of an http(s) address, fetching it first if that is due.

        Codes: `robots_disallowed`, `robots_unreachable`, `bad_url`, those of the address guard, and those of a
        host that cannot be reached at all, which is found out here first.
        """
        if code := refusal(url, self._allowed):
            return Verdict(code=code)
        try:
            origin = origin_of(url)
        except ValueError:
            return Verdict(code="bad_url")
        found = await self._of(origin)
        asked = self._protests.pop(origin, None)
        if isinstance(found, Trouble):
            return Verdict(code=found.code, until=found.until, protest=asked)
        return replace(self._judge(found, url), protest=asked)

    def _judge(self, found: Robots, url: str) -> Verdict:
        delay = rules.crawl_delay(found, self._agent) or 0.0
        if rules.allows(found, self._agent, url):
            return Verdict(delay_s=delay)
        unreachable = found.status == 0 or found.status >= 500
        code = "robots_unreachable" if unreachable else "robots_disallowed"
        return Verdict(code=code, until=found.expires_at, delay_s=delay)

    async def _of(self, origin: str) -> Robots | Trouble:
        found = self._known.get(origin) or await self._remembered(origin)
        if found is None or found.expires_at <= self._now():
            fetched = await self._fetch(origin)
            if isinstance(fetched, Trouble):
                return fetched
            await self._ledger.do(lambda tx: sites.keep_robots(tx, fetched))
            found = fetched
        self._known[origin] = found
        return found

    async def _remembered(self, origin: str) -> Robots | None:
        return (await self._ledger.look(lambda tx: sites.robots_of(tx, [origin]))).get(origin)

    async def _fetch(self, origin: str) -> Robots | Trouble:
        answer = await self._follow(f"{origin}/robots.txt")
        if isinstance(answer, Trouble) and answer.code not in ("timeout", "truncated", "too_large"):
            return answer  # nobody is there: nothing to remember, the page would fail in the same way
        status, body = (answer.status, answer.body) if isinstance(answer, Answer) else (0, b"")
        now = self._now()
        wait = protest(answer) if isinstance(answer, Answer) else None
        if wait is not None:
            self._protests[origin] = wait
        # a file that may not be asked for is as good as the wish to be left alone: neither is tried before its time
        expires = now + max(rules.lifetime(status), wait or timedelta(0))
        return Robots(
            origin=origin, status=status, body=body[: rules.MAX_BYTES + 1], fetched_at=now, expires_at=expires
        )

    async def _follow(self, url: str) -> Answer | Trouble:
        """The last answer after redirects, also to other hosts (RFC 9309 section 2.3.1.2)."""
        home = site_of(url)
        answer = await self._fetcher.get(url, site=home)
        for _ in range(_MOST_REDIRECTS):
            target = answer.target() if isinstance(answer, Answer) else None
            if target is None:
                return answer
            if code := refusal(target, self._allowed):
                return Trouble(code=code, detail=target)
            answer = await self._get(target, home)
        return answer

    async def _get(self, url: str, home: str) -> Answer | Trouble:
        try:
            site = site_of(url)
        except ValueError as error:
            return Trouble(code="bad_url", detail=str(error))
        if site == home:
            return await self._fetcher.get(url, site=site)
        async with self._guests.enter(site) as host:
            if host is None:
                return Trouble(code="site_busy", detail=site, until=self._now() + BUSY_FOR)
            return await self._fetcher.get(url, site=site)
