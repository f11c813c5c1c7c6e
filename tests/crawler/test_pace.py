from hypothesis import given
from hypothesis import strategies as st

from crawler.pace import Pace


def pace(**known: float) -> Pace:
    return Pace(least_s=1.0, most_s=60.0, **known)  # type: ignore[arg-type]


def test_a_quick_site_is_asked_at_our_own_delay() -> None:
    one = pace()
    one.answered(0.1)
    assert one.interval_s == 1.0


def test_a_slow_site_is_asked_a_quarter_of_its_response_time_apart() -> None:
    one = pace()
    one.answered(12.0)
    assert one.interval_s == 3.0
    one.answered(20.0)
    assert one.interval_s == 3.5  # (12 + 8/4) / 4


def test_an_error_never_speeds_up_and_a_time_out_slows_down() -> None:
    one = pace()
    one.answered(12.0)
    one.failed(0.01)
    assert one.interval_s == 3.0
    one.failed(28.0)
    assert one.interval_s == 4.0


def test_robots_ask_for_more_and_get_it_up_to_the_cap() -> None:
    assert pace(asked_s=10.0).interval_s == 10.0
    assert pace(asked_s=86_400.0).interval_s == 60.0


def test_our_own_delay_is_kept_even_above_the_cap() -> None:
    assert Pace(least_s=90.0, most_s=60.0).interval_s == 90.0


def test_a_protest_doubles_the_pace_and_is_remembered() -> None:
    one = pace()
    one.protest()
    assert (one.interval_s, one.lesson_s()) == (2.0, 2.0)
    one.protest()
    assert one.interval_s == 4.0


def test_a_quiet_turn_forgets_half() -> None:
    assert pace(learned_s=8.0).lesson_s() == 4.0
    assert pace(learned_s=1.5).lesson_s() == 0.0


def test_a_slow_site_is_remembered() -> None:
    one = pace()
    one.answered(16.0)
    assert one.lesson_s() == 4.0


times = st.floats(min_value=0, max_value=100)


@given(st.lists(st.tuples(st.sampled_from(["answered", "failed", "protest"]), times)))
def test_it_stays_within_its_bounds(history: list[tuple[str, float]]) -> None:
    one = pace()
    for what, took in history:
        before = one.interval_s
        one.protest() if what == "protest" else getattr(one, what)(took)
        assert 1.0 <= one.interval_s <= 60.0
        assert what == "answered" or one.interval_s >= before
