"""The gate of robots.txt (RFC 9309): fetched once per origin, remembered in the store, asked before every request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
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
_PEACE_FOR = timedelta(minutes=1)
"""How long a site is left alone, and its robots.txt not asked for, that protests without naming a time."""
_TOO_MANY = 429
"""Too Many Requests (RFC 6585 section 4): to be asked once more when the site has rested; then it is as any 4xx, by
which RFC 9309 section 2.3.1.3 lets us do without rules. What the site asks to be left alone for is heeded each time."""
_MOST_REDIRECTS = 5
_UNANSWERED = frozenset({"timeout", "truncated", "too_large"})
"""Failures of a robots.txt that are remembered: somebody is there, and does not say what is allowed."""


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
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
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
        judged = self._judge(found, url)
        if asked is not None and judged.code is None:  # whatever the rules are: not now
            judged = replace(judged, code="robots_unreachable", until=self._now() + (asked or _PEACE_FOR))
        return replace(judged, protest=asked)

    def _judge(self, found: Robots, url: str) -> Verdict:
        if found.status == _TOO_MANY and found.expires_at - found.fetched_at < rules.lifetime(_TOO_MANY):
            return Verdict(code="robots_unreachable", until=found.expires_at)
        delay = rules.crawl_delay(found, self._agent) or 0.0
        if rules.allows(found, self._agent, url):
            return Verdict(delay_s=delay)
        unreachable = found.status == 0 or found.status >= 500
        code = "robots_unreachable" if unreachable else "robots_disallowed"
        return Verdict(code=code, until=found.expires_at, delay_s=delay)

    async def _of(self, origin: str) -> Robots | Trouble:
        """The rules of an origin, behind all redirects, also to other hosts (RFC 9309 section 2.3.1.2)."""
        home, seen = site_of(origin), {f"{origin}/robots.txt"}
        found = await self._own(origin, home)
        for _ in range(_MOST_REDIRECTS):
            target = found.target() if isinstance(found, Answer) else None
            if target is None or target in seen:
                break
            seen.add(target)
            code = refusal(target, self._allowed)
            led = Trouble(code=code, detail=target) if code else await self._behind(target, home)
            if isinstance(led, Trouble):
                # no fault of the origin itself: its pages are neither refused for good nor is it down
                return led if led.until is not None else await self._keep(self._robots(origin, led))
            if led is None:
                break
            found = led
        if isinstance(found, Robots):
            return found if found.origin == origin else await self._keep(replace(found, origin=origin))
        if isinstance(found, Trouble) and found.code not in _UNANSWERED:
            return found  # nobody is there: nothing to remember, the page would fail in the same way
        return await self._keep(self._robots(origin, found))

    async def _own(self, origin: str, site: str) -> Robots | Answer | Trouble:
        """What an origin says at its own /robots.txt, asked for once whoever wants to know. An Answer is a redirect."""
        async with self._asking[origin]:
            if (known := await self._current(origin)) is not None:
                return known
            answer = await self._fetcher.get(f"{origin}/robots.txt", site=site)
            if isinstance(answer, Trouble) and answer.code not in _UNANSWERED:
                return answer
            if isinstance(answer, Answer) and answer.target() is not None:
                return answer
            if isinstance(answer, Answer) and (wait := protest(answer)) is not None:
                self._protests[origin] = wait
            found = self._robots(origin, answer)
            if found.status == _TOO_MANY and await self._was_too_many(origin):
                found = replace(found, expires_at=found.fetched_at + rules.lifetime(_TOO_MANY))
            return await self._keep(found)

    async def _was_too_many(self, origin: str) -> bool:
        """Whether that was the answer of the time before, too."""
        before = (await self._ledger.look(lambda tx: sites.robots_of(tx, [origin]))).get(origin)
        return before is not None and before.status == _TOO_MANY

    async def _current(self, origin: str) -> Robots | None:
        """What is known of an origin and still holds."""
        found = self._known.get(origin)
        if found is None or found.expires_at <= self._now():
            found = (await self._ledger.look(lambda tx: sites.robots_of(tx, [origin]))).get(origin)
        if found is None or found.expires_at <= self._now():
            return None
        self._known[origin] = found
        return found

    async def _keep(self, found: Robots) -> Robots:
        await self._ledger.do(lambda tx: sites.keep_robots(tx, found))
        self._known[found.origin] = found
        return found

    def _robots(self, origin: str, answer: Answer | Trouble) -> Robots:
        status, body = (answer.status, answer.body) if isinstance(answer, Answer) else (0, b"")
        now = self._now()
        wait = protest(answer) if isinstance(answer, Answer) else None
        # a file that may not be asked for is as good as the wish to be left alone: neither is tried before its time
        usual = rules.lifetime(status)
        asked = wait or timedelta(0)
        expires = now + (min(max(_PEACE_FOR, asked), usual / 2) if status == _TOO_MANY else max(usual, asked))
        return Robots(
            origin=origin, status=status, body=body[: rules.MAX_BYTES + 1], fetched_at=now, expires_at=expires
        )

    async def _behind(self, url: str, home: str) -> Robots | Answer | Trouble | None:
        """What a redirect of the site `home` leads to; None where that site's robots.txt keeps us from it."""
        try:
            site, origin = site_of(url), origin_of(url)
        except ValueError as error:
            return Trouble(code="bad_url", detail=str(error))
        if site == home:
            is_own = url == f"{origin}/robots.txt"
            return await (self._own(origin, site) if is_own else self._fetcher.get(url, site=site))
        async with self._guests.enter(site) as host:
            if host is None:
                return Trouble(code="site_busy", detail=site, until=self._now() + BUSY_FOR)
            return await self._as_guest(url, site, origin)

    async def _as_guest(self, url: str, site: str, origin: str) -> Robots | Answer | Trouble | None:
        """Ask another site as it wants to be asked: its own rules first, then at the pace that they name."""
        found = await self._own(origin, site)
        if (wait := self._protests.pop(origin, None)) is not None:
            return await self._peace(url, site, wait)
        if isinstance(found, Robots):
            self._guests.slow_down(site, rules.crawl_delay(found, self._agent) or 0.0)
        if isinstance(found, Trouble) or url == f"{origin}/robots.txt":
            return found
        verdict = self._judge(found, url) if isinstance(found, Robots) else Verdict()
        if verdict.code == "robots_disallowed":
            return None
        if verdict.code:
            return Trouble(code=verdict.code, detail=url, until=verdict.until)
        answer = await self._fetcher.get(url, site=site)
        wait = protest(answer) if isinstance(answer, Answer) else None
        return answer if wait is None else await self._peace(url, site, wait)

    async def _peace(self, url: str, site: str, wait: timedelta) -> Trouble:
        until = self._now() + (wait or _PEACE_FOR)
        await self._guests.leave_alone(site, until, "retry_after" if wait else "overloaded")
        return Trouble(code="robots_unreachable", detail=url, until=until)
