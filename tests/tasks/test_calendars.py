"""Dates of other calendars and notations, and the words for a day or an hour that name no number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from storage.records import Precision
from tasks.extract import article_node
from tasks.extract.calendars import civil, solar_day
from tasks.extract.dates import Dates, find_dates
from tasks.extract.datetext import Context, spot
from tasks.extract.document import parse
from tasks.extract.material import Material

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.tarnpost.example/local/lake"
MARCH = datetime(2026, 3, 4, tzinfo=UTC)


def spotted(text: str, language: str = "") -> list[tuple[datetime, Precision]]:
    return [(one.at, one.precision) for one in spot(text, Context(now=NOW, zone=UTC, language=language))]


def dates_of(line: str, language: str = "", head: str = "") -> Dates:
    page = f"<html><head>{head}</head><body><main><h1>Ferry to run all winter</h1>{line}</main></body></html>"
    document = parse(page, URL)
    material = Material(url=URL, status=200, headers=(), body=b"", fetched_at=NOW)
    return find_dates(document, article_node(document), material, language, ())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("۱۳ اسفند ۱۴۰۴", "fa"),
        ("۱۳ اسفند ماه ۱۴۰۴", "fa"),
        ("۱۴۰۴/۱۲/۱۳", "fa"),
        ("令和8年3月4日", "ja"),
        ("令和八年三月四日", "ja"),
        ("二〇二六年三月四日", "zh"),
        ("الأربعاء ٤ آذار ٢٠٢٦", "ar"),
        ("4 مارس/آذار 2026", "ar"),
        ("๔ มี.ค. ๒๕๖๙", "th"),
        ("ngày 4 tháng 3 năm 2026", "vi"),
        ("4 tháng 3, 2026", "vi"),
        ("2026. március 4.", "hu"),
        ("2026 m. kovo 4 d.", "lt"),
        ("2026. gada 4. marts", "lv"),
    ],
)
def test_the_same_day_in_other_calendars_and_numerals(text: str, language: str) -> None:
    assert spotted(text, language) == [(MARCH, Precision.DAY)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20 كانون الثاني 2026", date(2026, 1, 20)),
        ("3 تشرين الأول 2025", date(2025, 10, 3)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("令和元年五月二十三日", date(2019, 5, 23)),
    ],
)
def test_months_of_two_words_and_first_years(text: str, day: date) -> None:
    assert [at.date() for at, _ in spotted(text)] == [day]


@pytest.mark.parametrize(
    ("year", "month", "day", "found"),
    [
        (1400, 1, 1, date(2021, 3, 21)),
        (1399, 12, 30, date(2021, 3, 20)),
        (1404, 12, 13, date(2026, 3, 4)),
        (1357, 11, 22, date(1979, 2, 11)),
        (1404, 7, 31, None),
        (1404, 13, 1, None),
        (2026, 3, 4, None),
    ],
)
def test_the_solar_hijri_calendar(year: int, month: int, day: int, found: date | None) -> None:
    assert solar_day(year, month, day) == found


def test_text_without_such_a_date_stays_as_it_is() -> None:
    assert [civil(text) for text in ("4 march 2026", "99 اسفند 1404", "三月の港")] == [
        "4 march 2026",
        "99 اسفند 1404",
        "三月の港",
    ]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("입력 2026.03.04. 오후 6:15", datetime(2026, 3, 4, 18, 15, tzinfo=UTC)),
        ("2026年3月4日 午前9時5分", datetime(2026, 3, 4, 9, 5, tzinfo=UTC)),
        ("2026年3月4日（水）10:20", datetime(2026, 3, 4, 10, 20, tzinfo=UTC)),
        ("2026年3月4日 星期三 10:20", datetime(2026, 3, 4, 10, 20, tzinfo=UTC)),
        ("4 tháng 3 năm 2026 16:15 (GMT+7)", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("4 марта 2026, 12:15 МСК", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("4 mars\u202f2026 à 10\u00a0h\u00a015", datetime(2026, 3, 4, 10, 15, tzinfo=UTC)),
        ("04.03.2026. u 10:15", datetime(2026, 3, 4, 10, 15, tzinfo=UTC)),
    ],
)
def test_halves_of_the_day_weekdays_and_whole_hours_of_offset(text: str, at: datetime) -> None:
    assert spotted(text) == [(at, Precision.MINUTE)]


def test_a_clock_time_goes_with_one_date_only() -> None:
    assert spotted("2026.03.04 18:15 수정 2026.03.05") == [
        (datetime(2026, 3, 4, 18, 15, tzinfo=UTC), Precision.MINUTE),
        (datetime(2026, 3, 5, tzinfo=UTC), Precision.DAY),
    ]


@pytest.mark.parametrize(
    ("text", "language", "hours"),
    [
        ("Pubblicato un'ora fa", "it", 1),
        ("vor einer Stunde", "de", 1),
        ("час назад", "ru", 1),
        ("نُشر منذ ساعتين", "ar", 2),
        ("פורסם לפני שעתיים", "he", 2),
        ("Published an hour ago", "en", 1),
        ("Published 3 hrs ago", "en", 3),
    ],
)
def test_a_time_past_without_a_figure(text: str, language: str, hours: int) -> None:
    found = dates_of(f"<p class='meta'>{text}</p>", language)
    assert [finding.value for finding in found.published] == [NOW - timedelta(hours=hours)]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Gisteren om 16:40", datetime(2026, 3, 9, 16, 40, tzinfo=UTC)),
        ("Вчера, 18:30", datetime(2026, 3, 9, 18, 30, tzinfo=UTC)),
        ("Heute, 09:15 Uhr", datetime(2026, 3, 10, 9, 15, tzinfo=UTC)),
        ("Publié hier", datetime(2026, 3, 9, tzinfo=UTC)),
    ],
)
def test_yesterday_and_today(text: str, at: datetime) -> None:
    assert [finding.value for finding in dates_of(f"<p class='meta'>{text}</p>").published] == [at]


@pytest.mark.parametrize(
    "text", ["1 Arduino (hier Arduino Nano)", "Today", "Gestern war alles anders, sagt der Wirt 1"]
)
def test_a_word_of_a_sentence_or_of_another_language_is_no_day(text: str) -> None:
    assert dates_of(f"<p class='meta'>{text}</p>").published == ()


@pytest.mark.parametrize(
    "line",
    [
        "<span class='zeit' data-timestamp='1772615700'></span>",
        "<script>{'article': {'publishedAt': 1772615700000, 'slug': 'ferry'}}</script>".replace("'", '"'),
    ],
)
def test_epoch_in_an_attribute_and_in_script_data(line: str) -> None:
    assert dates_of(line).published[0].value == datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


def test_the_stamp_of_a_change_goes_before_the_words_around_it() -> None:
    line = (
        "<div class='meta'>Uppdaterad <time class='updated' datetime='2026-03-06T17:20:00+01:00'>6 mars 2026 kl. 17.20"
        "</time></div><div class='meta'>Publicerad <time datetime='2026-03-04T10:15:00+01:00'>4 mars 2026</time></div>"
    )
    found = dates_of(line, "sv")
    assert found.modified[0].value == datetime(2026, 3, 6, 16, 20, tzinfo=UTC)
    assert found.published[0].value == datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
