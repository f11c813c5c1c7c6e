"""One site's turn in a crawl: its due polls, then its waiting pages, politely, within a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.addresses import refusal
from crawler.answers import HOST_DOWN, Answer, Trouble, retry_after
from crawler.fetcher import Fetcher
from crawler.gate import Gate
from crawler.ledger import Ledger
from crawler.urls import origin_of, site_of
from storage import sites
from storage.database import Tx
from storage.records import Headers, Site
from storage.settings import Settings

LONGEST_VISIT = timedelta(minutes=4)
"""A slow site gives its place back after this; what is left waits for the next crawl."""
HOST_DOWN_FOR = timedelta(minutes=5)
"""How long a site that could not be reached at all is left alone; doubled at each failure in a row."""
LONGEST_BLOCK = timedelta(hours=6)
_OUT = 2
STARTUP = timedelta(seconds=2)
"""No crawl process makes its first request sooner than this after it was called for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all visits of a crawl process share."""

    settings: Settings
    owner: str
    fetcher: Fetcher
    gate: Gate
    ledger: Ledger
    now: Callable[[], datetime]


class Visit:
    """The state of one turn. All requests for a site's polls and pages pass through it."""

    def __init__(self, bench: Bench, site: Site) -> None:
        self.bench = bench
        self.site = site
        self.started = bench.now()
        self.answered = 0
        self.throttled = False
        self.blocked_until: datetime | None = None
        self.strikes: Counter[str] = Counter()
        """Failures in a row to reach an origin. After the second nobody tries it again in this turn."""
        self.asked_delay_s = 0.0
        self.last_request: datetime | None = None
        self._pace()

    @property
    def over(self) -> bool:
        """Whether this turn has to end: the site asked for peace, or time is up."""
        return self.blocked_until is not None or self.bench.now() - self.started > LONGEST_VISIT

    @property
    def delay_s(self) -> float:
        """Least time between two requests: ours, what robots ask for, and what experience taught."""
        settings = self.bench.settings
        return max(settings.delay_s, min(max(self.asked_delay_s, self.site.delay_s), settings.max_delay_s))

    async def reach(
        self, url: str, *, headers: Headers = (), anywhere: bool = False, seen: set[str] | None = None
    ) -> Answer | Trouble:
        """The answer behind all redirects. Every hop is judged by the guard and by robots.txt.

        A redirect out of the site ends with the code `other_site` and its target, unless it may lead `anywhere`. An
        address in `seen` is not asked for again (`redirect_loop`); those that were are added to it.
        """
        seen = set() if seen is None else seen
        for _ in range(self.bench.settings.max_redirects + 1):
            if url in seen:
                return Trouble(code="redirect_loop", detail=url)
            seen.add(url)
            answer = await self._ask(url, headers)
            target = answer.target() if isinstance(answer, Answer) else None
            if target is None:
                return answer
            if trouble := self._judge(target, anywhere=anywhere):
                return trouble
            if site_of(target) != site_of(url):
                headers = ()  # they were meant for the source's own site, and may hold a secret
            url = target
        return Trouble(code="redirect_limit", detail=url)

    def closing(self) -> Callable[[Tx], None]:
        """What to write about the site when its turn is over: what was learned, and that others may have it."""
        now = self.bench.now()
        until, failures = self._rest(now)
        delay_s, key, owner = self._learned_delay_s(), self.site.key, self.bench.owner

        def write(tx: Tx) -> None:
            found = sites.get(tx, key)
            if found is None or found.lease_owner != owner:
                return  # the lease ran out, and the site is another's now
            sites.set_delay(tx, key, delay_s)
            sites.block(tx, key, until, failures)
            sites.release(tx, owner, [key])

        return write

    async def _ask(self, url: str, headers: Headers) -> Answer | Trouble:
        if trouble := await self._may_ask(url):
            return trouble
        self.last_request = self.bench.now()
        answer = await self.bench.fetcher.get(url, site=site_of(url), headers=headers)
        self._learn(url, answer)
        return answer

    async def _may_ask(self, url: str) -> Trouble | None:
        if code := refusal(url, self.bench.settings.allow_addresses):
            return Trouble(code=code, detail=url)
        if self.strikes[origin_of(url)] >= _OUT:
            return Trouble(code="host_down", until=self.bench.now() + HOST_DOWN_FOR)
        verdict = await self.bench.gate.verdict(url)
        if site_of(url) == self.site.key and verdict.delay_s > self.asked_delay_s:
            self.asked_delay_s = verdict.delay_s
            self._pace()
        self._strike(url, verdict.code)
        return Trouble(code=verdict.code, detail=url, until=verdict.until) if verdict.code else None

    def _judge(self, target: str, *, anywhere: bool) -> Trouble | None:
        if code := refusal(target, self.bench.settings.allow_addresses):
            return Trouble(code=code, detail=target)
        if not anywhere and site_of(target) != self.site.key:
            return Trouble(code="other_site", target=target)
        return None

    def _learn(self, url: str, answer: Answer | Trouble) -> None:
        if isinstance(answer, Trouble):
            self._strike(url, answer.code)
            return
        self.answered += 1
        self.strikes[origin_of(url)] = 0
        wait = retry_after(answer.header("retry-after"), answer.at)
        asked = answer.status == 429 or (answer.status == 503 and wait is not None)
        if asked and site_of(url) == self.site.key:
            self.throttled = True
            self.blocked_until = answer.at + (wait or self._backoff(timedelta(minutes=1)))

    def _strike(self, url: str, code: str | None) -> None:
        self.strikes[origin_of(url)] += HOST_DOWN.get(code or "", 0)

    def _rest(self, now: datetime) -> tuple[datetime | None, int]:
        """Until when nobody may ask this site, and its failures in a row."""
        if self.blocked_until is not None:
            return self.blocked_until, self.site.failures + 1
        if any(strikes >= _OUT for strikes in self.strikes.values()) and not self.answered:
            return now + self._backoff(HOST_DOWN_FOR), self.site.failures + 1
        # the next owner knows nothing of our last request: a long delay has to outlive this turn
        free = (self.last_request or now) + timedelta(seconds=self.delay_s)
        failures = 0 if self.answered else self.site.failures
        return (free if free > now + STARTUP else None), failures

    def _backoff(self, first: timedelta) -> timedelta:
        return min(first * (1 << min(self.site.failures, 10)), LONGEST_BLOCK)

    def _learned_delay_s(self) -> float:
        """What experience says: twice the delay after a protest, half of the surplus after a quiet turn."""
        if self.throttled:
            return min(max(2 * self.site.delay_s, 2 * self.bench.settings.delay_s), self.bench.settings.max_delay_s)
        surplus = self.site.delay_s / 2
        return max(surplus if surplus > self.bench.settings.delay_s else 0.0, self.asked_delay_s)

    def _pace(self) -> None:
        self.bench.fetcher.pace(self.site.key, self.delay_s)
