"""The contract of sites: no two owners at one time, none lost, politeness remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from storage import pages, sites
from storage.records import Lead, Robots, Site, Source
from storage.store import Store

AddSource = Callable[..., Source]
MINUTE = timedelta(minutes=1)


def test_a_claimed_site_is_nobody_elses_until_its_lease_ends(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    with store.writing() as tx:
        add_source(tx)
        assert [site.key for site in sites.claim(tx, "a", now, lease=MINUTE, limit=9)] == ["harbour.example"]
        assert sites.claim(tx, "b", now + MINUTE / 2, lease=MINUTE, limit=9) == []
        assert sites.renew(tx, "a", now + MINUTE / 2, MINUTE) == 1
        assert sites.claim(tx, "b", now + MINUTE * 1.2, lease=MINUTE, limit=9) == []
        assert len(sites.claim(tx, "b", now + MINUTE * 2, lease=MINUTE, limit=9)) == 1


def test_only_the_owner_gives_a_site_back(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        add_source(tx)
        sites.claim(tx, "a", now, lease=MINUTE, limit=9)
        sites.release(tx, "b", ["harbour.example"])
        assert sites.claim(tx, "b", now, lease=MINUTE, limit=9) == []
        sites.release(tx, "a", ["harbour.example"])
        assert len(sites.claim(tx, "b", now, lease=MINUTE, limit=9)) == 1


def test_an_owner_can_ask_what_it_holds(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        for name in ("b.example", "a.example", "c.example"):
            add_source(tx, name, name)
        sites.claim(tx, "me", now, lease=MINUTE, limit=9, only=["a.example", "b.example"])
        sites.claim(tx, "other", now, lease=MINUTE, limit=9)
        assert [site.key for site in sites.held(tx, "me")] == ["a.example", "b.example"]


def test_a_blocked_site_is_left_alone(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        add_source(tx)
        sites.block(tx, "harbour.example", now + MINUTE, failures=1)
        assert sites.claim(tx, "a", now, lease=MINUTE, limit=9) == []
        assert len(sites.claim(tx, "a", now + MINUTE, lease=MINUTE, limit=9)) == 1


def test_a_page_alone_makes_its_site_due(
    store: Store, add_source: AddSource, lead: Callable[..., Lead], now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        pages.discover(tx, source.id, [lead("1", site="other.example")], now)
        claimed = sites.claim(tx, "a", now, lease=MINUTE, limit=9, only=["other.example"])
        assert [site.key for site in claimed] == ["other.example"]
        assert len(pages.waiting(tx, "other.example", now, 10)) == 1


def test_no_site_is_claimed_twice_by_many_at_once(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        for number in range(60):
            add_source(tx, f"s{number}", f"s{number}.example")

    def claim(owner: str) -> list[Site]:
        found: list[Site] = []
        while some := store.write(lambda tx: sites.claim(tx, owner, now, lease=MINUTE, limit=7)):
            found += some
        return found

    with ThreadPoolExecutor(4) as pool:
        claimed = [site.key for part in pool.map(claim, "abcd") for site in part]
    assert sorted(claimed) == sorted(f"s{number}.example" for number in range(60))


def test_robots_are_kept_by_origin(store: Store, now: datetime) -> None:
    old = Robots(origin="https://a.example", status=200, body=b"User-agent: *", fetched_at=now, expires_at=now + MINUTE)
    new = Robots(origin="https://a.example", status=0, body=b"", fetched_at=now + MINUTE, expires_at=now + 2 * MINUTE)
    with store.writing() as tx:
        sites.keep_robots(tx, old)
        sites.keep_robots(tx, new)
        assert sites.robots_of(tx, ["https://a.example", "https://b.example"]) == {"https://a.example": new}


def test_stale_leases_are_shown(store: Store, add_source: AddSource, now: datetime) -> None:
    with store.writing() as tx:
        add_source(tx)
        sites.claim(tx, "dead", now, lease=MINUTE, limit=9)
        assert sites.stale_leases(tx, now) == []
        assert [site.lease_owner for site in sites.stale_leases(tx, now + 2 * MINUTE)] == ["dead"]


def test_delays_are_remembered(store: Store, add_source: AddSource) -> None:
    with store.writing() as tx:
        add_source(tx)
        sites.set_delay(tx, "harbour.example", 4.0)
        found = sites.get(tx, "harbour.example")
        assert found is not None
        assert found.delay_s == 4.0
