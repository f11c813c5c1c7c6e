"""The calendar day that a page itself prints for an instant: records hold UTC, readers know the local day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

from crawler.dates import zone_named
from storage.records import Finding

_OFFSET = re.compile(r"\d\s*([+-])(\d{2}):?(\d{2})\s*$")
_NAMED = re.compile(r"\d:\d\d(?::\d\d)?(?:\s*[AaPp]\.?[Mm]\b\.?)?\s*\(?([A-Za-z]{2,5})\)?\s*$")
_PRINTED = ("dom:date-line", "text:line", "url")
_WEST, _EAST = timedelta(hours=12), timedelta(hours=14)
"""The outermost offsets of places (IANA tz database)."""


def local_day(published: Sequence[Finding[datetime]]) -> date | None:
    """The day of the first finding (best first) as its page states it; None without findings.

    The offset or zone that its stamp, or another of the same instant, names tells it; else a day that the page prints
    or its address holds, if some place on Earth has that day at the instant; else the day in UTC.
    """
    if not published:
        return None
    best = published[0]
    own = _by_offset(best, best.value)
    if own:
        return own
    others = (_by_offset(finding, best.value) for finding in published[1:] if finding.value == best.value)
    stated = next((day for day in others if day), None)
    if stated:
        return stated
    days = [f.value.astimezone(UTC).date() for f in published[1:] if f.source in _PRINTED and _is_day(f)]
    fits = [day for day in days if (best.value - _WEST).date() <= day <= (best.value + _EAST).date()]
    if not _is_day(best) and fits:
        in_utc = best.value.astimezone(UTC).date()
        return in_utc if in_utc in fits else fits[0]
    return best.value.astimezone(UTC).date()


def _by_offset(finding: Finding[datetime], at: datetime) -> date | None:
    """The day by the zone that a finding's raw form ends with; offset zero says no more than "in UTC"."""
    named = _NAMED.search(finding.raw)
    zone = zone_named(named[1]) if named else None
    if zone and at.astimezone(zone).utcoffset():
        return at.astimezone(zone).date()
    offset = _OFFSET.search(finding.raw)
    if offset is None or ":" not in finding.raw:
        return None
    minutes = int(offset[2]) * 60 + int(offset[3])
    if not 0 < minutes < 24 * 60:
        return None
    delta = timedelta(minutes=minutes if offset[1] == "+" else -minutes)
    return at.astimezone(timezone(delta)).date()


def _is_day(finding: Finding[datetime]) -> bool:
    return finding.value.astimezone(UTC).strftime("%H%M%S") == "000000"
