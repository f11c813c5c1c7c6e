"""Adds a source: on the command line and on the page."""

from console.desk import now
from crawler.urls import site_of
from storage import sources
from storage.database import Tx
from storage.records import Source, SourceConfig
from storage.settings import Settings


def watch(tx: Tx, config: SourceConfig, settings: Settings, *, replace: bool) -> Source:
    """Watch a source; it is due at once. Raises SourceError when the name is taken and `replace` is not asked for."""
    first = max(settings.min_interval_s, 1)  # learned from here on
    return sources.add(tx, config, site=site_of(config.url), now=now(), interval_s=first, replace=replace)
