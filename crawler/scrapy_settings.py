"""Scrapy's settings for a crawl, from ours."""

from collections.abc import Mapping
from typing import Any

from crawler.coding import ACCEPTED
from crawler.guard import ALLOWED
from storage.settings import Settings

_HTTP = "crawler.handler.BoundedHandler"
_IDLE = (
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
)
"""They find nothing to do in our requests, and cost time at each."""


def build(settings: Settings, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings of the crawl process. `extra` overrides them, and is merged into what is a mapping.

    It is for a program that brings its own downloader; no setting of ours leads here.
    """
    ours = {
        **_identity(settings),
        **_limits(settings),
        **_guard(settings),
        **_off(),
        "LOG_LEVEL": settings.log_level,
        "LOG_INSTALL_ROOT_HANDLER": False,  # storage.logs has one
        "STATS_DUMP": False,
        "REACTOR_THREADPOOL_MAXSIZE": 20,  # name resolution blocks a thread each
    }
    return ours | {name: _merged(ours.get(name), value) for name, value in (extra or {}).items()}


def _identity(settings: Settings) -> dict[str, Any]:
    # no Accept-Language: it would make some sites translate or redirect
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    headers = {"Accept": accept, "Accept-Encoding": ACCEPTED}
    return {"BOT_NAME": "copydesk", "USER_AGENT": settings.agent, "DEFAULT_REQUEST_HEADERS": headers}


def _limits(settings: Settings) -> dict[str, Any]:
    return {
        "CONCURRENT_REQUESTS": 0,  # each site makes one request at a time; the sites claimed are the bound
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0.0,  # the fetcher keeps the delays: Scrapy counts from the sending, not from the arrival
        "DOWNLOAD_TIMEOUT": settings.timeout_s,
        "DOWNLOAD_MAXSIZE": settings.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_FAIL_ON_DATALOSS": True,
        "COMPRESSION_ENABLED": False,  # Scrapy takes half a stream for a whole body; crawler.coding does not
    }


def _guard(settings: Settings) -> dict[str, Any]:
    return {
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None, "http": _HTTP, "https": _HTTP},
        "DOWNLOADER_MIDDLEWARES": {"crawler.guard.UrlGuard": 990, **dict.fromkeys(_IDLE)},
        "TWISTED_DNS_RESOLVER": "crawler.guard.GuardedResolver",
        "HTTPPROXY_ENABLED": False,  # a proxy resolves names where the guard does not see them
        ALLOWED: list(settings.allow_addresses),
    }


def _merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, Mapping) else new


def _off() -> dict[str, Any]:
    """What Scrapy does by itself and we do with more care, or not at all."""
    switches = ("RETRY", "REDIRECT", "METAREFRESH", "COOKIES", "HTTPCACHE", "AUTOTHROTTLE", "TELNETCONSOLE")
    off = {f"{name}_ENABLED": False for name in (*switches, "REMOTE_CONTROL", "MEMUSAGE")}
    return off | {
        "DOWNLOADER_STATS": False,  # our own counts go into the store
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
        "ROBOTSTXT_OBEY": False,
        "LOGSTATS_INTERVAL": 0,
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
    }
