"""When an address or a sitemap file is of, by what its address and its listing say: the span of a backfill."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from crawler.discovery import Child
from storage.records import Candidate

_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:[-_/.]?(?P<month>0[1-9]|1[0-2]|(?<=[-_/.])[1-9])"
    r"(?:[-_/.]?(?P<day>0[1-9]|[12]\d|3[01]|(?<=[-_/.])[1-9]))?)?(?!\d)"
)
_PARAMETERS = re.compile(r"(?i)(?:yyyy|year)=(?P<year>(?:19|20)\d\d)(?:\W+(?:mm|month)=(?P<month>\d{1,2}))?")
_EDGE = timedelta(days=1)
"""A local day begins up to a day before or after that of UTC."""


def span_of(url: str) -> tuple[datetime, datetime] | None:
    """The year, month or day that an address names, as the times at which it begins and ends; None if it names none."""
    parts = urlsplit(url)
    found = _PARAMETERS.search(parts.query) or _DATE.search(f"{parts.path}?{parts.query}")
    if found is None:
        return None
    groups = found.groupdict()
    year, month, day = int(groups["year"]), int(groups["month"] or 0), int(groups.get("day") or 0)
    try:
        start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    if day:
        return start, start + timedelta(days=1)
    after = (year + 1, 1) if month in (0, 12) else (year, month + 1)
    return start, datetime(*after, 1, tzinfo=UTC)


def may_hold(child: Child, since: datetime, until: datetime) -> bool:
    """Whether a file of an index may name addresses of the span: by its address, else by when it last changed."""
    if (span := span_of(child.url)) is not None:
        return span[0] - _EDGE < until and span[1] + _EDGE > since
    return child.lastmod is None or child.lastmod + _EDGE > since


def is_of(candidate: Candidate, since: datetime, until: datetime) -> bool | None:
    """Whether an address is of the span; None where nothing tells.

    A stated date of publication counts most, then a whole day in the address. A lastmod only says that the article is
    not younger: it is taken for the date as long as it does not lie behind the span.
    """
    if candidate.hints.published_at is not None:
        return since <= candidate.hints.published_at < until
    span = span_of(candidate.url)
    if span is not None and span[1] - span[0] <= timedelta(days=31):
        return span[0] < until and span[1] > since
    modified = candidate.hints.modified_at
    if modified is None or modified >= until:
        return None
    return modified >= since
