"""Cron lines across clock changes: the instants come from the tz database, not from the code under test."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cron import check, next_run
from storage.errors import SourceError


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(line: str, zone: str, start: str, end: str) -> list[str]:
    """All runs with start <= t <= end, as UTC minutes."""
    found, at = [], next_run(line, zone, utc(start) - timedelta(seconds=1))
    while at <= utc(end):
        found.append(f"{at:%m-%d %H:%M}")
        at = next_run(line, zone, at)
    return found


@pytest.mark.parametrize(
    ("line", "zone", "start", "end", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-27T00:00",
            "2026-03-31T00:00",
            ["03-27 01:30", "03-28 01:30", "03-29 01:00", "03-30 00:30"],
            id="skipped-by-the-spring-change-runs-once",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T00:00",
            "2026-10-27T00:00",
            ["10-24 00:30", "10-25 00:30", "10-26 01:30"],
            id="repeated-by-the-autumn-change-runs-once",
        ),
        pytest.param(
            "0 12 * * *",
            "Europe/Berlin",
            "2026-10-24T00:00",
            "2026-10-27T00:00",
            ["10-24 10:00", "10-25 11:00", "10-26 11:00"],
            id="noon-stays-noon",
        ),
        pytest.param(
            "0 * * * *",
            "America/New_York",
            "2026-11-01T03:30",
            "2026-11-01T08:30",
            ["11-01 04:00", "11-01 05:00", "11-01 06:00", "11-01 07:00", "11-01 08:00"],
            id="hourly-runs-every-elapsed-hour",
        ),
        pytest.param(
            "*/15 2 * * *",
            "Europe/Berlin",
            "2026-03-29T00:00",
            "2026-03-29T20:00",
            ["03-29 01:00"],
            id="a-skipped-hour-of-quarters-runs-once-after-the-gap",
        ),
        pytest.param(
            "*/30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:00",
            "2026-10-25T20:00",
            ["10-25 00:00", "10-25 00:30"],
            id="a-repeated-hour-of-halves-runs-once",
        ),
        pytest.param(
            "0 */2 * * *",
            "Europe/Berlin",
            "2026-10-24T22:00",
            "2026-10-25T04:00",
            ["10-24 22:00", "10-25 00:00", "10-25 03:00"],
            id="every-second-hour-follows-the-wall-clock",
        ),
        pytest.param(
            "0 0 * * *",
            "America/Santiago",
            "2026-09-05T00:00",
            "2026-09-07T12:00",
            ["09-05 04:00", "09-06 04:00", "09-07 03:00"],
            id="santiago-skips-a-midnight",
        ),
        pytest.param(
            "30 23 * * *",
            "America/Santiago",
            "2026-04-04T00:00",
            "2026-04-06T12:00",
            ["04-04 02:30", "04-05 02:30", "04-06 03:30"],
            id="santiago-repeats-the-last-hour-of-a-day",
        ),
        pytest.param(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-02T12:00",
            "2026-10-05T12:00",
            ["10-02 15:45", "10-03 15:30", "10-04 15:15"],
            id="lord-howe-skips-half-an-hour",
        ),
        pytest.param(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-03T12:00",
            "2026-04-06T12:00",
            ["04-03 14:45", "04-04 14:45", "04-05 15:15"],
            id="lord-howe-repeats-half-an-hour",
        ),
        pytest.param(
            "0 8 * * MON-FRI",
            "UTC",
            "2026-11-27T00:00",
            "2026-12-01T23:00",
            ["11-27 08:00", "11-30 08:00", "12-01 08:00"],
            id="working-days-in-utc",
        ),
    ],
)
def test_runs(line: str, zone: str, start: str, end: str, expected: list[str]) -> None:
    assert runs(line, zone, start, end) == expected


def test_asked_within_the_second_pass_of_a_repeated_hour_the_next_run_is_tomorrows() -> None:
    second_pass = utc("2026-10-25T01:10")
    assert second_pass.astimezone(ZoneInfo("Europe/Berlin")).fold == 1
    assert next_run("30 2 * * *", "Europe/Berlin", second_pass) == utc("2026-10-26T01:30")


@given(
    after=st.integers(0, 10 * 365 * 86_400).map(lambda seconds: utc("2020-01-01T00:00") + timedelta(seconds=seconds)),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    zone=st.sampled_from(["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_a_daily_line_runs_once_on_each_local_day(after: datetime, hour: int, minute: int, zone: str) -> None:
    first = next_run(f"{minute} {hour} * * *", zone, after)
    second = next_run(f"{minute} {hour} * * *", zone, first)
    days = [at.astimezone(ZoneInfo(zone)).date() for at in (first, second)]
    assert after < first < second
    assert days[1] - days[0] == timedelta(days=1)


@pytest.mark.parametrize(
    ("line", "zone", "says"),
    [
        ("0 25 * * *", "UTC", "bad hour"),
        ("0 0 0 * * *", "UTC", "6 fields, not five"),
        ("", "UTC", "0 fields, not five"),
        ("0 0 31 2 *", "UTC", "bad day-of-month"),
        ("*/0 * * * *", "UTC", "bad minute"),
        ("0 0 * * *", "Europe/Atlantis", "no time zone 'Europe/Atlantis'"),
        ("0 0 * * *", "America", "no time zone 'America'"),
        ("0 0 * * *", "../etc/passwd", "no time zone"),
        ("0 0 * * *", "", "no time zone"),
    ],
)
def test_check_names_what_is_wrong(line: str, zone: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        check(line, zone)


def test_check_accepts_a_good_line() -> None:
    check("*/10 6-22 * * mon-fri", "Europe/Berlin")
