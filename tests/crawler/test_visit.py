import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from crawler.answers import Answer, Trouble
from crawler.gate import Verdict
from crawler.visit import HOST_DOWN_FOR, Bench, Visit
from storage import sites
from storage.records import Site
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEY, URL = "a.example", "https://www.a.example/story"


class Wire:
    """Stands for the network: fixed answers, and the pace that was asked for."""

    def __init__(self, *answers: Answer | Trouble) -> None:
        self.answers = list(answers)
        self.delays: list[float] = []
        self.asked = 0

    def pace(self, _site: str, delay_s: float) -> None:
        if not self.delays or self.delays[-1] != delay_s:
            self.delays.append(delay_s)

    def rest(self, _site: str, until: datetime) -> None:
        self.rests_until = until

    def left_s(self, _site: str) -> float:
        """As if the last request had just been made."""
        return self.delays[-1] if self.asked else 0.0

    async def get(self, *_: Any, **__: Any) -> Answer | Trouble:
        self.asked += 1
        return self.answers.pop(0)


class Book:
    """Stands for the ledger: what is done at once."""

    def __init__(self, store: Store | None) -> None:
        self.store = store

    async def do(self, work: Any) -> Any:
        return self.store.write(work) if self.store else None


class Neighbours:
    """Stands for the guests: other sites are free, or not."""

    def __init__(self, *, free: bool = True) -> None:
        self.free = free
        self.entered: list[str] = []

    def at_home(self, _site: Site) -> None:
        pass

    @asynccontextmanager
    async def enter(self, key: str) -> AsyncIterator[Site | None]:
        self.entered.append(key)
        yield replace(fresh(), key=key) if self.free else None


class Open:
    """A gate that lets all pass, and asks for a delay."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s

    async def verdict(self, _url: str) -> Any:
        return Verdict(delay_s=self.delay_s)


def answer(status: int, *, took_s: float = 0.0, **headers: str) -> Answer:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(url=URL, status=status, headers=lines, body=b"", at=NOW, took_s=took_s)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(load_settings({"data": tmp_path}, {}, tmp_path / "none.toml"))
    yield found
    found.close()


def turn(
    site: Site, wire: Wire, asked_s: float = 0.0, store: Store | None = None, guests: Neighbours | None = None
) -> Visit:
    bench = Bench(
        settings=load_settings({"delay_s": 1.0}, {}, Path("none.toml")),
        owner="me",
        fetcher=cast("Any", wire),
        gate=cast("Any", Open(asked_s)),
        guests=cast("Any", guests or Neighbours()),
        ledger=cast("Any", Book(store)),
        now=lambda: NOW,
    )
    return Visit(bench, site)


def fresh() -> Site:
    empty: dict[str, Any] = {"blocked_until": None, "lease_owner": "me", "lease_until": None, "due_at": None}
    return Site(key=KEY, delay_s=0.0, failures=0, **empty)


def after(
    store: Store, *answers: Answer | Trouble, delay_s: float = 0.0, failures: int = 0, asked_s: float = 0.0
) -> Site:
    """The site's row after a turn with these answers."""
    with store.writing() as tx:
        sites.ensure(tx, [KEY], delay_s)
        sites.block(tx, KEY, None, failures)
        tx.exec_driver_sql("UPDATE site SET lease_owner = 'me'")
        site = sites.get(tx, KEY)
    assert site is not None
    visit = turn(site, Wire(*answers), asked_s, store)
    for _ in answers:
        asyncio.run(visit.reach(URL))
    store.write(visit.closing())
    with store.reading() as tx:
        found = sites.get(tx, KEY)
    assert found is not None
    assert found.lease_owner is None
    return found


def test_a_quiet_turn_leaves_nothing_but_the_delay(store: Store) -> None:
    found = after(store, answer(200), failures=3)
    assert (found.failures, found.delay_s) == (0, 0.0)
    assert found.blocked_until == NOW + timedelta(seconds=1.002)


def test_a_retry_after_blocks_the_site_and_slows_it_down(store: Store) -> None:
    found = after(store, answer(429, Retry_After="90"))
    assert (found.blocked_until, found.failures, found.delay_s) == (NOW + timedelta(seconds=90), 1, 2.0)


def test_a_block_is_written_before_the_turn_ends(store: Store) -> None:
    store.write(lambda tx: sites.ensure(tx, [KEY]))
    asyncio.run(turn(fresh(), Wire(answer(429, Retry_After="90")), store=store).reach(URL))
    with store.reading() as tx:
        found = sites.get(tx, KEY)
    assert found is not None
    assert found.blocked_until == NOW + timedelta(seconds=90)


def test_a_protest_without_a_time_backs_off_by_doubling(store: Store) -> None:
    assert after(store, answer(429)).blocked_until == NOW + timedelta(minutes=1)
    assert after(store, answer(429), failures=3).blocked_until == NOW + timedelta(minutes=8)


