"""The benchmarks of latency, endurance and many hosts count what they say they count."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import processes, soak
from benchmarks.cluster.hosts import Forbidden, Hosts
from benchmarks.cluster.judge import taken_over, too_close
from benchmarks.e2e.__main__ import figures, town
from benchmarks.e2e.town import Plan, Town
from benchmarks.model import Part, needed, predict, shared

PLAN = Plan(sites=2, rate=10, seconds=1, port=8080, standing=1)


@pytest.fixture
def new_town() -> Town:
    made = Town(PLAN)
    made.start = 100.0
    return made


def test_an_article_is_in_its_feed_from_its_time_on_and_not_before(new_town: Town) -> None:
    def feed(site: int, at: float, head: bytes = b"") -> bytes:
        return new_town.answer(site, b"GET /feed HTTP/1.1\r\n" + head, at, "127.0.0.1")

    assert PLAN.articles == 12
    assert [PLAN.appears(number, 100.0) for number in (1, 2, 4)] == [0.0, 100.0, pytest.approx(100.2)]
    assert feed(0, 99.0).count(b"<item>") == 1
    assert feed(0, 100.05).count(b"<item>") == 2
    assert feed(0, 100.19).count(b"<item>") == 2
    assert feed(0, 100.21).count(b"<item>") == 3
    assert feed(0, 100.21, b'If-None-Match: "4"').startswith(b"HTTP/1.1 304")
    assert [site for _, site, _, _ in new_town.log] == [0] * 5


def test_time_is_counted_from_the_poll_that_was_due() -> None:
    plan = Plan(sites=1, rate=1, seconds=2, port=8080, standing=1)
    arrivals = [
        (50.0, 0, "/feed", "a"),
        (110.5, 0, "/feed", "a"),
        (110.6, 0, "/news/x-1", "a"),
        (111.0, 0, "/news/y-2", "a"),
    ]
    found = figures(plan, 100.0, {1: 112.0}, arrivals, [lambda _at: 110.0])
    assert found["p50_s"] == 2.0
    assert found["with_wait_p50_s"] == 12.0
    assert found["backlog"] == 1
    stages = {stage: values["p50_s"] for stage, values in found["stages"].items()}
    assert stages == {"poll": 0.5, "fetch": pytest.approx(0.1), "process": pytest.approx(1.4)}


def test_the_town_listens_and_tells_what_it_was_asked(tmp_path: Path) -> None:
    plan = Plan(sites=1, rate=1, seconds=1, port=0, standing=1)
    with town(plan, tmp_path) as sites:
        sites.begin(5.0)
        assert sites.end() == []


def test_the_judge_of_a_cluster_sees_hosts_that_come_too_close_and_who_took_over() -> None:
    log = [(1.0, 0, "/a", "one"), (1.3, 0, "/robots.txt", "one"), (1.5, 0, "/b", "two"), (1.6, 1, "/c", "one")]
    assert list(too_close(log, 0.5)) == []
    assert len(list(too_close([*log, (1.9, 0, "/d", "one")], 0.5))) == 1
    assert taken_over(log, {0, 1}, "two", 1.4) == {1: pytest.approx(0.2)}
    assert taken_over(log, {0, 1}, "one", 1.4) == {0: pytest.approx(0.1)}


def test_the_model_names_the_part_that_is_at_its_limit() -> None:
    parts = [Part(name="crawl", ms=10, cores=1), Part(name="process", ms=20, cores=1)]
    found = predict(parts, utilisation=0.5)
    assert (found.per_s, found.bound_by) == (25.0, "process")
    assert found.used == {"crawl": 0.25, "process": 0.5}
    assert predict(parts, sites=10, delay_s=1.0).bound_by == "sites"
    assert shared({"crawl": 10, "process": 20}, 2, utilisation=0.9) == pytest.approx(60)
    assert needed({"process": 20}, 100, utilisation=0.8) == {"process": 2.5}


def test_without_root_there_are_no_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Forbidden, match="root"):
        Hosts(["one"]).make()


def test_a_soak_files_each_article_and_compares_the_ends(
    postgres_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Namespace(articles=25, minutes=1.0, html=False)
    steps = soak.soak(postgres_database, tmp_path, asked)
    assert sum(step.articles for step in steps) == 25
    found = soak.figures(steps, 100)
    assert (found["articles"], found["of"]) == (25, 100)
    assert found["ratio"] > 0
    slow = [soak.Step(articles=1, clock_s=1, cpu_s=cost, server_cpu_s=0, rss_mb=100) for cost in (1, 1, 3)]
    assert soak.figures(slow, 3)["ratio"] == 3.0


def test_processor_time_is_that_of_the_children_too() -> None:
    busy = "import time; any(time.process_time() > 0.25 for _ in iter(int, 1))"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{busy}']); print(1, flush=True); input()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processes.cpu_s(process.pid) > 0.15
        assert processes.rss_mb([process.pid]) > 1
        process.communicate("\n")
