from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.dates import parse_date
from storage.records import Precision

NOW = datetime(2026, 8, 1, tzinfo=UTC)
SECOND, MINUTE, DAY = Precision.SECOND, Precision.MINUTE, Precision.DAY


@pytest.mark.parametrize(
    ("text", "expected", "precision"),
    [
        # RFC 3339, ISO 8601
        ("2026-03-04T09:15:00Z", "2026-03-04T09:15", SECOND),
        ("2026-03-04t09:15:00z", "2026-03-04T09:15", SECOND),
        ("2026-03-04T09:15:00+01:00", "2026-03-04T08:15", SECOND),
        ("2026-03-04T09:15:00.123456789-0530", "2026-03-04T14:45", SECOND),
        ("2026-03-04T09:15:00,5Z", "2026-03-04T09:15", SECOND),
        ("2026-03-04T09:15:00 +0100", "2026-03-04T08:15", SECOND),
        ("2026-03-04T09:15:00+01", "2026-03-04T08:15", SECOND),
        ("2026-03-04T09:15:00+01:00[Europe/Paris]", "2026-03-04T08:15", SECOND),
        ("2026-03-04T09:15+01:00", "2026-03-04T08:15", MINUTE),
        ("2026-03-04 09:15", "2026-03-04T09:15", MINUTE),
        ("2026-03-04T09Z", "2026-03-04T09:00", MINUTE),
        ("2026-03-04T0915Z", "2026-03-04T09:15", MINUTE),
        ("20260304T091500Z", "2026-03-04T09:15", SECOND),
        ("20260304091500", "2026-03-04T09:15", SECOND),
        ("202603040915", "2026-03-04T09:15", MINUTE),
        ("20260304", "2026-03-04T00:00", DAY),
        ("2026-03-04", "2026-03-04T00:00", DAY),
        ("2026-03-04+01:00", "2026-03-03T23:00", DAY),
        ("2026-3-4", "2026-03-04T00:00", DAY),
        ("2026/7/11 14:22:05", "2026-07-11T14:22", SECOND),
        ("2026-03-04 07:41:20 AM", "2026-03-04T07:41", SECOND),
        ("2026-03-04 12:10 a.m.", "2026-03-04T00:10", MINUTE),
        ("2026-03-04 07:41 PM EST", "2026-03-05T00:41", MINUTE),
        ("2026-03-04T24:00:00Z", "2026-03-05T00:00", SECOND),
        ("2026-06-30T23:59:60Z", "2026-06-30T23:59", SECOND),
        ("2026-03-04 09:15:00 UTC", "2026-03-04T09:15", SECOND),
        ("2026-03-04 09:15:00 Europe/Berlin", "2026-03-04T08:15", SECOND),
        ("\u200e\u0662\u0660\u0662\u0666-\u0660\u0663-\u0660\u0664", "2026-03-04T00:00", DAY),
        ("04.03.2026 09:15", "2026-03-04T09:15", MINUTE),
        # RFC 822, 1123, 850
        ("Wed, 04 Mar 2026 09:15:00 EST", "2026-03-04T14:15", SECOND),
        ("Thu, 30 Jul 2026 06:32:00 MEST", "2026-07-30T04:32", SECOND),
        ("Thu, 30 Jul 2026 06:32:00 CEST", "2026-07-30T04:32", SECOND),
        ("Mon, 06 Jul 2026 05:20:00 PDT", "2026-07-06T12:20", SECOND),
        ("Mon, 06 Jul 2026 05:20:00 PT", "2026-07-06T12:20", SECOND),
        ("Tue, 07 Jul 26 10:00:00 GMT", "2026-07-07T10:00", SECOND),
        ("Tue, 07 Jul 98 10:00:00 GMT", "1998-07-07T10:00", SECOND),
        ("Thu, 09 Jul 2026 18:45:00 Z", "2026-07-09T18:45", SECOND),
        ("Sun, 10 Jul 2026 6:05:00 -0000", "2026-07-10T06:05", SECOND),
        ("Fri,10 Jul 2026 06:05 +0200", "2026-07-10T04:05", MINUTE),
        ("10 July 2026 06:05:00 GMT+2", "2026-07-10T04:05", SECOND),
        ("Fri, 10 Jul 2026 06:05:00 UTC\u22125:30", "2026-07-10T11:35", SECOND),
        ("Fri, 10 Jul 2026 06:05:00 +0530 (IST)", "2026-07-10T00:35", SECOND),
        ("Fri, 10 Jul 2026 06:05:00 XYZT", "2026-07-10T06:05", SECOND),
        ("Friday, 10-Jul-26 06:05:00 GMT", "2026-07-10T06:05", SECOND),
        ("Fri, 10 Jul 2026", "2026-07-10T00:00", DAY),
        ("Fri, 10 Sept 2025 10:00:00 BST", "2025-09-10T09:00", SECOND),
        ("mer., 04 f\u00e9vr. 2026 09:15:00 +0100", "2026-02-04T08:15", SECOND),
        ("Mi, 04 M\u00e4r 2026 09:15:00 MEZ", "2026-03-04T08:15", SECOND),
        ("4 de marzo de 2026 09:15", "2026-03-04T09:15", MINUTE),
        ("March 4th, 2026 9:15 PM", "2026-03-04T21:15", MINUTE),
        # asctime, date(1), JavaScript
        ("Wed Mar  4 09:15:00 2026", "2026-03-04T09:15", SECOND),
        ("Wed Mar  4 09:15:00 EST 2026", "2026-03-04T14:15", SECOND),
        ("Wed Mar 04 2026 09:15:00 GMT+0100 (Central European Standard Time)", "2026-03-04T08:15", SECOND),
        # since 1970
        ("1772615700", "2026-03-04T09:15", SECOND),
        ("1772615700000", "2026-03-04T09:15", SECOND),
        ("1772615700.25", "2026-03-04T09:15", SECOND),
        ("/Date(1772615700000)/", "2026-03-04T09:15", SECOND),
    ],
)
def test_date(text: str, expected: str, precision: Precision) -> None:
    found = parse_date(text, now=NOW)
    assert found is not None
    assert (found[0].strftime("%Y-%m-%dT%H:%M"), found[1], found[0].tzinfo) == (expected, precision, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0000-00-00",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "0",
        "2026-02-31",
        "2026-13-01T00:00:00Z",
        "2026-03-04T25:00:00Z",
        "2026-03-04T09:75:00Z",
        "2026-03-04T09:15:00+99:99",
        "Wed, 32 Mar 2026 09:15:00 GMT",
        "Wed, 04 Foo 2026 09:15:00 GMT",
        "2031-01-01T00:00:00Z",
        "2026-08-02T00:00:01Z",
        "4102444800",
        "2026-03",
        "2026",
        "03/04/2026",
        "9" * 500,
    ],
)
def test_no_date(text: str) -> None:
    assert parse_date(text, now=NOW) is None


