"""Dates as people write them: month names of many languages, any decimal digits, either order, "two hours ago"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from crawler.dates import zone_named
from storage.records import Precision
from tasks.extract.calendars import civil, solar_day
from tasks.extract.lexicon import fold, lexicon

NAME = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e]|\.(?=[\u0e01-\u0e2e]))+"
"""A word with the vowel signs and accents that Unicode has as marks (Indic scripts and Thai write most vowels so), and
with the dot inside a Thai abbreviation."""
_DATE = re.compile(
    r"(?<![\d.,:/-])(?:"
    r"(?P<y1>\d{4})\s?(?:[-/.]|[年년]\s?)\s?(?P<m1>\d{1,2})\s?(?:[-/.]|[月월]\s?)\s?(?P<d1>\d{1,2})\s?[日일]?(?!\d)"
    r"|(?P<d2>\d{1,2})(?:st|nd|rd|th|er|re|\.|º|°|ª|-?го|ին|\.?-?a?n)?[\s,.-]*"
    rf"(?:of |de |di |d'|del |ב)?(?P<m2>{NAME})\.?"
    rf"(?:\s?[/(]\s?{NAME}\)?)?[\s,-]*(?:de |del |of )?"
    r"(?P<y2>\d{4}|'\d\d)(?!\d)"
    r"|(?P<d3>\d{1,2})(?P<sep>[./-]|\s\|\s)\s?(?P<m3>\d{1,2})(?P=sep)\s?(?P<y3>\d{4}|\d{2})(?![\d/]|\.\d)"
    rf"|(?P<y6>\d{{4}})\.\s?gada\s+(?P<d6>\d{{1,2}})\.\s?(?P<m6>{NAME})"
    rf"|(?P<y5>\d{{4}})(?:\.|\s?m\.|ko)\s*(?P<m5>{NAME})\s+(?P<d5>\d{{1,2}})(?!\d)"
    rf")|(?P<m4>{NAME})"
    r"\.?\s+(?P<d4>\d{1,2})(?:st|nd|rd|th)?,?\s+(?:de |del )?(?P<y4>\d{4})(?!\d)"
)
_NAMED_FORMS = "2456"
"""The alternatives of `_DATE` that name the month."""
_CLOCK = (
    r"(?P<h>\d{1,2})(?:(?P<mark>[:.時시点點]|\s?h)\s?(?P<m>\d{2})?(?::(?P<s>\d{2}))?)?\s*(?:分|분)?\s*(?:uhr|hrs|h\b)?\s*(?P<half>a\.?\s?m\b\.?|p\.?\s?m\b\.?)?"
    r"\s*\(?(?P<zone>(?:utc|gmt)\s?[+−-]\d{1,2}(?::?\d{2})?\b|[+−-]\d{1,2}:?\d{2}\b|[a-z]{1,4}\b|мск\b)?"
)
_WEEKDAY = r"(?:\s?[(（]?(?:(?:星期|周|週)[一二三四五六日天]|[月火水木金土日월화수목금토일](?:曜日?|요일)?)[)）]?)?"
_AFTER = re.compile(
    _WEEKDAY + r"[\s,.|·•–—/@()t-]*"
    r"(?:\b(?:at|um|à|a las|às|alle|ore|ore:|kl\.?|klo|godz\.?|в|о|om|la|saat|ob|u|v|ve|"
    r"lúc|pukul|στις|ساعت|الساعة|בשעה)\s+)?" + _CLOCK
)
_BEFORE = re.compile(
    r"(?:^|[\s(,|])" + _CLOCK + r"[\s,|·•–—)-]*(?:(?:on|am|le|el|il|em|den|i|pe)\s+)?(?:[^\W\d_]+\.?,?\s+)?$"
)
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([/-])(\d{1,2})\2(\d{4})(?!\d)")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_UNSPACED = "\u0530"
"""Before it lie the Latin, Greek and Cyrillic scripts, which part their words."""
_DAYS = (0, 86_400, 172_800)
"""Seconds back to the days that have a name of their own."""
_DUAL = re.compile(r"ين$|יים$|שתי")
"""The Arabic and Hebrew forms for two of a kind."""
_SHORT_LINE = 60
"""Characters of a line above which a word like "yesterday" may be one of a sentence."""
_WORDS = frozenset(("at", "met", "pet"))
"""What after a clock time is an English word more often than a time zone."""
_MONTH_FIRST = frozenset(("en-us", "en-ph", "en-ca", "fil", "es-pa", "es-us"))


def _no_evidence() -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What an ambiguous date is read against."""

    now: datetime
    """When the page was made, as far as known; nothing a day later is a publication date."""
    zone: tzinfo
    """Of dates that name none."""
    language: str = ""
    """Declared language tag in lower case."""
    month_first: Callable[[], bool | None] = _no_evidence
    """What the page's other numeric dates show, asked only for a date that can be read both ways; None for nothing."""
    expected: date | None = None
    """The day in the page's address, which tells which way its numbers are to be read."""


