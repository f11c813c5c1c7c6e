"""Records are frozen, slotted, keyword-only, and refuse times that are not aware UTC."""

import dataclasses
import inspect
from datetime import UTC, datetime, timedelta, timezone

import pytest

from storage import records
from storage.records import Hints, Poll, Record

ALL = [
    kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record) and kind is not Record
]


@pytest.mark.parametrize("kind", ALL)
def test_every_record_is_frozen_slotted_and_keyword_only(kind: type[Record]) -> None:
    parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert "__slots__" in vars(kind)
    assert all(field.kw_only for field in dataclasses.fields(kind))  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_a_time_that_is_not_utc_is_refused_by_name(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match=r"Hints\.published_at must be an aware UTC time"):
        Hints(published_at=datetime(2026, 3, 10, tzinfo=zone))


def test_utc_is_accepted() -> None:
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    assert Poll(source_id=1, started_at=moment, finished_at=moment, outcome="ok", status=200).started_at == moment