def test_a_day_ahead_may_be_a_clock() -> None:
    assert parse_date("2026-08-02T00:00:00Z", now=NOW) is not None


def test_default_zone_holds_for_times_without_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_date("2026-07-11 14:22:05", now=NOW, default_zone=berlin) == (
        datetime(2026, 7, 11, 12, 22, 5, tzinfo=UTC),
        SECOND,
    )
    assert parse_date("2026-07-11", now=NOW, default_zone=berlin) == (datetime(2026, 7, 10, 22, tzinfo=UTC), DAY)
    assert parse_date("2026-07-11T14:22:05Z", now=NOW, default_zone=berlin) == (
        datetime(2026, 7, 11, 14, 22, 5, tzinfo=UTC),
        SECOND,
    )


@given(st.text(alphabet="0123456789-:+TZ. ,/MarEST()[]ap", max_size=40))
def test_any_text_gives_a_past_utc_time_or_none(text: str) -> None:
    found = parse_date(text, now=NOW)
    assert found is None or (found[0].utcoffset() == timedelta(0) and found[0] <= NOW + timedelta(days=1))


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2026, 8, 1)))  # noqa: DTZ001 - made aware below
def test_what_is_written_is_read(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    for text in (moment.isoformat(), moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), moment.strftime("%Y%m%dT%H%M%SZ")):
        assert parse_date(text, now=NOW) == (moment, SECOND)
