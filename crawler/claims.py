"""Claiming sites for a crawl: the first ones when it begins, more while it runs."""

from collections.abc import Collection
from datetime import datetime, timedelta

from crawler import outage
from storage import outages, sites
from storage.database import Tx
from storage.records import Site


def claim(tx: Tx, owner: str, now: datetime, *, lease: timedelta, limit: int, only: Collection[str] = ()) -> list[Site]:
    """Reserve up to `limit` sites that have work; only a few that try the network while it is down on our side."""
    most = min(limit, outage.PROBES) if outages.ongoing(tx) else limit
    return sites.claim(tx, owner, now, lease=lease, limit=most, only=only)


def claim_more(tx: Tx, owner: str, now: datetime, *, lease: timedelta, limit: int) -> list[Site]:
    """The same for a crawl that runs already; none while the network is down, or one crawl would try all in turn."""
    return [] if outages.ongoing(tx) else sites.claim(tx, owner, now, lease=lease, limit=limit)