@dataclass(frozen=True, slots=True)
class Spotted:
    """One date in a text: the instant, how exact it is, and where it stands in the folded text."""

    at: datetime
    precision: Precision
    start: int
    end: int


def order_evidence(text: str) -> bool | None:
    """Whether the numeric dates of a page put the month first, by numbers above 12; None where they do not tell."""
    orders = {int(m[1]) <= 12 for m in _NUMERIC.finditer(digits(text)) if (int(m[1]) > 12) != (int(m[3]) > 12)}
    return orders.pop() if len(orders) == 1 else None


def digits(text: str) -> str:
    """The text with every decimal digit (Unicode category Nd) as its ASCII twin."""
    return text if text.isascii() else _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


def spot(text: str, context: Context) -> Iterator[Spotted]:
    """All dates and relative times in a short text, in order; none that lies more than a day after `context.now`."""
    line = folded(text)
    found, read = [], 0
    for match in _DATE.finditer(line):
        if spotted := _absolute(match, line, context, read):
            found.append(spotted)
            read = spotted.end
    found += _relative(line, context)
    latest = context.now + timedelta(days=1)
    yield from (
        spotted
        for spotted in sorted(found, key=lambda s: s.start)
        if datetime(1970, 1, 2, tzinfo=UTC) < spotted.at <= latest
    )


def folded(text: str) -> str:
    """The text in the form in which `Spotted` counts places."""
    return civil(digits(fold(text)))


def _absolute(match: re.Match[str], text: str, context: Context, read: int) -> Spotted | None:
    """The date of a match with the clock time beside it, which does not stand before `read`."""
    day = _day(match, context)
    if day is None:
        return None
    start, end = match.span()
    for clock, before in (
        (_AFTER.match(text, end), False),
        (_BEFORE.search(text[max(read, start - 40) : start]), True),
    ):
        instant = _at(day, clock, context) if clock else None
        if clock and instant:
            precision = Precision.SECOND if clock["s"] else Precision.MINUTE
            return Spotted(instant, precision, start, end if before else clock.end())
    return Spotted(day.replace(tzinfo=context.zone).astimezone(UTC), Precision.DAY, start, end)


def _day(match: re.Match[str], context: Context) -> datetime | None:
    if match["y1"]:
        if context.language.startswith("fa") and (day := solar_day(*(int(match[name]) for name in ("y1", "m1", "d1")))):
            return datetime(day.year, day.month, day.day)  # noqa: DTZ001  (likewise)
        return _date(_year(match["y1"], context), match["m1"], match["d1"])
    for form in _NAMED_FORMS:
        if name := match[f"m{form}"]:
            month, year = month_of(name, context.language), _year(match[f"y{form}"], context)
            return _date(year, str(month), match[f"d{form}"]) if month else None
    return _numeric(match, context)


