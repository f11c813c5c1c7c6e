"""What the sources of a site ask of every request to it: a longer delay, more at a time, a proxy."""

from __future__ import annotations

from crawler.manners import PLAIN, Manner, Unprepared, manner_of
from crawler.visit import Visit
from storage import sources
from storage.records import SourceConfig


async def prepare(visit: Visit) -> None:
    """Set a visit up as its sources want it, before its first request.

    The longest delay and the smallest wish for concurrency hold for the whole site, and one proxy for all that is
    asked of it, robots.txt too. A proxy that the settings do not name refuses every request (`proxy_not_allowed`):
    going without it would show an address that was to stay hidden.
    """
    site = visit.site.key
    visit.configs = await visit.bench.ledger.look(lambda tx: sources.configs_of(tx, site))
    configs = visit.configs.values()
    visit.demand_delay(max((config.delay_s or 0.0 for config in configs), default=0.0))
    visit.concurrency = min((config.concurrency for config in configs), default=1)
    proxies = {config.proxy for config in configs if config.proxy}
    proxy = min(proxies, default=None)
    allowed = proxies <= set(visit.bench.settings.proxies)
    visit.bench.fetcher.route(site, proxy=proxy, allowed=allowed, concurrency=visit.concurrency)


def manner_for(visit: Visit, config: SourceConfig | None) -> Manner:
    """How to ask on behalf of a source of the visited site; plainly for a source of another site (None).

    Raises Unprepared.
    """
    return manner_of(config, visit.bench.settings.proxies) if config is not None else PLAIN


__all__ = ["Unprepared", "manner_for", "prepare"]
