"""A bound on the pages of one site that wait to be fetched: endless listings fill a queue, and a queue fills a disk.

What is left out is not remembered, so it comes in with a later poll if it is still listed when there is room.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage import backfills, sites
from storage.database import Tx
from storage.records import Lead

MOST_WAITING = 100_000
"""Pages of a site, for a push, which no setting reaches. At a second each they keep it busy for more than a day."""
FULL = "site_full"
"""The reason under which the rest is counted."""


def with_room(tx: Tx, leads: Sequence[Lead], *, most: int) -> list[Lead]:
    """The leads without the new ones for which their site has no room; known addresses always pass."""
    left = {site: most - sites.backlog(tx, site, most) for site in {lead.site for lead in leads}}
    if len(leads) <= min(left.values(), default=0):
        return list(leads)
    new, kept = set(backfills.unknown(tx, [lead.key for lead in leads])), []
    for lead in leads:
        if lead.key in new:
            left[lead.site] -= 1
            if left[lead.site] < 0:
                continue
        kept.append(lead)
    return kept
