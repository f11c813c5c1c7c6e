"""Going to a site that is not one's own for a request or two: only while nobody else works on it.

A redirect of a feed or of a robots.txt may lead to another site. That site's lease is borrowed for the visit, so that
its delay, its block and its one connection hold for guests too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from crawler.answers import Trouble
from crawler.ledger import Ledger
from crawler.manners import Manner, common_way
from storage import sites, sources
from storage.database import Tx
from storage.records import Site

PATIENCE_S = 5.0
"""How long a guest waits in front of a site on which another process works."""
_LOOK_S = 0.5


class Lanes(Protocol):
    """What guests need of the fetcher."""

    def pace(self, site: str, delay_s: float) -> None:
        """Set the least time between two requests."""

    def slow_down(self, site: str, delay_s: float) -> None:
        """Raise the least time between two requests."""

    def rest(self, site: str, until: datetime) -> None:
        """Let nobody ask before that time."""

    def route(self, site: str, *, way: Manner, barred: Trouble | None, concurrency: int) -> None:
        """Set how the site is reached."""

    def left_s(self, site: str) -> float:
        """Seconds until the site may be asked again."""

    def leave(self, site: str) -> None:
        """Keep nothing open to the site."""


@dataclass(slots=True, kw_only=True)
class Guests:
    """Who of one crawl process is on which site: at home by its own lease, or as a guest by a borrowed one."""

    ledger: Ledger
    owner: str
    lease: timedelta
    lanes: Lanes
    least_s: float
    now: Callable[[], datetime]
    most_s: float = 60.0
    """The longest Crawl-delay that is obeyed by waiting."""
    proxies: Collection[str] = ()
    """Those that the operator allows."""
    _homes: dict[str, Site] = field(default_factory=dict)
    _borrowed: dict[str, Site] = field(default_factory=dict)
    _inside: Counter[str] = field(default_factory=Counter)
    _door: asyncio.Lock = field(default_factory=asyncio.Lock)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    def at_home(self, site: Site) -> None:
        """A visit to this site begins: guests of the same process may join it."""
        self._homes[site.key] = site

    async def close(self, key: str) -> None:
        """The visit ends: nobody may come any more, and those who are inside are waited for."""
        self._homes.pop(key, None)
        while self._inside[key]:
            self._gone.clear()
            await self._gone.wait()

    @asynccontextmanager
    async def enter(self, key: str) -> AsyncIterator[Site | None]:
        """Be on a site while the block runs; None when another process works there, or nobody may ask it now."""
        site = await self._admitted(key)
        if site is None:
            yield None
            return
        try:
            yield site
        finally:
            await asyncio.shield(self._leave(key))

    def slow_down(self, key: str, delay_s: float) -> None:
        """Let requests to a site that one has entered be that far apart at least, as its robots.txt asks."""
        self.lanes.slow_down(key, min(delay_s, self.most_s))

    async def leave_alone(self, key: str, until: datetime, why: str) -> None:
        """Let nobody ask a site before that time. Written at once: this process may not live to its end."""
        self.lanes.rest(key, until)
        await self.ledger.do(lambda tx: sites.rest(tx, key, until, why))

    async def _admitted(self, key: str) -> Site | None:
        for _ in range(int(PATIENCE_S / _LOOK_S)):
            async with self._door:
                site = self._homes.get(key) or self._borrowed.get(key) or await self._borrow(key)
                if site is not None:
                    self._inside[key] += 1
                    return site
            if await self._is_blocked(key):
                return None
            await asyncio.sleep(_LOOK_S)
        return None

    async def _borrow(self, key: str) -> Site | None:
        now = self.now()
        site = await self.ledger.do(lambda tx: sites.borrow(tx, self.owner, key, now, lease=self.lease))
        if site is not None:
            site = await self._furnish(site)
            self._borrowed[key] = site
        return site

    async def _furnish(self, site: Site) -> Site:
        """Ask the site as its own sources want it to be asked, if it has any: no faster, and by the same way."""
        found = await self.ledger.look(lambda tx: sources.configs_of(tx, site.key))
        way, barred = common_way((config.proxy for config in found.values()), self.proxies)
        self.lanes.route(site.key, way=way, barred=barred, concurrency=1)
        delay_s = max([site.delay_s, *(config.delay_s or 0.0 for config in found.values())])
        self.lanes.pace(site.key, max(self.least_s, delay_s))
        return replace(site, delay_s=delay_s)

    async def _is_blocked(self, key: str) -> bool:
        site = await self.ledger.look(lambda tx: sites.get(tx, key))
        patience = self.now() + timedelta(seconds=PATIENCE_S)
        return bool(site and site.blocked_until and site.blocked_until > patience)

    async def _leave(self, key: str) -> None:
        async with self._door:
            self._inside[key] -= 1
            self._gone.set()
            if self._inside[key] or self._borrowed.pop(key, None) is None:
                return
            until = self.now() + timedelta(seconds=self.lanes.left_s(key))
            self.lanes.leave(key)
            await self.ledger.do(lambda tx: self._give_back(tx, key, until))

    def _give_back(self, tx: Tx, key: str, until: datetime) -> None:
        sites.rest(tx, key, until, "delay")
        sites.release(tx, self.owner, [key])
