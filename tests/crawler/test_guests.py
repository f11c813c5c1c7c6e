import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.answers import Trouble
from crawler.guests import PATIENCE_S, Guests
from crawler.ledger import Ledger
from crawler.manners import Manner
from storage import sites, sources
from storage.records import Site, SourceConfig
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LEASE = timedelta(minutes=2)
KEY = "b.example"


class Lanes:
    """Stands for the fetcher: half a second is left of the delay."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.ways: list[Any] = []

    def pace(self, site: str, delay_s: float) -> None:
        self.told.append((site, delay_s))

    def slow_down(self, site: str, delay_s: float) -> None:
        self.told.append((site, "at least", delay_s))

    def rest(self, site: str, until: datetime) -> None:
        self.told.append((site, until))

    def route(self, site: str, *, way: Manner, barred: Trouble | None, concurrency: int) -> None:
        self.ways.append((site, way.proxy, barred.code if barred else None, concurrency))

    def left_s(self, _site: str) -> float:
        return 0.5

    def leave(self, site: str) -> None:
        self.told.append(site)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(load_settings({"data": tmp_path}, {}, tmp_path / "none.toml"))
    yield found
    found.close()


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    found = Ledger(store, lambda _event: None)
    yield found
    found.close()


def guests(ledger: Ledger, lanes: Lanes) -> Guests:
    return Guests(ledger=ledger, owner="me", lease=LEASE, lanes=lanes, least_s=1.0, now=lambda: NOW)


def site(store: Store) -> Site | None:
    with store.reading() as tx:
        return sites.get(tx, KEY)


def test_a_guest_has_the_lease_and_leaves_the_delay_behind(store: Store, ledger: Ledger) -> None:
    lanes = Lanes()

    async def go() -> None:
        async with guests(ledger, lanes).enter(KEY) as host:
            assert host is not None
            inside = site(store)
            assert inside is not None
            assert (inside.lease_owner, inside.lease_until) == ("me", NOW + LEASE)

    asyncio.run(go())
    after = site(store)
    assert after is not None
    assert (after.lease_owner, after.blocked_until) == (None, NOW + timedelta(seconds=0.5))
    assert lanes.told == [(KEY, 1.0), KEY]


def test_a_guest_asks_as_the_sources_of_the_site_want(store: Store, ledger: Ledger) -> None:
    config = SourceConfig(name="b", url=f"https://{KEY}/feed", delay_s=7.0, proxy="http://proxy.example:8080")
    store.write(lambda tx: sources.add(tx, config, site=KEY, now=NOW, interval_s=600))
    barred, open_to_it = Lanes(), Lanes()

    async def go(lanes: Lanes, proxies: tuple[str, ...]) -> None:
        party = replace(guests(ledger, lanes), proxies=proxies, now=lambda: NOW + timedelta(seconds=len(proxies)))
        async with party.enter(KEY) as host:
            assert host is not None
            assert host.delay_s == 7.0

    asyncio.run(go(barred, ()))
    asyncio.run(go(open_to_it, ("http://proxy.example:8080",)))
    assert barred.ways == [(KEY, None, "proxy_not_allowed", 1)]
    assert open_to_it.ways == [(KEY, "http://proxy.example:8080", None, 1)]
    assert barred.told[0] == open_to_it.told[0] == (KEY, 7.0)


def test_what_a_site_asks_of_a_guest_outlives_the_visit(store: Store, ledger: Ledger) -> None:
    lanes, until = Lanes(), NOW + timedelta(minutes=3)

    async def go() -> None:
        party = guests(ledger, lanes)
        async with party.enter(KEY):
            party.slow_down(KEY, 20.0)
            party.slow_down(KEY, 4000.0)
            await party.leave_alone(KEY, until, "retry_after")

    asyncio.run(go())
    after = site(store)
    assert after is not None
    assert (after.blocked_until, after.blocked_for, after.lease_owner) == (until, "retry_after", None)
    assert lanes.told == [(KEY, 1.0), (KEY, "at least", 20.0), (KEY, "at least", 60.0), (KEY, until), KEY]


def test_nobody_enters_a_site_that_rests_for_long(store: Store, ledger: Ledger) -> None:
    with store.writing() as tx:
        sites.ensure(tx, [KEY])
        sites.rest(tx, KEY, NOW + timedelta(hours=1), "retry_after")

    async def go() -> None:
        async with asyncio.timeout(PATIENCE_S / 2), guests(ledger, Lanes()).enter(KEY) as host:
            assert host is None

    asyncio.run(go())  # without waiting for what is not to come


def test_a_guest_waits_in_front_of_a_site_that_is_free_in_a_moment(store: Store, ledger: Ledger) -> None:
    store.write(lambda tx: sites.borrow(tx, "another", KEY, NOW, lease=LEASE))

    async def go() -> None:
        async def leave() -> None:
            await ledger.do(lambda tx: sites.release(tx, "another", [KEY]))

        leaving = asyncio.get_running_loop().call_later(0.1, lambda: tasks.append(asyncio.ensure_future(leave())))
        tasks: list[asyncio.Future[None]] = []
        async with guests(ledger, Lanes()).enter(KEY) as host:
            assert host is not None
        leaving.cancel()
        await asyncio.gather(*tasks)

    asyncio.run(go())


def test_several_guests_share_one_lease_and_the_last_gives_it_back(store: Store, ledger: Ledger) -> None:
    async def go() -> None:
        party = guests(ledger, Lanes())
        async with party.enter(KEY):
            async with party.enter(KEY) as second:
                assert second is not None
            between = site(store)
            assert between is not None
            assert between.lease_owner == "me"

    asyncio.run(go())
    after = site(store)
    assert after is not None
    assert after.lease_owner is None


def test_a_visit_waits_for_its_guests_before_it_closes(store: Store, ledger: Ledger) -> None:
    store.write(lambda tx: sites.ensure(tx, [KEY]))

    async def go() -> list[str]:
        party, order = guests(ledger, Lanes()), list[str]()
        home = site(store)
        assert home is not None
        party.at_home(home)
        inside, may_go = asyncio.Event(), asyncio.Event()

        async def guest() -> None:
            async with party.enter(KEY):
                inside.set()
                await may_go.wait()
                order.append("guest left")

        async def host() -> None:
            await party.close(KEY)
            order.append("closed")

        coming = asyncio.ensure_future(guest())
        await inside.wait()
        closing = asyncio.ensure_future(host())
        may_go.set()
        await asyncio.gather(coming, closing)
        return order

    assert asyncio.run(go()) == ["guest left", "closed"]
