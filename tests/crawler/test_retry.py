from datetime import timedelta

import pytest

from crawler.retry import Fault, fault, retry_delay


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("offline", Fault.OURS),
        ("connection", Fault.BRIEF),
        ("timeout", Fault.SOFT),
        ("http_404", Fault.SOFT),
        ("http_429", Fault.SOFT),
        ("http_503", Fault.SOFT),
        ("http_599", Fault.SOFT),
        ("http_501", Fault.LASTING),
        ("http_403", Fault.LASTING),
        ("http_410", Fault.LASTING),
        ("blocked_address", Fault.LASTING),
        ("not_a_feed", Fault.SOFT),
        ("never_heard_of", Fault.SOFT),
    ],
)
def test_the_class_of_a_code(code: str, expected: Fault) -> None:
    assert fault(code) is expected


@pytest.mark.parametrize("code", ["timeout", "dns", "connection", "truncated", "http_429", "http_500", "http_503"])
def test_what_may_pass_is_tried_again_ever_later_and_not_for_ever(code: str) -> None:
    delays = [retry_delay(attempts, code, None, max_attempts=4) for attempts in (1, 2, 3, 4)]
    assert delays == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25), None]


@pytest.mark.parametrize(
    "code",
    ["http_404", "http_403", "http_410", "blocked_address", "blocked_scheme", "too_large", "robots_disallowed"],
)
def test_what_will_not_pass_is_not_tried_again(code: str) -> None:
    assert retry_delay(1, code, None) is None


def test_back_off_has_a_longest_delay() -> None:
    assert retry_delay(50, "timeout", None, max_attempts=100) == timedelta(hours=6)


def test_our_own_outage_costs_no_attempt() -> None:
    assert retry_delay(99, "offline", None, max_attempts=4) == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (7200.0, timedelta(hours=2)),
        (10.0, timedelta(minutes=1)),
        (-5.0, timedelta(minutes=1)),
        (1e9, timedelta(days=1)),
    ],
)
def test_retry_after_is_a_lower_bound_of_at_most_a_day(retry_after: float, expected: timedelta) -> None:
    assert retry_delay(1, "http_503", retry_after) == expected
