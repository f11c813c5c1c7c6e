"""Python's collector of cycles is held while a page is read."""

import gc
from datetime import UTC, datetime

import pytest

from tasks.collector import paused
from tasks.extract.material import Material
from tasks.pipeline import look

_PROSE = "The river rose above the old bridge on Monday, and the town moved its market to the hill. "
PAGES = {
    "an article": f"<html><body><article><h1>River</h1><p>{_PROSE * 5}</p><p>{_PROSE * 4}</p></article></body></html>",
    "a page in doubt": f"<div><a href=/1>{_PROSE}</a><ul><li>{_PROSE}<li><a href=/2>{_PROSE}</a></ul>{_PROSE}</div>",
    "broken markup": f"<table><p><article><div {_PROSE}><h1>River<p>{_PROSE * 3}</i></table><script>{{",
}


def test_the_collector_waits_and_runs_again_whatever_happens() -> None:
    with pytest.raises(ZeroDivisionError), paused():
        _ = 1 // len(_running())
    assert gc.isenabled()


def test_within_another_pause_it_goes_on_waiting() -> None:
    with paused():
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def _running() -> list[bool]:
    return [True] if gc.isenabled() else []


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_leaves_nothing_for_the_collector(page: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    material = Material(url="https://a.example/1", status=200, headers=(), body=page.encode(), fetched_at=now)
    look(material)  # what is loaded with the first page
    with paused():
        gc.collect()
        look(material)
        assert gc.collect() == 0
