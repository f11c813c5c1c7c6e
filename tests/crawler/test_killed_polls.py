"""A poll that is killed outright: its validators are saved after what it found, so that no 304 hides an article."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import sites, sources
from storage.records import PageState

World = Any  # of conftest.py, which nobody can import

MURDER = """
import os, signal, sys
from crawler import polling, run
from storage.settings import load_settings
from storage.store import open_store

def die(*_args, **_more):
    os.kill(os.getpid(), signal.SIGKILL)

moment, owner = sys.argv[1:]
setattr(polling, moment, die)
settings = load_settings()
run.crawl_here(settings, open_store(settings, create=False), owner)
"""
BEFORE, BETWEEN = "_discover", "_record"
"""What the poll calls to write down the candidates; and then the poll itself, validators and all."""


def kill_at(world: World, moment: str, site: Any) -> None:
    """Let a crawl process of the site die at that moment, by a signal that nobody can handle."""
    lease = timedelta(minutes=2)
    claimed = world.store.write(lambda tx: sites.claim(tx, "doomed", datetime.now(UTC), lease=lease, limit=9))
    assert [one.key for one in claimed] == [site.address]
    environment = {**os.environ, **world.settings().environment()}
    home = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", MURDER, moment, "doomed"]
    ran = subprocess.run(command, env=environment, cwd=home, capture_output=True, timeout=60, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()[-2000:]
    world.store.write(lambda tx: sites.release(tx, "doomed", [site.address]))  # as when its lease has run out


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_after_a_kill_the_next_poll_sees_the_articles_again(
    database: str, tmp_path: Path, make_world: Callable[..., World], request: pytest.FixtureRequest
) -> None:
    options = {"database": request.getfixturevalue("postgres_database")} if database == "postgresql" else {}
    world = make_world(tmp_path, **options)
    site = world.site()
    site.add_pages("/a1", "/a2")
    site.add_feed("/feed", ["/a1", "/a2"], etag='"v1"')
    world.watch("paper", site.url("/feed"))
    for moment in (BEFORE, BETWEEN):
        kill_at(world, moment, site)
        with world.store.reading() as tx:
            found = sources.get(tx, "paper")
            assert (found.etag, sources.history(tx, found.id)) == (None, [])
    assert world.page(site.url("/a1")).state is PageState.DISCOVERED  # the second kill came after this commit
    world.crawl()
    asked = [one.headers.get("If-None-Match") for one in site.log if one.path == "/feed"]
    assert asked == [None, None, None]
    assert (world.poll("paper").outcome, world.poll("paper").entries) == ("ok", 2)
    assert {world.page(site.url(path)).state for path in ("/a1", "/a2")} == {PageState.FETCHED}
    with world.store.reading() as tx:
        assert sources.get(tx, "paper").etag == '"v1"'
    world.close()
