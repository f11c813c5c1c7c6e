"""The race on the change feed: the feed wins it, and one without its line is found out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.changes.judge import Verdict, judge, late_commits
from benchmarks.changes.race import READERS, WRITERS, begin, race
from benchmarks.changes.writing import Commit, Told
from storage.records import ChangeKind
from storage.settings import Settings, load_settings

FAULTS = ("missed", "twice", "out_of_order", "never_committed", "untold")
FEED = [(number, Told(number, 1, ChangeKind.CREATED)) for number in (1, 2, 4)]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Of an empty store of each kind."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_store")
    return load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml")


@pytest.fixture
def unlined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers that do not stand in line."""
    monkeypatch.setattr("storage.changes.stand_in_line", lambda _: None)
    monkeypatch.setattr("benchmarks.changes.writing._SLOW", 0.2)


def run(settings: Settings, count: int) -> dict[str, Any]:
    finished = threading.Event()
    with ThreadPoolExecutor(WRITERS + len(READERS), initializer=begin, initargs=(finished,)) as pool:
        return race(settings, count, pool, finished.set)


def test_three_readers_miss_nothing_of_eight_writers(settings: Settings) -> None:
    found = run(settings, 300)
    assert found["changes"] >= 300
    assert {name: found[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)


@pytest.mark.usefixtures("unlined")
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_without_their_line_late_commits_hide_behind_the_cursor(settings: Settings) -> None:
    found = run(settings, 300)
    assert found["missed"] > 0
    assert found["out_of_order"] > 0


def test_each_fault_of_a_reader_is_counted() -> None:
    commits = [Commit(told, begun=10 * seq, ended=10 * seq + 5) for seq, told in FEED]
    strange = (3, Told(3, 1, ChangeKind.CREATED))
    assert judge(FEED, [FEED], commits) == Verdict(0, 0, 0, 0, 0)
    assert judge(FEED, [FEED[:2]], commits).missed == 1
    assert judge(FEED, [[*FEED, FEED[2]]], commits).twice == 1
    assert judge(FEED, [[FEED[1], FEED[0], FEED[2]]], commits).out_of_order == 1
    assert judge(FEED, [sorted([*FEED, strange])], commits).never_committed == 1
    assert judge(FEED, [FEED], [*commits, Commit(strange[1], 60, 65)]).untold == 1


def test_a_commit_after_another_with_a_lower_number_is_late() -> None:
    numbers = {told: seq for seq, told in FEED}
    first, second, third = numbers
    assert late_commits([Commit(second, 0, 5), Commit(first, 6, 8), Commit(third, 9, 10)], numbers) == 1
    assert late_commits([Commit(second, 0, 7), Commit(first, 6, 8), Commit(third, 9, 10)], numbers) == 0
