"""A crawl on a disk that fills up: it ends with one line, keeps what it committed, and goes on when there is room."""

import random
import resource
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from storage.audit import audit
from storage.errors import StoreFull
from storage.tables import site as site_table
from storage.tables import snapshot

World = Any  # of conftest.py, which nobody can import
PAGES = 40


def test_a_crawl_that_finds_no_room_ends_cleanly_and_goes_on_later(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    site = world.site(robots="")
    paths = [f"/n/{number}" for number in range(PAGES)]
    for number, path in enumerate(paths):
        text = random.Random(number).randbytes(30_000).hex()
        site.on(path, f"<title>{path}</title><p>{text}</p>".encode(), Content_Type="text/html")
    site.add_feed("/feed", paths)
    world.watch("harbour", site.url("/feed"))
    store = world.store
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_100_000, before[1]))  # the crawl process inherits it
    try:
        report = world.crawl()
        assert report.failed
    except StoreFull as error:  # where there was no room to give the sites back either
        assert str(error).endswith("; make room on its disk, then do it again")  # noqa: PT017 - it may be raised
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = capfd.readouterr().err
    assert "the store failed; the crawl ends: database sqlite:" in told
    assert "Traceback" not in told
    with store.reading() as tx:
        kept = tx.execute(select(func.count()).select_from(snapshot)).scalar_one()
    announced = [page for event in world.events for page in event.get("fetched", ())]
    assert kept == len(announced) < PAGES, "what was told was committed, and the rest was not told"
    ended = datetime.now(UTC) - timedelta(seconds=1)  # as after a while: what could not be given back is free again
    store.write(lambda tx: tx.execute(update(site_table).values(lease_until=ended, lease_doubted=True)))
    world.make_due([site])
    assert world.crawl().fetched == PAGES - kept
    assert audit(store, datetime.now(UTC)).faults == ()
