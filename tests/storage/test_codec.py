"""Records survive the way to JSON and back, and old code reads what newer code wrote."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from storage.codec import from_plain, rfc3339, to_plain
from storage.records import Hints, SourceConfig, SourceKind

_times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_words = st.tuples(st.text(), st.text())


@given(st.builds(Hints, title=st.none() | st.text(), published_at=st.none() | _times, authors=_words, keywords=_words))
def test_hints_round_trip(hints: Hints) -> None:
    assert from_plain(Hints, json.loads(json.dumps(to_plain(hints)))) == hints


@given(
    st.builds(SourceConfig, name=st.text(), url=st.text(), headers=st.tuples(_words), kind=st.sampled_from(SourceKind))
)
def test_sources_round_trip(config: SourceConfig) -> None:
    assert from_plain(SourceConfig, json.loads(json.dumps(to_plain(config)))) == config


def test_defaults_are_left_out() -> None:
    assert to_plain(Hints(title="A ferry")) == {"title": "A ferry"}


def test_unknown_keys_are_left_aside() -> None:
    assert from_plain(Hints, {"title": "A ferry", "mood": "calm"}) == Hints(title="A ferry")


def test_times_are_written_as_rfc_3339() -> None:
    assert rfc3339(datetime(2026, 3, 10, 12, 0, tzinfo=UTC)) == "2026-03-10T12:00:00Z"
