"""One site's turn in a crawl: its due polls, then its waiting pages, politely, within a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.addresses import refusal
from crawler.answers import HOST_DOWN, Answer, Trouble, protest
from crawler.fetcher import Fetcher
from crawler.gate import BUSY_FOR, Gate
from crawler.guests import Guests
from crawler.ledger import Ledger
from crawler.pace import Pace
from crawler.urls import origin_of, site_of
from storage import outages, sites
from storage.database import Tx
from storage.records import Headers, Site, SourceConfig
from storage.settings import Settings

LONGEST_VISIT = timedelta(minutes=4)
"""A slow site gives its place back after this; what is left waits for the next crawl."""
HOST_DOWN_FOR = timedelta(minutes=5)
"""How long a site that could not be reached at all is left alone; doubled at each failure in a row."""
PEACE_FOR = timedelta(minutes=1)
"""How long a site is left alone that protested without naming a time; doubled at each protest in a row."""
OUTAGE_REST = timedelta(minutes=1)
"""How long a site that was tried while our own network was down is left alone."""
LONGEST_BLOCK = timedelta(hours=6)
_OUT = 2
_MARGIN = timedelta(milliseconds=2)
"""The clocks of two hosts and the rounding of their databases may lose that much of a delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all visits of a crawl process share."""

    settings: Settings
    owner: str
    fetcher: Fetcher
    gate: Gate
    guests: Guests
    ledger: Ledger
    now: Callable[[], datetime]
    render: Callable[[Visit, Answer, Headers], Awaitable[Answer | Trouble]] | None = None
    """Makes of an answer what a browser shows; the headers are those that were sent for it."""


class Visit:
    """The state of one turn. All requests for a site's polls and pages pass through it."""

    def __init__(self, bench: Bench, site: Site) -> None:
        self.bench = bench
        self.site = site
        self.started = bench.now()
        self.answered = 0
        self.blocked_until: datetime | None = None
        self.blocked_for = "crawl_failed"
        self.strikes: Counter[str] = Counter()
        """Failures in a row to reach an origin. After the second nobody tries it again in this turn."""
        self.refusals: Counter[str] = Counter()
        """By site: answers in a row that say it is overloaded, or show a block page. The second ends the turn."""
        self.configs: Mapping[int, SourceConfig] = {}
        """The sources of this very site, by id."""
        self.rendered: dict[int, bool] = {}
        """Whether the pages of a source are to be rendered, by its id: of those of other sites, as far as looked up."""
        self.concurrency = 1
        """Most requests at the same time."""
        self._paces = {site.key: self._pace_of(site)}
        bench.guests.at_home(site)
        bench.fetcher.pace(site.key, self.pace.interval_s)

    @property
    def pace(self) -> Pace:
        """How fast this site may be asked."""
        return self._paces[self.site.key]

    @property
    def over(self) -> bool:
        """Whether this turn has to end: the site asked for peace, or time is up."""
        return self.blocked_until is not None or self.bench.now() - self.started > LONGEST_VISIT

    async def reach(
        self,
        url: str,
        *,
        headers: Headers = (),
        anywhere: bool = False,
        seen: set[str] | None = None,
        only_pages: bool = False,
        render: bool = False,
    ) -> Answer | Trouble:
        """The answer behind all redirects. Every hop is judged by the guard and by robots.txt.

        A redirect out of the site ends with the code `other_site` and its target, unless it may lead `anywhere`: then
        the other site is entered as a guest, or the code is `site_busy`. An address in `seen` is not asked for again
        (`redirect_loop`); those that were are added to it. `only_pages`: the body of what is no page is not read.
        `render`: a page is what it is after its scripts ran.
        """
        seen = set() if seen is None else seen
        for _ in range(self.bench.settings.max_redirects + 1):
            if url in seen:
                return Trouble(code="redirect_loop", detail=url)
            seen.add(url)
            answer = await self._go(url, headers, only_pages=only_pages, render=render)
            target = answer.target() if isinstance(answer, Answer) else None
            if target is None:
                return answer
            if trouble := self._judge(target, anywhere=anywhere):
                return trouble
            if site_of(target) != site_of(url) or (url.startswith("https:") and not target.startswith("https:")):
                headers = ()  # they were meant for the source's own site, and may hold a secret
            url = target
        return Trouble(code="redirect_limit", detail=url)

    def demand_delay(self, delay_s: float) -> None:
        """Ask for at least this delay, on top of all other reasons for one."""
        self.pace.least_s = max(self.pace.least_s, delay_s)
        self._set_pace(self.site.key)

    async def heed(self, site: str, answer: Answer) -> None:
        """Leave a site alone whose answer asks for that."""
        if (wait := protest(answer)) is not None:
            await self._leave_alone(site, wait or self._backoff(PEACE_FOR), "retry_after" if wait else "overloaded")

    async def give_peace(self, site: str, wait: timedelta) -> None:
        """Leave a site alone that asked for it in the place of its robots.txt; zero: it did not say for how long."""
        await self._leave_alone(site, wait or self._backoff(PEACE_FOR), "retry_after")

    async def refused(self) -> None:
        """A block page came where a page should be: slow down, and after the second in a row leave the site alone."""
        self.pace.protest()
        self._set_pace(self.site.key)
        await self._refused(self.site.key, HOST_DOWN_FOR, "blocked_page")

    def closing(self) -> Callable[[Tx], None]:
        """What to write about the site when its turn is over: what was learned, and that others may have it."""
        now = self.bench.now()
        until, failures, why = self._rest(now)
        delay_s, known_s, key, owner = self.pace.lesson_s(), self.site.delay_s, self.site.key, self.bench.owner

        def write(tx: Tx) -> None:
            found = sites.get(tx, key)
            if found is None or found.lease_owner != owner:
                return  # the lease ran out, and the site is another's now
            # somebody who processed its pages may have slowed it down meanwhile
            sites.set_delay(tx, key, max(delay_s, found.delay_s) if found.delay_s > known_s else delay_s)
            if outages.ongoing(tx) and not self.answered:
                sites.block(tx, key, now + OUTAGE_REST, self.site.failures, "outage")  # it is our network that is down
            else:
                late = found.blocked_until if found.blocked_until and found.blocked_until > (until or now) else None
                # a guest of this process may have been asked for more peace
                sites.block(tx, key, late or until, failures, found.blocked_for if late else why)
            sites.release(tx, owner, [key])

        return write

    async def _go(self, url: str, headers: Headers, **how: bool) -> Answer | Trouble:
        if code := refusal(url, self.bench.settings.allow_addresses):
            return Trouble(code=code, detail=url)
        site = site_of(url)
        if site == self.site.key:
            return await self._ask(url, site, headers, **how)
        async with self.bench.guests.enter(site) as host:
            if host is None:
                return Trouble(code="site_busy", detail=site, until=self.bench.now() + BUSY_FOR)
            self._paces.setdefault(site, self._pace_of(host))
            return await self._ask(url, site, headers, **how)

    async def _ask(self, url: str, site: str, headers: Headers, *, only_pages: bool, render: bool) -> Answer | Trouble:
        if trouble := await self._may_ask(url, site):
            return trouble
        sent: list[Answer] = []

        async def show(answer: Answer) -> Answer | Trouble:
            assert self.bench.render is not None
            sent.append(answer)
            return await self.bench.render(self, answer, headers)

        then = show if render else None
        how: dict[str, Any] = {"headers": headers, "only_pages": only_pages} | ({"after": then} if then else {})
        answer = await self.bench.fetcher.get(url, site=site, **how)
        await self._learn(url, site, sent[0] if sent else answer)  # what a browser makes of it says nothing of the site
        return answer

    async def _may_ask(self, url: str, site: str) -> Trouble | None:
        if self.strikes[origin_of(url)] >= _OUT:
            return Trouble(code="host_down", until=self.bench.now() + HOST_DOWN_FOR)
        verdict = await self.bench.gate.verdict(url)
        if verdict.delay_s > self._paces[site].asked_s:
            self._paces[site].asked_s = verdict.delay_s
            self._set_pace(site)
        self._strike(url, verdict.code)
        if verdict.protest is not None:
            await self.give_peace(site, verdict.protest)
            return Trouble(code="robots_unreachable", detail=url, until=self.bench.now() + PEACE_FOR)
        return Trouble(code=verdict.code, detail=url, until=verdict.until) if verdict.code else None

    def _judge(self, target: str, *, anywhere: bool) -> Trouble | None:
        if code := refusal(target, self.bench.settings.allow_addresses):
            return Trouble(code=code, detail=target)
        if not anywhere and site_of(target) != self.site.key:
            return Trouble(code="other_site", target=target)
        return None

    async def _learn(self, url: str, site: str, answer: Answer | Trouble) -> None:
        pace = self._paces[site]
        if isinstance(answer, Trouble):
            pace.failed(answer.took_s)
            self._strike(url, answer.code)
        else:
            self.answered += site == self.site.key
            self.strikes[origin_of(url)] = 0
            pace.failed(answer.took_s) if answer.status >= 400 else pace.answered(answer.took_s)
            if protest(answer) is not None:
                pace.protest()
                await self.heed(site, answer)
            elif answer.status == 503:
                await self._refused(site, PEACE_FOR, "overloaded")
            elif answer.status < 400:
                self.refusals[site] = 0
        self._set_pace(site)

    async def _refused(self, site: str, peace: timedelta, why: str) -> None:
        self.refusals[site] += 1
        if self.refusals[site] >= _OUT:
            await self._leave_alone(site, self._backoff(peace), why)

    async def _leave_alone(self, site: str, wait: timedelta, why: str) -> None:
        """Let nobody ask the site before that time is over. Written at once: this process may not live to its end."""
        until = self.bench.now() + wait
        if site == self.site.key:
            self.blocked_until = max(self.blocked_until or until, until)
            self.blocked_for = why
        self.bench.fetcher.rest(site, until)
        await self.bench.ledger.do(lambda tx: sites.rest(tx, site, until, why))

    def _strike(self, url: str, code: str | None) -> None:
        self.strikes[origin_of(url)] += HOST_DOWN.get(code or "", 0)

    def _rest(self, now: datetime) -> tuple[datetime | None, int, str]:
        """Until when nobody may ask this site, its failures in a row, and why."""
        # the next owner knows nothing of our last request: the delay has to outlive this turn
        left = timedelta(seconds=self.bench.fetcher.left_s(self.site.key))
        free = now + left + _MARGIN if left else None
        if self.blocked_until is not None:
            return max(self.blocked_until, free or self.blocked_until), self.site.failures + 1, self.blocked_for
        if any(strikes >= _OUT for strikes in self.strikes.values()) and not self.answered:
            return now + self._backoff(HOST_DOWN_FOR), self.site.failures + 1, "host_down"
        return free, 0 if self.answered else self.site.failures, "delay"

    def _backoff(self, first: timedelta) -> timedelta:
        return min(first * (1 << min(self.site.failures, 10)), LONGEST_BLOCK)

    def _pace_of(self, site: Site) -> Pace:
        settings = self.bench.settings
        return Pace(least_s=settings.delay_s, most_s=settings.max_delay_s, learned_s=site.delay_s)

    def _set_pace(self, site: str) -> None:
        self.bench.fetcher.pace(site, self._paces[site].interval_s)
