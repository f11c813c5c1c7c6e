"""A crawl that stays claims more sites as places get free, but none while our own network is down."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.claims import claim, claim_more
from crawler.outage import PROBES
from crawler.run import staying
from storage import events, sources
from storage.records import EventKind, SourceConfig
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

LEASE = timedelta(minutes=2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"data": tmp_path}, {}, tmp_path / "none.toml")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened, before = open_store(settings), datetime.now(UTC) - timedelta(minutes=1)
    with opened.writing() as tx:
        for number in range(PROBES + 3):
            config = SourceConfig(name=f"{number}", url=f"https://{number}.example/feed")
            sources.add(tx, config, site=f"{number}.example", now=before, interval_s=60)
    yield opened
    opened.close()


def test_more_sites_are_claimed_up_to_the_room_there_is(store: Store) -> None:
    now = datetime.now(UTC)
    first = store.write(lambda tx: claim(tx, "me", now, lease=LEASE, limit=2))
    more = store.write(lambda tx: claim_more(tx, "me", now, lease=LEASE, limit=99))
    assert (len(first), len(more)) == (2, PROBES + 1)
    assert not {site.key for site in first} & {site.key for site in more}


def test_in_an_outage_a_few_are_tried_and_no_more_after_them(store: Store) -> None:
    now = datetime.now(UTC)
    store.write(lambda tx: events.begin(tx, EventKind.OUTAGE, "down", now))
    assert len(store.write(lambda tx: claim(tx, "me", now, lease=LEASE, limit=99))) == PROBES
    assert store.write(lambda tx: claim_more(tx, "me", now, lease=LEASE, limit=99)) == []


@pytest.mark.parametrize(("stay_s", "claimed"), [(60.0, 2), (-1.0, 0)])
def test_a_crawl_claims_until_its_time_is_over(store: Store, settings: Settings, stay_s: float, claimed: int) -> None:
    how = staying(settings, "me", stay_s)
    assert len(store.write(lambda tx: how["refill"](tx, 2))) == claimed
    assert how["linger_s"] == 2 * settings.tick_s
