"""Dates of other calendars and notations, rewritten as the Gregorian dates and clock times that others write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from tasks.extract.lexicon import fold, read_data

_FIRST, _LAST = 1300, 1499
"""Years of the solar Hijri calendar that a news page may name; no year of the common era that one may."""
_NOWRUZ = date(2021, 3, 21)
"""The first day of the year 1400."""
_LEAP = frozenset((1, 5, 9, 13, 17, 22, 26, 30))
"""Leap years in the cycle of 33 years, which is right from 1343 to 1472."""
_ARABIC, _WIDE = "\u0600", "\u3000"
_HAN = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0, "元": 1}
_HAN_NUMBER = re.compile(r"[〇零一二三四五六七八九十]{1,4}(?=[年月日])")
_HALF = re.compile(r"(오전|오후|午前|午後|上午|下午)\s*(\d{1,2})(?:\s*[:시時点點]\s*(\d{1,2})?)?(?:\s*[분分])?")
_VIETNAMESE = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2})[,\s]+(?:năm\s+)?(\d{4})(?!\d)")
_MORNING = frozenset(("오전", "午前", "上午"))


def civil(text: str) -> str:
    """A folded text with ASCII digits, its dates rewritten where another calendar or notation writes them."""
    if text.isascii():
        return text
    if "tháng" in text:
        return _VIETNAMESE.sub(r"\3-\2-\1", text)
    last = max(text)
    if last >= _WIDE:
        return _HALF.sub(_clock, _east_asian(text) if "年" in text else text)
    return _near_eastern(text) if last >= _ARABIC else text


def solar_day(year: int, month: int, day: int) -> date | None:
    """The Gregorian day of one in the solar Hijri calendar; None for what is no day of it near our time."""
    longest = 31 if month <= 6 else 30
    if not (_FIRST <= year <= _LAST and 1 <= month <= 12 and 1 <= day <= longest):
        return None
    between = range(min(year, 1400), max(year, 1400))
    days = sum(366 if passed % 33 in _LEAP else 365 for passed in between)
    before = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    return _NOWRUZ + timedelta(days=(days if year >= 1400 else -days) + before + day - 1)


def _east_asian(text: str) -> str:
    words = _words()
    counted = _HAN_NUMBER.sub(lambda number: str(_han(number[0])), text)
    return words.era.sub(lambda era: f"{words.eras[era[1]] + int(_HAN.get(era[2], era[2])) - 1}年", counted)


def _near_eastern(text: str) -> str:
    words = _words()
    single = words.two_words.sub(lambda name: words.names[name[0]], text)
    return words.solar.sub(_solar, single)


def _solar(found: re.Match[str]) -> str:
    day = solar_day(int(found[3]), _words().months[found[2]], int(found[1]))
    return day.isoformat() if day else found[0]


def _clock(found: re.Match[str]) -> str:
    return f"{found[2]}:{int(found[3] or 0):02d} {'am' if found[1] in _MORNING else 'pm'} "


def _han(number: str) -> int:
    """The value of a number in Han characters, by place ("二〇二六") or with a word for ten ("二十三")."""
    tens, ten, ones = number.rpartition("十")
    if ten:
        return 10 * (_HAN.get(tens, 0) or 1) + _HAN.get(ones, 0)
    return int("".join(str(_HAN[digit]) for digit in number))


@dataclass(frozen=True, slots=True)
class _Words:
    months: dict[str, int]
    solar: re.Pattern[str]
    names: dict[str, str]
    two_words: re.Pattern[str]
    eras: dict[str, int]
    era: re.Pattern[str]


@cache
def _words() -> _Words:
    table = read_data("calendars.toml")
    months = {fold(name): number for number, name in enumerate(table["solar"], 1)}
    names = {fold(two): fold(one) for two, one in table["two_words"].items()}
    return _Words(
        months=months,
        solar=re.compile(rf"(?<!\d)(\d{{1,2}})\s+({'|'.join(months)})(?:\s+ماه)?[\s,،]+(\d{{4}})(?!\d)"),
        names=names,
        two_words=re.compile("|".join(names)),
        eras=table["eras"],
        era=re.compile(rf"({'|'.join(table['eras'])})\s?(元|\d{{1,3}})\s?年"),
    )
