"""Days without a year, as news pages show those of this year: the last such day before the page was fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta

from tasks.extract.datetext import NAME, Context, Spotted, folded, month_of, spot

_END = r"(?!\d|[^\W\d_])(?!\.?\s?(?:de |del )?(?:\d{4}|'\d\d))"
_DAYS = (
    re.compile(
        rf"(?<![\d.,:/-])(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?\s?(?:of |de |di |d')?(?P<month>{NAME}){_END}"
    ),
    re.compile(rf"(?P<month>{NAME})\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?{_END}"),
    re.compile(r"(?P<month>)(?<!\d)(?<!\d[年년])(?<!\d[年년]\s)(?P<day>\d{1,2})\s?[月월]\s?\d{1,2}\s?[日일]"),
)
"""Each form by itself: in "Posted 4 May" the word before the figure is no month."""
_LONGEST = 60
_REST = 25
"""Characters beside the day and its clock time in a line that says no more than when: a weekday, a label."""
_AHEAD = timedelta(hours=14)
"""By which the clock of a place may be ahead of the one that the page was fetched by."""
_SOON = timedelta(days=60)
"""Within which a day to come is an announced one, and not that of a year ago."""


def spot_yearless(text: str, context: Context) -> Iterator[Spotted]:
    """The one day of a short line that names no year: the last such day, if it is not soon to come again."""
    line = folded(text)
    forms = _DAYS if len(line) <= _LONGEST else ()
    days = [day for form in forms for day in form.finditer(line) if _is_day(day, context)]
    if len(days) == 1:
        year = context.now.astimezone(UTC).year
        found = [s for y in (year + 1, year, year - 1) for s in _in_year(line, days[0], y, context)]
        yield from (s for s in found[:1] if s.at <= context.now + _AHEAD)


def _is_day(day: re.Match[str], context: Context) -> bool:
    return not day["month"] or month_of(day["month"], context.language) is not None


def _in_year(line: str, day: re.Match[str], year: int, context: Context) -> list[Spotted]:
    """What the line tells with the year put in, if that is all that it tells and no later than soon."""
    at, shown = (day.end(), f" {year}") if day["month"] else (day.start(), f"{year}年")
    dated = line[:at] + shown + line[at:]
    found = list(spot(dated, replace(context, now=context.now + _SOON)))
    rest = len(dated) - sum(s.end - s.start for s in found)
    return found if len(found) == 1 and rest <= _REST else []
