"""Machine-readable dates: what feeds, sitemaps, meta tags and JSON-LD write when they mean an instant."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.records import Precision

EARLIEST_YEAR = 1700
"""Below it lie the zero dates of programs, and no news that has a page."""

SKEW = timedelta(days=1)
"""How far ahead of now a date may lie: clocks and zones err by hours, schedules by more."""

_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_COMMENT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_EPOCH = re.compile(r"(?:/Date\()?(-?\d{9,10}|\d{12,13}|\d{16})(?:\.\d+)?(?:\)/)?")

_TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\b\.?)?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|[.ºª])?"
_MONTH = r"(?P<mon>[^\W\d_]{3,12})\.?"
_JOIN = r"(?:\s*[-/,]\s*|\s+(?:de\s+)?)"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        # ISO 8601 extended and its misspellings, ISO 8601 basic, day first with full stops
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?!\d)",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?=\D|\d{4}(?:\d\d)?\b|$)",
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})(?!\d)",
        # RFC 822 and 850, its American order, asctime and date(1)
        rf"{_DAY}{_JOIN}{_MONTH}{_JOIN}(?P<y>\d{{4}}|\d\d)(?![\d:])",
        rf"{_MONTH}\s+{_DAY},?\s+(?P<y>\d{{4}})(?![\d:])",
        rf"{_MONTH}\s+{_DAY},?\s+{_TIME}(?P<zone>.*?)\s(?P<y>\d{{4}})",
    )
)
_CLOCK = re.compile(rf"(?<![+\-\d:]){_TIME}")  # not the offset of a date like 2026-03-04+01:00
_COMPACT_CLOCK = re.compile(r"[T\s]*(?P<H>\d{2})(?P<M>\d{2})?(?P<S>\d{2})?(?:[.,]\d+)?(?P<half>)(?=\D|$)")
_WEEKDAY = re.compile(r"[^\W\d_]{0,15}[.,\s]*")
_OFFSET = re.compile(r"(?:UTC|GMT|UT|Z)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?(?:\s+[A-Za-z]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A date as written: a calendar day, the match of a clock time, and the text where a zone may stand."""

    year: int
    month: int
    day: int
    clock: re.Match[str] | None
    zone: str


def parse_date(text: str, *, now: datetime, default_zone: tzinfo = UTC) -> tuple[datetime, Precision] | None:
    """Return the instant that `text` states, in UTC, and how exact the text is; None where it states none.

    Reads RFC 3339 and ISO 8601 calendar dates, RFC 822, 850 and 1123 with zone names, asctime, and seconds,
    milliseconds or microseconds since 1970. A wrong weekday is ignored. A time without a zone, or with an unknown one,
    is one of `default_zone`; a day without a time is its first instant there. None for an impossible date, for the
    zero dates of programs, and for one more than a day after `now`.
    """
    found = _instant(_MARKS.sub("", text).replace("\u2212", "-").strip()[:100], default_zone)
    if found is None or found[0] > now + SKEW or found[0].timestamp() == 0 or found[0].year < EARLIEST_YEAR:
        return None
    return found


def _instant(text: str, default_zone: tzinfo) -> tuple[datetime, Precision] | None:
    if (match := _EPOCH.fullmatch(text)) and (instant := _from_epoch(match[1])):
        return instant, Precision.SECOND
    try:
        parts = _take_apart(_COMMENT.sub(" ", text))
        return _assemble(parts, default_zone) if parts else None
    except (ValueError, OverflowError):
        return None  # 31 February, hour 25, an offset of a week


def _from_epoch(digits: str) -> datetime | None:
    seconds = int(digits) / {12: 1e3, 13: 1e3, 16: 1e6}.get(len(digits.lstrip("-")), 1)
    is_day = len(digits) == 12 and digits[:2] in ("19", "20") and digits[4:8] <= "1231" and digits[8:] <= "2359"
    return None if is_day else datetime.fromtimestamp(seconds, UTC)  # 12 digits may be YYYYMMDDhhmm too


