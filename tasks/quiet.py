"""Quiet hours: when nobody wants to be told."""

import re
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.errors import SettingsError

_FORM = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)(?:\s+(\S+))?")


def is_quiet(hours: str, now: datetime) -> bool:
    """Whether a time lies in quiet hours such as `22:00-07:00 Europe/Berlin` (UTC where no zone is named).

    Raises SettingsError for text of another form.
    """
    if not hours:
        return False
    begin, end, zone = _read(hours)
    here = now.astimezone(zone).time()
    return begin <= here < end if begin <= end else here >= begin or here < end


def _read(hours: str) -> tuple[time, time, ZoneInfo]:
    found = _FORM.fullmatch(hours.strip())
    try:
        if found is None:
            raise ValueError(hours)  # noqa: TRY301 - all that is wrong ends in one message
        a, b, c, d = (int(part) for part in found.groups()[:4])
        return time(a, b), time(c, d), ZoneInfo(found[5] or "UTC")
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise SettingsError(f"quiet_hours must be as '22:00-07:00 Europe/Berlin', not {hours!r}") from error
