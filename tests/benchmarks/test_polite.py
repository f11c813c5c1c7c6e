import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.polite.judge import forbidden, violations
from benchmarks.polite.sites import Arrival, Manners

HOME = Path(__file__).parents[2]
SITE = Manners(address="127.77.0.1", port=1, neighbour="http://127.77.0.2:1", crawl_delay=1.0)


@pytest.fixture
def arrive() -> Callable[..., Arrival]:
    def make(at: float, path: str = "/story/1", **more: float) -> Arrival:
        facts = {"status": 200, "open_connections": 1, **more}
        return Arrival(at=at, path=path, **facts)  # type: ignore[arg-type]

    return make


def judged(*log: Arrival) -> list[str]:
    return list(violations(SITE, log, delay_s=0.25, kept_from=("/private/",)))


def test_the_judge_sees_each_kind_of_violation(arrive: Callable[..., Arrival]) -> None:
    robots = arrive(0.0, "/robots.txt")
    assert judged(robots, arrive(1.0), arrive(2.0)) == []
    assert "0.990 s apart" in judged(robots, arrive(0.99))[0]
    assert "2 connections" in judged(robots, arrive(1.0, open_connections=2))[0]
    assert "is disallowed" in judged(robots, arrive(1.0, "/private/1"))[0]
    assert "before the end of the Retry-After" in judged(robots, arrive(1.0, free_at=4.0), arrive(3.0))[0]
    assert "before robots.txt" in judged(arrive(1.0))[0]


def test_a_site_may_allow_two_connections_and_no_third(arrive: Callable[..., Arrival]) -> None:
    wide = replace(SITE, connections=2)
    log = [arrive(0.0, "/robots.txt"), arrive(1.0), arrive(2.0, open_connections=2)]
    assert list(violations(wide, log, delay_s=0.25, kept_from=())) == []
    log.append(arrive(3.0, open_connections=3))
    assert [line.split()[-2] for line in violations(wide, log, delay_s=0.25, kept_from=())] == ["3"]


def test_a_robots_txt_that_is_down_forbids_everything_and_a_moved_one_holds_too() -> None:
    down = Manners(address="127.77.0.2", port=1, neighbour=SITE.origin, robots="down")
    away = Manners(address="127.77.0.3", port=1, neighbour=down.origin, robots="away")
    everyone = {one.origin: one for one in (SITE, down, away)}
    assert forbidden(away, everyone) == ("/",)


def test_three_crawl_processes_are_polite_to_twenty_sites() -> None:
    command = [sys.executable, "-m", "benchmarks.polite", "--sites", "20", "--processes", "3"]
    done = subprocess.run(
        [*command, "--seconds", "5", "--longer", "20", "--kills", "1"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["violations"] == 0, done.stdout
    assert done.returncode == 0
    assert told["requests"] > 40
    assert told["second_connections"] > 0
