"""The schedule's arithmetic: each test says what was seen and when the source must be polled next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.interval import Plan, Visit, next_visit
from crawler.rates import Rates, learn
from storage.records import Source, SourceConfig

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY_S, WEEK_S = 86_400, 7 * 86_400
MIN_S, MAX_S = 300, DAY_S


def source(**changes: Any) -> Source:
    """A healthy source with an interval of one hour, due at noon and last polled an hour before."""
    known: dict[str, Any] = {
        "id": 1,
        "config": SourceConfig(name="gazette", url="https://gazette.example/feed"),
        "site": "gazette.example",
        "paused": False,
        "added_at": NOON - 30 * HOUR,
        "next_at": NOON,
        "interval_s": 3600,
        "etag": None,
        "last_modified": None,
        "body_digest": None,
        "failures": 0.0,
        "last_poll_at": NOON - HOUR,
        "last_success_at": NOON - HOUR,
    }
    return Source(**(known | changes))


def configured(**changes: Any) -> SourceConfig:
    return replace(source().config, **changes)


def plan(known: Source | None = None, at: datetime = NOON, **seen: Any) -> Plan:
    facts: dict[str, Any] = {"outcome": "ok", "entries": 20}
    visit = Visit(at=at, **(facts | seen))
    return next_visit(known or source(), visit, min_s=MIN_S, max_s=MAX_S, now=at)


def wait(found: Plan, at: datetime = NOON) -> float:
    return (found.next_at - at).total_seconds()


# --- learning


@pytest.mark.parametrize("new", [7, 10, 13])
def test_within_the_target_overlap_the_interval_stays(new: int) -> None:
    assert plan(new=new).interval_s == 3600


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (16, 2250),  # 16 of 20 an hour: half of the entries change in 37.5 minutes
        (20, 1800),  # all are new: at least 20 an hour
        (6, 5400),  # 6 an hour would give 6000 s: one step is at most half as long again
        (0, 5400),
    ],
)
def test_outside_it_the_interval_moves_towards_half_the_entries(new: int, expected: int) -> None:
    assert plan(new=new).interval_s == expected


def test_not_modified_counts_as_nothing_new() -> None:
    assert plan(outcome="not_modified", entries=0).interval_s == 5400


def test_a_learned_interval_stays_between_its_bounds() -> None:
    quiet = source(interval_s=MAX_S - 10, last_success_at=NOON - timedelta(days=1))
    assert plan(quiet, outcome="not_modified").interval_s == MAX_S
    busy = source(interval_s=MIN_S + 10, last_success_at=NOON - timedelta(seconds=310))
    assert plan(busy, new=20).interval_s == MIN_S


def test_the_first_poll_teaches_nothing_since_all_is_new() -> None:
    found = plan(source(last_success_at=None, last_poll_at=None), new=20)
    assert (found.interval_s, found.gap) == (3600, False)


def test_a_late_poll_does_not_lengthen_the_interval() -> None:
    late = source(last_success_at=NOON - 10 * HOUR)
    assert plan(late, new=20).interval_s == 3600


def test_one_poll_shortens_the_interval_to_a_quarter_at_most() -> None:
    at_once = source(last_success_at=NOON - timedelta(seconds=60))
    assert plan(at_once, new=20).interval_s == 900


def test_without_a_least_interval_the_next_poll_is_still_ahead() -> None:
    visit = Visit(at=NOON, outcome="ok", entries=20, new=10)
    assert next_visit(source(interval_s=0), visit, min_s=0, max_s=MAX_S, now=NOON).next_at > NOON


def test_an_early_poll_with_nothing_new_teaches_nothing() -> None:
    early = source(last_success_at=NOON - timedelta(seconds=20))
    assert plan(early, new=0).interval_s == 3600


def test_a_steady_source_settles_in_the_target() -> None:
    """Ten articles an hour, twenty in the feed: the interval comes to rest with the overlap in the band."""
    known = source(interval_s=300)
    seen: list[float] = []
    for _ in range(20):
        at = known.next_at or NOON
        assert known.last_success_at is not None
        new = min(20, round(10 * (at - known.last_success_at) / HOUR))
        seen.append(1 - new / 20)
        found = plan(known, at=at, new=new)
        known = source(interval_s=found.interval_s, next_at=found.next_at, last_poll_at=at, last_success_at=at)
    assert all(0.3 <= overlap <= 0.7 for overlap in seen[-8:])


@pytest.mark.parametrize(
    ("new", "entries", "outcome", "gap"),
    [(20, 20, "ok", True), (19, 20, "ok", False), (0, 0, "ok", False), (0, 0, "timeout", False)],
)
def test_a_gap_is_told_when_no_entry_was_known(new: int, entries: int, outcome: str, gap: bool) -> None:
    assert plan(new=new, entries=entries, outcome=outcome).gap is gap


# --- what the operator and the publisher say


def test_a_fixed_interval_wins_over_bounds_and_hints() -> None:
    found = plan(source(config=configured(interval_s=10), interval_s=10), new=20, ttl_s=7200)
    assert (found.interval_s, wait(found)) == (10, 10)


def test_a_hint_lengthens_the_wait_but_not_what_is_learned() -> None:
    found = plan(new=0, ttl_s=4 * 3600)
    assert (found.interval_s, wait(found)) == (5400, 4 * 3600)


def test_a_hint_is_not_believed_where_it_would_cost_an_article() -> None:
    assert wait(plan(new=10, ttl_s=DAY_S)) == 3600


def test_a_hint_is_capped() -> None:
    assert wait(plan(new=0, ttl_s=10 * DAY_S)) == MAX_S


def test_a_cron_line_sets_the_time_whatever_was_seen() -> None:
    nightly = source(config=configured(cron="30 2 * * *", timezone="Europe/Berlin"))
    for seen in ({"new": 20}, {"outcome": "timeout"}, {"outcome": "not_modified", "ttl_s": 10 * DAY_S}):
        assert plan(nightly, **seen).next_at == datetime(2026, 11, 26, 1, 30, tzinfo=UTC)


def test_a_cron_line_waits_for_retry_after() -> None:
    hourly = source(config=configured(cron="0 * * * *"))
    assert plan(hourly, outcome="http_503", retry_after_s=2.5 * 3600).next_at == NOON + 3 * HOUR


# --- failures


@pytest.mark.parametrize(
    ("outcome", "score"),
    [("http_410", 1.0), ("http_500", 0.5), ("timeout", 0.5), ("not_a_feed", 0.5), ("connection", 0.25), ("offline", 0)],
)
def test_the_score_grows_by_the_class_of_the_failure(outcome: str, score: float) -> None:
    found = plan(source(failures=2.0), outcome=outcome)
    assert (found.failures, found.interval_s) == (2.0 + score, 3600)


@pytest.mark.parametrize(
    ("before", "expected"),
    [(0.0, 3600), (1.0, 2 * 3600), (5.0, 6 * 3600), (24.0, DAY_S), (29.0, DAY_S), (29.5, WEEK_S), (5000.0, WEEK_S)],
)
def test_back_off_is_linear_to_a_day_then_a_probe_a_week_and_never_ends(before: float, expected: int) -> None:
    assert wait(plan(source(failures=before), outcome="http_410")) == expected


def test_a_success_forgets_all_failures() -> None:
    found = plan(source(failures=40.0), new=10)
    assert (found.failures, wait(found)) == (0.0, 3600)


def test_our_own_outage_punishes_no_source() -> None:
    found = plan(source(failures=31.0), outcome="offline")
    assert (found.failures, found.interval_s, wait(found)) == (31.0, 3600, 60)


def test_back_off_holds_for_a_fixed_interval_too() -> None:
    fixed = source(config=configured(interval_s=600), interval_s=600, failures=3.0)
    assert wait(plan(fixed, outcome="http_410")) == 2400


@pytest.mark.parametrize(("asked", "least"), [(7200.0, 7200), (1e9, DAY_S), (60.0, 3600), (-1.0, 3600)])
def test_retry_after_is_honoured_up_to_a_day_and_spread_over_a_minute(asked: float, least: int) -> None:
    assert least <= wait(plan(outcome="http_429", retry_after_s=asked)) <= least + 60


# --- slots


def test_slots_do_not_drift_when_polls_come_late() -> None:
    for late in (0, 1, 400, 1799):
        at = NOON + timedelta(seconds=late)
        assert plan(at=at, new=10).next_at == NOON + HOUR


def test_after_an_outage_the_old_slots_go_on() -> None:
    at = NOON + timedelta(hours=7, minutes=12)
    assert plan(at=at, new=10).next_at == NOON + 8 * HOUR
    assert plan(at=at + timedelta(minutes=30), new=10).next_at == NOON + 9 * HOUR


def test_a_poll_by_hand_before_its_time_keeps_the_slot() -> None:
    assert plan(at=NOON - timedelta(minutes=40), new=10).next_at == NOON


def test_sources_added_together_spread_over_the_interval_and_always_alike() -> None:
    def first(name: str) -> float:
        fresh = source(config=configured(name=name), last_poll_at=None, last_success_at=None)
        return wait(plan(fresh, new=20))

    waits = [first(f"source-{n}") for n in range(400)]
    assert waits == [first(f"source-{n}") for n in range(400)]
    assert all(1800 <= one <= 5400 for one in waits)
    tenths = {int((one - 1800) // 360) for one in waits}
    assert tenths == set(range(10))


@given(
    interval=st.integers(1, 10 * DAY_S),
    failures=st.floats(0, 1000),
    elapsed=st.integers(0, 100 * DAY_S),
    overdue=st.integers(-DAY_S, 100 * DAY_S),
    entries=st.integers(0, 500),
    new=st.integers(0, 600),
    outcome=st.sampled_from(["ok", "not_modified", "timeout", "http_410", "http_429", "offline", "not_a_feed"]),
    ttl=st.none() | st.floats(0, 1e9),
    retry_after=st.none() | st.floats(-10, 1e9),
    fixed=st.none() | st.integers(1, WEEK_S),
)
def test_the_next_poll_is_always_ahead_and_never_out_of_sight(
    interval: int,
    failures: float,
    elapsed: int,
    overdue: int,
    entries: int,
    new: int,
    outcome: str,
    ttl: float | None,
    retry_after: float | None,
    fixed: int | None,
) -> None:
    known = source(
        config=configured(interval_s=fixed),
        interval_s=interval,
        failures=failures,
        last_success_at=NOON - timedelta(seconds=elapsed),
        next_at=NOON - timedelta(seconds=overdue),
    )
    found = plan(known, outcome=outcome, entries=entries, new=new, ttl_s=ttl, retry_after_s=retry_after)
    assert 0 < wait(found) <= 1.5 * WEEK_S + 60
    assert found.interval_s == fixed or MIN_S <= found.interval_s <= MAX_S


# --- with the habits of the source


def learned(per_hour: int, hours: int = 72) -> Rates:
    known = learn(Rates(), until=NOON - hours * HOUR, entries=20, new=20)
    for n in range(hours - 1, -1, -1):
        known = learn(known, until=NOON - n * HOUR, entries=20, new=per_hour)
    return known


def with_habits(habits: Rates, **seen: Any) -> Plan:
    facts: dict[str, Any] = {"outcome": "ok", "entries": 20}
    visit = Visit(at=NOON, **(facts | seen))
    return next_visit(source(), visit, min_s=MIN_S, max_s=MAX_S, now=NOON, habits=habits)


def test_known_habits_set_the_interval() -> None:
    assert with_habits(learned(12), new=12).interval_s < 2100
    assert with_habits(learned(0), new=0).interval_s > 6000


def test_a_source_whose_day_is_not_known_is_not_left_for_long_whatever_it_hints() -> None:
    young = learned(0, hours=5)
    assert wait(with_habits(young, new=0, ttl_s=6 * 3600)) <= 1800


def test_a_hint_is_believed_as_far_as_the_feed_has_room() -> None:
    busy, calm = (with_habits(learned(rate), new=rate, ttl_s=6 * 3600) for rate in (8, 0))
    assert wait(busy) < 3600
    assert wait(calm) >= 6 * 3600


def test_a_failure_keeps_the_interval_that_was_learned() -> None:
    assert with_habits(learned(12), outcome="timeout", entries=0).interval_s == 3600
