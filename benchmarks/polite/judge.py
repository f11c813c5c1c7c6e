"""The verdict, from the sites' own logs alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from benchmarks.polite.sites import Arrival, Manners

TOLERANCE_S = 0.005
"""What a timestamp is worth. Nothing else is forgiven."""


def violations(manners: Manners, log: Sequence[Arrival], *, delay_s: float, kept_from: Sequence[str]) -> Iterator[str]:
    """What was done to a site against its wishes. `kept_from` are the beginnings of paths that it forbids."""
    wanted = max(delay_s, manners.crawl_delay or 0.0)
    for before, after in pairwise(log):
        if after.at - before.at < wanted - TOLERANCE_S:
            told = f"{before.path} then {after.path}: {after.at - before.at:.3f} s apart, not {wanted} s"
            yield f"{manners.address}: {told}"
    free_at = 0.0
    for one in log:
        if one.at < free_at - TOLERANCE_S:
            yield f"{manners.address}: {one.path} came {free_at - one.at:.3f} s before the end of the Retry-After"
        if one.open_connections > manners.connections:
            yield f"{manners.address}: {one.path} came over one of {one.open_connections} connections"
        if one.path != "/robots.txt" and one.path.startswith(tuple(kept_from)):
            yield f"{manners.address}: {one.path} is disallowed"
        free_at = max(free_at, one.free_at)
    if log and log[0].path != "/robots.txt":
        yield f"{manners.address}: {log[0].path} was asked for before robots.txt"


def forbidden(manners: Manners, all_manners: dict[str, Manners]) -> tuple[str, ...]:
    """The beginnings of the paths that a site's robots.txt forbids, by what it serves (RFC 9309 section 2.3.1)."""
    if manners.robots == "down":
        return ("/",)
    if manners.robots == "missing":
        return ()
    if manners.robots == "away":
        return forbidden(all_manners[manners.neighbour], all_manners)
    return ("/private/",)
