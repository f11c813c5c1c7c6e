"""Fixed schedules: the next run of a cron line in a time zone, right across clock changes.

Times of day follow the wall clock: one that a clock change skips runs once, right after the gap, and one that happens
twice runs the first time only. Lines for every hour follow elapsed time: they run in each hour, a repeated one too.
"""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from storage.errors import SourceError

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_STEP = re.compile(r"\*/0*(\d+)")


def next_run(line: str, zone: str, after: datetime) -> datetime:
    """The first run strictly after `after`, in UTC.

    `line` has five fields as in crontab(5); L, # and names are understood. `zone` is a name of the tz database.
    Raises SourceError when either is wrong or the line never runs.
    """
    try:
        runs = CronSim(_by_the_clock(line), after.astimezone(_zone(zone)))
    except CronSimError as error:
        raise SourceError(f"cron line {line!r}: {str(error)[:1].lower()}{str(error)[1:]}") from error
    # The clock's second pass over a repeated hour yields times of its first pass: they have run.
    found = next((at for run in runs if (at := run.astimezone(UTC)) > after), None)
    if found is None:
        raise SourceError(f"cron line {line!r} never runs")
    return found


def check(line: str, zone: str) -> None:
    """Raise SourceError naming what is wrong with a cron line or its time zone, if anything is."""
    next_run(line, zone, _EPOCH)


def _by_the_clock(line: str) -> str:
    """The line with the stars spelt out where its hours are particular ones.

    As in Debian's cron, cronsim takes a field that begins with a star for 'follows elapsed time', which would skip
    `*/15 2 * * *` on the night without a 02:00, and run it eight times on the night with two.
    """
    fields = line.split()
    if len(fields) != 5:
        raise SourceError(f"cron line {line!r} has {len(fields)} fields, not five: minute hour day month weekday")
    minute, hour, *rest = fields
    step = _STEP.fullmatch(hour)
    if step and int(step[1]) > 1:
        hour = f"0-23/{step[1]}"
    if not hour.startswith("*") and minute.startswith("*"):
        minute = f"0-59{minute[1:]}"
    return " ".join([minute, hour, *rest])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder, such as America
        raise SourceError(f"there is no time zone {name!r}; names are like Europe/Berlin") from error
