"""What is learned of a source's habits, and how long it may be left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.rates import HIGH, LOW, Rates, allowance, expected, forecast, learn, room_s, silence, wait_s

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY_S = timedelta(hours=1), 86_400


def watched(hours: int, per_hour: dict[int, int], window: int = 20) -> Rates:
    """Polled every hour; `per_hour` says how many items come in an hour of the day."""
    known = learn(Rates(), until=MONDAY, entries=window, new=window)
    for n in range(1, hours + 1):
        at = MONDAY + n * HOUR
        known = learn(known, until=at, entries=window, new=per_hour.get((at - HOUR).hour, 0))
    return known


def test_the_hours_of_the_day_are_told_apart() -> None:
    hourly = forecast(watched(72, {9: 6, 10: 6}))
    assert min(hourly[3 * 24 + 9], hourly[9]) > 4
    assert max(hourly[3], hourly[3 * 24 + 3]) < 0.5


def test_old_weeks_fade() -> None:
    habits = watched(168, {9: 8})
    now = MONDAY + 168 * HOUR
    for n in range(1, 2 * 168 + 1):
        habits = learn(habits, until=now + n * HOUR, entries=20, new=2 if (now + (n - 1) * HOUR).hour == 21 else 0)
    hourly = forecast(habits)
    assert hourly[21] > 1.2
    assert hourly[9] < 5


def test_dates_in_the_first_listing_teach_at_once() -> None:
    dates = [MONDAY - n * HOUR for n in range(1, 41)]
    known = learn(Rates(), until=MONDAY, entries=40, new=40, dates=dates)
    assert known.ready
    assert expected(known, MONDAY, MONDAY + timedelta(days=1)) == pytest.approx(24, rel=0.15)


def test_one_pinned_entry_of_last_year_does_not_slow_the_feed_down() -> None:
    dates = [MONDAY - timedelta(days=400), *(MONDAY - n * HOUR for n in range(1, 40))]
    known = learn(Rates(), until=MONDAY, entries=40, new=40, dates=dates)
    assert expected(known, MONDAY, MONDAY + timedelta(days=1)) > 18


def test_a_few_dates_are_not_enough() -> None:
    known = learn(Rates(), until=MONDAY, entries=40, new=40, dates=[MONDAY - HOUR])
    assert not known.ready


def test_new_items_count_at_their_dates() -> None:
    known = watched(48, {})
    now = MONDAY + 48 * HOUR
    dated = learn(known, until=now + 12 * HOUR, entries=20, new=6, dates=[now + 2.5 * HOUR] * 6)
    assert forecast(dated)[48 + 2] > 5 * forecast(dated)[48 + 7]


def test_a_silent_night_is_slept_through_and_the_morning_is_not() -> None:
    known = watched(96, dict.fromkeys(range(7, 20), 4))
    night = MONDAY + 96 * HOUR - 3 * HOUR
    wait = wait_s(known, night, min_s=300, max_s=DAY_S)
    assert 3 * 3600 < wait < 11 * 3600
    assert wait_s(known, night + 12 * HOUR, min_s=300, max_s=DAY_S) < 1.5 * 3600


def test_a_burst_is_followed_more_closely_and_then_forgotten() -> None:
    known, now = watched(96, dict.fromkeys(range(24), 2)), MONDAY + 96 * HOUR
    calm = wait_s(known, now, min_s=60, max_s=DAY_S)
    burst = learn(known, until=now + HOUR, entries=20, new=18)
    assert wait_s(burst, now + HOUR, min_s=60, max_s=DAY_S) < calm / 2
    over = learn(burst, until=now + 2 * HOUR, entries=20, new=2)
    assert wait_s(over, now + 2 * HOUR, min_s=60, max_s=DAY_S) > calm / 2


@pytest.mark.parametrize("window", [1, 10, 20, 50, 100, 1000])
@pytest.mark.parametrize("spread", [1.0, 3.0, 12.0])
def test_the_overlap_stays_in_its_band(window: int, spread: float) -> None:
    assert LOW * window <= allowance(window, spread) <= HIGH * window


def test_a_steady_large_feed_may_go_further_than_a_bursty_small_one() -> None:
    assert allowance(1000, 1.0) / 1000 > allowance(30, 1.0) / 30 >= allowance(30, 9.0) / 30


def test_a_busy_feed_is_polled_before_it_turns_over() -> None:
    known = watched(72, dict.fromkeys(range(24), 15))
    room = room_s(known, MONDAY + 72 * HOUR, max_s=DAY_S)
    assert room * 15 / 3600 < 20 * HIGH
    assert wait_s(known, MONDAY + 72 * HOUR, min_s=60, max_s=DAY_S) * 15 / 3600 < 20 * HIGH


def test_silence_is_told_against_the_sources_own_habits() -> None:
    known, now = watched(96, dict.fromkeys(range(24), 2)), MONDAY + 96 * HOUR
    assert silence(known, now + 3 * HOUR) is None
    missing = silence(known, now + 24 * HOUR)
    assert missing is not None
    assert 30 < missing < 60
    back = learn(known, until=now + 24 * HOUR, entries=20, new=1)
    assert silence(back, now + 25 * HOUR) is None


def test_a_weekly_paper_is_not_quiet_after_a_day() -> None:
    known = learn(Rates(), until=MONDAY, entries=10, new=10, dates=[MONDAY - n * timedelta(days=7) for n in range(10)])
    assert silence(known, MONDAY + timedelta(days=1)) is None


def test_what_could_not_be_counted_is_taken_for_more() -> None:
    known, now = watched(48, {}), MONDAY + 48 * HOUR
    full, nearly = (learn(known, until=now + HOUR, entries=20, new=new) for new in (20, 19))
    assert sum(full.items) > 1.4 * sum(nearly.items)


def test_expectation_over_weeks_is_the_sum_of_its_parts() -> None:
    known = watched(168, {8: 5, 17: 2})
    start = MONDAY + 171.3 * HOUR
    parts = sum(expected(known, start + n * 8 * HOUR, start + (n + 1) * 8 * HOUR) for n in range(63))
    assert expected(known, start, start + 63 * 8 * HOUR) == pytest.approx(parts)


@given(
    minutes=st.integers(1, 60 * 24 * 60),
    entries=st.integers(0, 500),
    new=st.integers(0, 500),
    since=st.integers(0, 100_000),
    spread=st.floats(1, 12),
)
def test_any_poll_leaves_usable_numbers(minutes: int, entries: int, new: int, since: int, spread: float) -> None:
    start = MONDAY + timedelta(seconds=since)
    known = replace(Rates(learned_at=start), spread=spread)
    until = start + timedelta(minutes=minutes)
    found = learn(known, until=until, entries=entries, new=new)
    assert all(number >= 0 for number in (*found.items, *found.hours))
    assert 300 <= wait_s(found, until, min_s=300, max_s=DAY_S) <= DAY_S
