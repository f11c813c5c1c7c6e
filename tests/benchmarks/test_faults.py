"""The faults benchmark: a short run of it, and that its judge sees what it is there to see."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert

from benchmarks.faults.books import judge
from benchmarks.faults.faults import kinds, plan
from benchmarks.faults.town import Town
from crawler.urls import site_of
from storage import pages, snapshots, sources
from storage.records import Candidate, Exchange, Lead, Via
from storage.settings import load_settings
from storage.store import Store, open_store
from storage.tables import change
from tasks.process import process_page

HOME = Path(__file__).parents[2]
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
QUICK = (
    "kill_scheduler,kill_pool_child,kill_broker,term_scheduler,term_crawl,message_twice,broker_frozen,worker_sleeps,"
    "database_locked,scheduler_sleeps"
)
"""The faults after which nobody has to wait for a minute."""


@pytest.fixture
def town() -> Iterator[Town]:
    with Town(sites=2, seed=1) as open_town:
        yield open_town


@pytest.fixture
def store(town: Town, tmp_path: Path) -> Iterator[Store]:
    """A store that has read the first of the two articles of the town, and knows of none else."""
    settings = load_settings({"data": tmp_path}, environ={}, file=tmp_path / "none.toml")
    opened = open_store(settings)
    town.publish(2)
    url = min(town.truth)
    answer = httpx.get(url)
    exchange = Exchange(
        url=url, status=200, headers=(("Content-Type", "text/html"),), body=answer.content, fetched_at=NOW
    )
    with opened.writing() as tx:
        source = sources.add(tx, town.sources[0], site=site_of(url), now=NOW, interval_s=2)
        lead = Lead(key=url, site=site_of(url), candidate=Candidate(url=url, via=Via.FEED))
        page_id = pages.discover(tx, source.id, [lead], NOW).new[0]
        pages.fetched(tx, page_id, snapshots.keep(tx, page_id, exchange), NOW)
    process_page(opened, page_id, now=NOW, recipes={}, settings=settings)
    yield opened
    opened.close()


def test_the_judge_sees_what_is_lost_late_and_told_twice(town: Town, store: Store) -> None:
    first, second = sorted(town.truth)
    verdict = judge(store, town.truth)
    assert [line.partition(": ")[::2] for line in verdict.lost] == [(second, "its address was never seen")]
    assert verdict.duplicated == verdict.faults == ()

    town.publish(1)  # and the first, which was read, is corrected
    assert [line for line in judge(store, town.truth).lost if line.startswith(f"{first}: is still")]

    with store.writing() as tx:
        again = {"kind": "created", "article_id": 1, "version": 1, "cluster_id": 1, "at": NOW}
        tx.execute(insert(change).values(**again))
    assert judge(store, town.truth).duplicated == ("article 1, version 1: told 2 times",)


def test_a_site_in_trouble_fails_once_at_each_address(town: Town) -> None:
    town.publish(6)
    first = min(town.truth)
    town.trouble("busy", 0, sites=2, times=2)
    assert [httpx.get(first).status_code for _ in range(3)] == [503, 200, 200]
    town.trouble("cut", 0, sites=2, times=1)
    other = sorted(town.truth)[1]
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(other)
    assert httpx.get(other).status_code == 200


def test_a_plan_is_the_same_for_the_same_seed_and_leaves_no_kind_out() -> None:
    known = kinds(postgresql=True)
    faults = plan(7, 2 * len(known), known)
    assert faults == plan(7, 2 * len(known), known)
    assert faults != plan(8, 2 * len(known), known)
    assert sorted(one.kind for one in faults[: len(known)]) == sorted(known)


def test_ten_faults_lose_nothing_and_tell_nothing_twice() -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--rounds", "10", "--only", QUICK, "--scale", "0.1"]
    done = subprocess.run(
        [*command, "--articles", "1", "--lead", "20", "--sites", "6"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["lost"], told["duplicated"], told["audit_ok"]) == (0, 0, True), done.stdout
    assert done.returncode == 0, done.stdout
    assert told["faults"] == 10
    assert told["articles_expected"] >= 20