def test_a_503_blocks_if_it_says_for_how_long_or_comes_twice(store: Store) -> None:
    quiet = NOW + timedelta(seconds=1.002)
    assert after(store, answer(503)).blocked_until == quiet
    assert after(store, answer(503), answer(200), answer(503)).blocked_until == quiet
    assert after(store, answer(503), answer(503)).blocked_until == NOW + timedelta(minutes=1)
    assert after(store, answer(503, Retry_After="60")).blocked_until == NOW + timedelta(minutes=1)


def test_two_block_pages_in_a_row_end_the_turn_and_one_slows_it_down() -> None:
    visit = turn(fresh(), Wire())
    asyncio.run(visit.refused())
    assert (visit.over, visit.pace.interval_s) == (False, 2.0)
    asyncio.run(visit.refused())
    assert visit.blocked_until == NOW + HOST_DOWN_FOR


def test_a_slow_site_is_asked_less_often(store: Store) -> None:
    found = after(store, answer(200, took_s=12.0))
    assert (found.delay_s, found.blocked_until) == (3.0, NOW + timedelta(seconds=3.002))


def test_what_others_learned_meanwhile_is_kept(store: Store) -> None:
    with store.writing() as tx:
        sites.ensure(tx, [KEY])
        tx.exec_driver_sql("UPDATE site SET lease_owner = 'me'")
    visit = turn(fresh(), Wire(), store=store)
    store.write(lambda tx: sites.slow_down(tx, KEY, least_s=1.0, most_s=60.0))
    store.write(visit.closing())
    with store.reading() as tx:
        found = sites.get(tx, KEY)
    assert found is not None
    assert found.delay_s == 2.0


def test_a_site_that_cannot_be_reached_is_left_alone_longer_each_time(store: Store) -> None:
    assert after(store, Trouble(code="dns")).blocked_until == NOW + HOST_DOWN_FOR
    assert after(store, Trouble(code="dns"), failures=2).blocked_until == NOW + 4 * HOST_DOWN_FOR


def test_one_time_out_is_not_the_end_of_a_host_but_two_are(store: Store) -> None:
    assert after(store, Trouble(code="timeout")).blocked_until == NOW + timedelta(seconds=1.002)
    assert after(store, Trouble(code="timeout"), Trouble(code="timeout")).blocked_until == NOW + HOST_DOWN_FOR
    later = after(store, Trouble(code="timeout"), answer(200), Trouble(code="timeout"))
    assert later.blocked_until == NOW + timedelta(seconds=1.002)


def test_a_long_crawl_delay_outlives_the_turn(store: Store) -> None:
    found = after(store, answer(200), asked_s=10.0)
    assert (found.blocked_until, found.delay_s, found.failures) == (NOW + timedelta(seconds=10.002), 10.0, 0)


def test_a_learned_delay_fades(store: Store) -> None:
    assert after(store, answer(200), delay_s=8.0).delay_s == 4.0


def test_a_delay_beyond_all_measure_is_capped(store: Store) -> None:
    assert after(store, answer(200), asked_s=86_400.0).blocked_until == NOW + timedelta(seconds=60.002)


def test_a_host_that_is_down_is_not_asked_again_in_the_same_turn() -> None:
    wire = Wire(Trouble(code="dns"), answer(200))
    visit = turn(fresh(), wire)
    asyncio.run(visit.reach(URL))
    second = asyncio.run(visit.reach(URL))
    assert isinstance(second, Trouble)
    assert (second.code, second.until, len(wire.answers)) == ("host_down", NOW + HOST_DOWN_FOR, 1)


def test_a_slower_robots_txt_slows_the_site_down() -> None:
    wire = Wire(answer(200))
    visit = turn(fresh(), wire, asked_s=4.0)
    asyncio.run(visit.reach(URL))
    assert wire.delays == [1.0, 4.0]


def test_another_site_is_entered_as_a_guest_or_not_at_all() -> None:
    guests, leading = Neighbours(), answer(302, Location="https://b.example/feed")
    found = asyncio.run(turn(fresh(), Wire(leading, answer(200)), guests=guests).reach(URL, anywhere=True))
    assert isinstance(found, Answer)
    assert guests.entered == ["b.example"]
    wire = Wire(leading, answer(200))
    busy = asyncio.run(turn(fresh(), wire, guests=Neighbours(free=False)).reach(URL, anywhere=True))
    assert isinstance(busy, Trouble)
    assert (busy.code, wire.asked) == ("site_busy", 1)


def test_a_secret_header_does_not_leave_the_site() -> None:
    sent: list[Any] = []

    class Telltale(Wire):
        async def get(self, *_: Any, **facts: Any) -> Answer | Trouble:
            sent.append(facts["headers"])
            return self.answers.pop(0)

    visit = turn(fresh(), Telltale(answer(302, Location="https://b.example/feed"), answer(200)))
    asyncio.run(visit.reach(URL, headers=(("Authorization", "secret"),), anywhere=True))
    assert sent == [(("Authorization", "secret"),), ()]
