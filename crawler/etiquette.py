"""What the sources of a site ask of every request to it: a longer delay, more at a time, a proxy."""

from __future__ import annotations

from crawler.manners import PLAIN, Manner, Unprepared, common_way, manner_of
from crawler.visit import Visit
from storage import sources
from storage.records import SourceConfig


async def prepare(visit: Visit) -> None:
    """Set a visit up as its sources want it, before its first request.

    The longest delay and the smallest wish for concurrency hold for the whole site, and one proxy for all that is
    asked of it, robots.txt too. A proxy that the settings do not name refuses every request (`proxy_not_allowed`), and
    so does one whose log-in is not set (`no_credentials`): going without it would show an address that was to stay
    hidden.
    """
    site = visit.site.key
    visit.configs = await visit.bench.ledger.look(lambda tx: sources.configs_of(tx, site))
    configs = visit.configs.values()
    visit.demand_delay(max((config.delay_s or 0.0 for config in configs), default=0.0))
    visit.concurrency = min((config.concurrency for config in configs), default=1)
    way, barred = common_way((config.proxy for config in configs), visit.bench.settings.proxies)
    visit.bench.fetcher.route(site, way=way, barred=barred, concurrency=visit.concurrency)


def manner_for(visit: Visit, config: SourceConfig | None) -> Manner:
    """How to ask on behalf of a source of the visited site; plainly for a source of another site (None).

    Raises Unprepared.
    """
    return manner_of(config, visit.bench.settings.proxies) if config is not None else PLAIN


async def is_rendered(visit: Visit, source_id: int) -> bool:
    """Whether the pages of a source, of this site or of another, are to be shown by a browser."""
    if (config := visit.configs.get(source_id)) is not None:
        return config.render
    if source_id not in visit.rendered:
        visit.rendered[source_id] = await visit.bench.ledger.look(lambda tx: sources.needs_browser(tx, source_id))
    return visit.rendered[source_id]


__all__ = ["Unprepared", "is_rendered", "manner_for", "prepare"]
