"""Our own outage told apart from theirs: polls of different sites fail at the network, and none gets through.

A refused connection is an answer of the other host, and so is any HTTP status: they prove that the network works.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crawler.interval import OUTAGE_RETRY_S, WEIGHTS
from crawler.retry import fault
from storage import events, outages
from storage.database import Tx
from storage.outages import Try
from storage.records import EventKind

SILENT = frozenset({"dns", "dns_temporary", "connection", "timeout", "unreachable", "host_down", "offline"})
"""Outcomes without any sign from outside."""
SITES = 3
"""So many different sites do not fail at the same time by themselves."""
WINDOW = timedelta(minutes=10)
PROBES = 3
"""Sites that one crawl tries during an outage; all others wait."""


def silent_run(tries: Sequence[Try]) -> list[Try]:
    """The polls since the last sign of life from outside; `tries` are newest first."""
    found: list[Try] = []
    for one in tries:
        if one.outcome not in SILENT:
            break
        found.append(one)
    return found


def is_ours(tries: Sequence[Try]) -> bool:
    """Whether polls, newest first, show that our own network is down."""
    return len({one.site for one in silent_run(tries)}) >= SITES


def note_poll(tx: Tx, outcome: str, now: datetime) -> bool:
    """Take a poll into account that was just written down; returns whether there is an outage of ours now.

    At its beginning, the failures that led to it are taken back from the sources they were blamed on.
    """
    if outcome not in SILENT:
        events.end(tx, EventKind.OUTAGE, now)
        return False
    if outages.ongoing(tx):
        return True
    run = silent_run(outages.recent(tx, now - WINDOW))
    if not is_ours(run):
        return False
    sites = len({one.site for one in run})
    events.begin(tx, EventKind.OUTAGE, f"polls of {sites} sites failed at the network, none got through", now)
    blamed = [one for one in run if one.outcome != "offline"]
    costs: dict[int, float] = {}
    for one in blamed:
        costs[one.source_id] = costs.get(one.source_id, 0.0) + WEIGHTS[fault(one.outcome)]
    outages.forgive(tx, costs, blamed, now, timedelta(seconds=OUTAGE_RETRY_S))
    return True