def _numeric(match: re.Match[str], context: Context) -> datetime | None:
    year = _year(match["y3"], context) if len(match["y3"]) == 4 else f"20{match['y3']}"
    first, second = match["d3"], match["m3"]
    readings = {False: _date(year, second, first), True: _date(year, first, second)}
    latest = (context.now + timedelta(days=1)).replace(tzinfo=None)
    possible = {order: day for order, day in readings.items() if day and day <= latest}
    if len(possible) == 1:
        return next(iter(possible.values()))
    fits = [day for day in possible.values() if day.date() == context.expected]
    if fits:
        return fits[0]
    if match["sep"] == ".":
        return possible.get(False)
    month_first = context.month_first()
    if month_first is None:
        month_first = context.language in _MONTH_FIRST or context.language == "en"
    return possible.get(month_first)


def _year(digits: str, context: Context) -> str:
    """The year of the common era: pages in Thai count from 543 years before it (the Thai solar calendar)."""
    if digits.startswith("'"):
        return f"20{digits[1:]}"
    is_thai = context.language.startswith("th") and digits.startswith("25")
    return str(int(digits) - 543) if is_thai else digits


def _date(year: str, month: str, day: str) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day))  # noqa: DTZ001  (a calendar day; the zone comes later)
    except ValueError:
        return None


def month_of(name: str, language: str) -> int | None:
    """The number of a month by its folded name, first in a page's own language."""
    words = lexicon()
    own: Mapping[str, int] = words.months_by_language.get(language.split("-", maxsplit=1)[0], {})
    return own.get(name) or words.months.get(name)


def _at(day: datetime, clock: re.Match[str], context: Context) -> datetime | None:
    """The instant of a clock time on a day; None if it is no clock time ("3 min read", a bare number)."""
    if not clock["half"] and not (clock["mark"] and (clock["m"] or clock["mark"] not in ":.")):
        return None
    hour, minute, second = int(clock["h"]), int(clock["m"] or 0), int(clock["s"] or 0)
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"].startswith("p") else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return day.replace(hour=hour, minute=minute, second=second, tzinfo=_zone(clock["zone"]) or context.zone).astimezone(
        UTC
    )


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    offset = re.fullmatch(r"(?:utc|gmt)?\s?([+−-])(\d{1,2})(?::?(\d{2}))?", name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes)) if minutes < 1440 else None
    return None if name in _WORDS else zone_named(name.replace("мск", "msk"))


def _named_day(match: re.Match[str], text: str, at: datetime, context: Context) -> list[Spotted]:
    """Today, yesterday or the day before in a short line: with a clock time, or yesterday alone or behind a label.

    The words of one language are others' too ("hier"), and a sentence may hold them.
    """
    day, clock = at.replace(hour=0, minute=0, second=0, microsecond=0), _AFTER.match(text, match.end())
    if len(text) > _SHORT_LINE:
        return []
    if clock and (instant := _at(day, clock, context)):
        return [Spotted(instant, Precision.MINUTE, match.start(), clock.end())]
    label, rest = text[: match.start()].strip(" :|·•-–"), text[match.end() :].strip(" .|·•-–")
    alone = not rest and (not label or lexicon().published.fullmatch(label) or lexicon().updated.fullmatch(label))
    is_past = day.date() < context.now.astimezone(context.zone).date()
    return [Spotted(day.astimezone(UTC), Precision.DAY, *match.span())] if alone and is_past else []


def _relative(text: str, context: Context) -> list[Spotted]:
    found: list[Spotted] = []
    if max(text, default="") < _UNSPACED and lexicon().ago_words.isdisjoint(_LETTERS.findall(text)):
        return found
    for pattern, seconds in lexicon().ago:
        for match in pattern.finditer(text):
            number = re.search(r"\d+", match[0])
            many = int(number[0]) if number else 2 if _DUAL.search(match[0]) else 1
            at = context.now - timedelta(seconds=seconds * many)
            if seconds in _DAYS and number is None and many == 1:
                found += _named_day(match, text, at.astimezone(context.zone), context)
            elif seconds < 86_400:
                found.append(Spotted(at.replace(microsecond=0), Precision.MINUTE, *match.span()))
            elif seconds <= 604_800:
                midnight = at.astimezone(context.zone).replace(hour=0, minute=0, second=0, microsecond=0)
                found.append(Spotted(midnight.astimezone(UTC), Precision.DAY, *match.span()))
    return found