def _take_apart(text: str) -> _Parts | None:
    for pattern in _DATES:
        match = pattern.search(text)
        if not match or not _WEEKDAY.fullmatch(text[: match.start()]):
            continue
        fields = match.groupdict()
        month = _months().get(_bare(fields["mon"])) if "mon" in fields else int(fields["m"])
        if month is None:
            continue
        clock: re.Match[str] | None = match
        zone = fields.get("zone") or ""
        if "H" not in fields:
            rest = text[match.end() :]
            clock = _CLOCK.search(rest) or _COMPACT_CLOCK.match(rest)
            zone = rest[clock.end() :] if clock else rest
        return _Parts(year=_year(fields["y"]), month=month, day=int(fields["d"]), clock=clock, zone=zone.strip(" ,"))
    return None


def _year(digits: str) -> int:
    """RFC 5322 section 4.3: two digits below 50 are of this century, others of the last."""
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)


def _assemble(parts: _Parts, default_zone: tzinfo) -> tuple[datetime, Precision]:
    zone = _zone(parts.zone, default_zone)
    day = datetime(parts.year, parts.month, parts.day, tzinfo=zone)
    if parts.clock is None:
        return day.astimezone(UTC), Precision.DAY
    hour, minute, second = (int(parts.clock[name] or 0) for name in "HMS")
    hour = _hour(hour, (parts.clock["half"] or "").lower())
    if hour == 24 and minute == second == 0:  # ISO 8601: the end of the day
        day, hour = day + timedelta(days=1), 0
    exact = day.replace(hour=hour, minute=minute, second=min(second, 59) if second == 60 else second)
    return exact.astimezone(UTC), Precision.SECOND if parts.clock["S"] else Precision.MINUTE


def _hour(hour: int, half: str) -> int:
    if not half or hour > 12:
        return hour  # "14:10 PM" is seen, and clear
    return hour % 12 + (12 if half == "p" else 0)


def _zone(text: str, default: tzinfo) -> tzinfo:
    """Read a zone. Raises ValueError for an offset that no place has."""
    if match := _OFFSET.fullmatch(text):
        return _offset(match[1], int(match[2]), int(match[3] or 0))
    name = text.partition(" ")[0].strip(".,;")
    known = zone_named(name)
    if known or "/" not in name:
        return known or default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default


def zone_of(place: str) -> tzinfo:
    """The time zone of an IANA name like Europe/Berlin, as a source has it; UTC for what is none."""
    try:
        return ZoneInfo(place)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, such as America
        return UTC


def zone_named(abbreviation: str) -> tzinfo | None:
    """The zone that an abbreviation stands for, in small or capital letters ("CET", "pdt"); None for an unknown one."""
    offsets, places = _zones()
    name = abbreviation.upper()
    place = places.get(name)
    return offsets.get(name) or (ZoneInfo(place) if place else None)


def _offset(sign: str, hours: int, minutes: int) -> timezone:
    if hours > 14 or minutes > 59:
        raise ValueError("no place is that far from Greenwich")
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if sign == "-" else delta)


def _bare(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))


@cache
def _months() -> dict[str, int]:
    languages = tomllib.loads(resources.files("crawler.data").joinpath("months.toml").read_text("utf-8"))
    found: dict[str, int] = {}
    for names in languages.values():
        for number, spellings in enumerate(names, start=1):
            found |= dict.fromkeys(spellings.split(), number)
    return found


@cache
def _zones() -> tuple[dict[str, timezone], dict[str, str]]:
    data = tomllib.loads(resources.files("crawler.data").joinpath("zones.toml").read_text("utf-8"))
    offsets = {name: _offset(text[0], int(text[1:3]), int(text[4:])) for name, text in data["offsets"].items()}
    return offsets, data["zones"]
