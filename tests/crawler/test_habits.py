"""Trust in a server's 304s, and what is kept of a source between polls."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from crawler.habits import Habits, after_poll, believes_304, dump, load
from crawler.interval import Visit
from crawler.rates import forecast
from crawler.trust import FORGIVEN_AFTER, Trust, after_304, after_read, caught, conditional

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def busy() -> Habits:
    dates = [NOW - n * HOUR / 2 for n in range(1, 61)]
    return after_poll(Habits(), Visit(at=NOW, outcome="ok", entries=60, new=60), dates)


def test_the_habits_survive_their_storage() -> None:
    known = after_poll(busy(), Visit(at=NOW + HOUR, outcome="not_modified"))
    text = json.dumps(dump(known))
    back = load(json.loads(text))
    assert len(text) < 1200
    assert back.trust == known.trust
    assert forecast(back.rates) == pytest.approx(forecast(known.rates), rel=0.01)
    assert (back.rates.learned_at, back.rates.window) == (NOW, 60)
    assert load({}) == Habits()


def test_a_304_is_believed_at_first_and_looked_into_after_four() -> None:
    trust = Trust()
    for _ in range(4):
        assert conditional(trust, 0.0, NOW)
        trust = after_304(trust)
    assert not conditional(trust, 0.0, NOW)


def test_a_server_that_proves_honest_is_looked_into_more_rarely() -> None:
    trust = Trust()
    for _ in range(20):
        for _ in range(4):
            trust = after_304(trust)
        trust = after_read(trust)
    for _ in range(63):
        trust = after_304(trust)
    assert conditional(trust, 0.0, NOW)
    assert not conditional(after_304(trust), 0.0, NOW)


def test_a_read_without_a_304_before_proves_nothing() -> None:
    assert after_read(Trust()).proven == 0


def test_a_304_where_items_should_have_come_is_looked_into() -> None:
    habits = busy()
    assert believes_304(habits, NOW + HOUR / 2)
    assert not believes_304(habits, NOW + 3 * HOUR)


def test_a_liar_gets_no_conditional_request_for_a_month() -> None:
    trust = caught(Trust(proven=5), NOW)
    assert not conditional(trust, 0.0, NOW + FORGIVEN_AFTER - HOUR)
    assert conditional(trust, 0.0, NOW + FORGIVEN_AFTER)


def test_a_304_teaches_nothing_of_the_rates_and_a_failure_nothing_at_all() -> None:
    known = busy()
    assert after_poll(known, Visit(at=NOW + 5 * HOUR, outcome="not_modified")).rates == known.rates
    assert after_poll(known, Visit(at=NOW + 5 * HOUR, outcome="timeout")) == known
