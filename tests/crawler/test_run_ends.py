"""How a crawl process ends when whoever started it is gone, or wants it gone."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import sites
from storage.records import PageState

World = Any  # of conftest.py, which nobody can import

TOLD_EARLY = """
import os, signal, sys
from crawler import run
run.crawl_here = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
sys.exit(run.main(["--owner", "me"]))
"""

UNHEARD = """
import os, signal, sys
from crawler import run
crawl_here = run.crawl_here
def swallow(*values, **named):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except SystemExit:
        pass
    return crawl_here(*values, **named)
run.crawl_here = swallow
sys.exit(run.main(["--owner", "me", "--stay", "300"]))
"""


@pytest.fixture
def start(world: World) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts a process with the world's settings, after `me` has claimed all sites."""

    def go(*words: str) -> "subprocess.Popen[bytes]":
        with world.store.writing() as tx:
            assert sites.claim(tx, "me", datetime.now(UTC), lease=timedelta(minutes=1), limit=9)
        environment = {**os.environ, **world.settings(tick_s=60).environment()}
        command = [sys.executable, *words]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return go


def test_a_crawl_that_nobody_listens_to_keeps_what_it_fetched(
    world: World, start: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    paper = world.site()
    paper.add_pages("/one")
    paper.add_feed("/feed", [paper.url("/one")])
    world.watch("paper", paper.url("/feed"))

    process = start("-m", "crawler.run", "--owner", "me")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()

    assert process.wait(60) == 0, said
    assert world.page(paper.url("/one")).state is PageState.FETCHED
    with world.store.reading() as tx:
        assert sites.get(tx, paper.address).blocked_for in (None, "delay")  # type: ignore[union-attr]


@pytest.mark.parametrize("script", [TOLD_EARLY, UNHEARD])
def test_a_crawl_that_is_told_to_stop_before_it_begins_gives_its_sites_back(
    world: World, start: Callable[..., "subprocess.Popen[bytes]"], script: str
) -> None:
    paper = world.site()
    world.watch("paper", paper.url("/feed"))

    process = start("-c", script)
    _, said = process.communicate(timeout=60)  # by itself it would look for work for two ticks

    assert process.returncode == 0, said.decode()
    assert world.leases() == [None]
