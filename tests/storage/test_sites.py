"""The contract of sites: no two owners at one time, none lost, politeness remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import update

from storage import pages, sites, sources
from storage.records import Lead, Robots, Site, Source
from storage.store import Store
from storage.tables import page as page_table
from storage.tables import source as source_table

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
        assert sites.claim(tx, "b", now + MINUTE * 2, lease=MINUTE, limit=9) == [], "its holder may live"
        assert sites.claim(tx, "b", now + MINUTE * 2.4, lease=MINUTE, limit=9) == []
        assert len(sites.claim(tx, "b", now + MINUTE * 2.6, lease=MINUTE, limit=9)) == 1
        assert sites.held(tx, "a") == []


def test_a_holder_that_renews_is_not_overtaken_by_one_whose_clock_is_ahead(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    ahead, key = timedelta(hours=1), "harbour.example"
    with store.writing() as tx:
        add_source(tx)
        sites.claim(tx, "a", now, lease=MINUTE, limit=9)
        for third in range(1, 10):
            at = now + third * MINUTE / 3
            assert sites.claim(tx, "b", at + ahead, lease=MINUTE, limit=9) == []
            assert sites.borrow(tx, "b", key, at + ahead, lease=MINUTE) is None
            assert sites.leased(tx, [key], at + ahead) == {key}
            assert sites.renew(tx, "a", at, MINUTE) == 1
        sites.release(tx, "a", [key])
        assert len(sites.claim(tx, "b", now + ahead, lease=MINUTE, limit=9)) == 1


def test_a_holder_is_not_given_its_own_site_again_when_its_clock_jumps(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    with store.writing() as tx:
        add_source(tx)
        sites.claim(tx, "a", now, lease=MINUTE, limit=9)
        assert sites.claim(tx, "a", now + 60 * MINUTE, lease=MINUTE, limit=9) == []
        assert sites.renew(tx, "a", now + 60 * MINUTE, MINUTE) == 1


def test_a_borrowed_site_of_one_that_died_is_free_after_a_lease_and_a_half(store: Store, now: datetime) -> None:
    def borrow(minutes: float) -> Site | None:
        return store.write(lambda tx: sites.borrow(tx, "b", "harbour.example", now + minutes * MINUTE, lease=MINUTE))

    store.write(lambda tx: sites.borrow(tx, "a", "harbour.example", now, lease=MINUTE))
    assert borrow(1.1) is None
    assert borrow(1.5) is None
    assert borrow(1.7) is not None


def test_sites_in_doubt_do_not_stand_in_the_way_of_free_ones(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    later = now + 5 * MINUTE
    with store.writing() as tx:
        for name in ("a", "b", "c", "d"):
            add_source(tx, name, f"{name}.example")
        assert len(sites.claim(tx, "died", now, lease=MINUTE, limit=2)) == 2
        assert [len(sites.claim(tx, "lives", later, lease=MINUTE, limit=1)) for _ in range(3)] == [1, 1, 0]


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


def test_a_trigger_goes_before_all_and_then_the_most_overdue(
    store: Store, add_source: AddSource, now: datetime
) -> None:
    with store.writing() as tx:
        for name in ("a", "b", "c", "d"):
            add_source(tx, name, f"{name}.example")
        for name, minutes in (("a", 1), ("b", 30), ("c", 5), ("d", 2)):
            tx.execute(update(source_table).where(source_table.c.name == name).values(next_at=now - minutes * MINUTE))
        sites.refresh(tx, ["a.example", "b.example", "c.example", "d.example"])
        sources.trigger(tx, ["a"], now)
        order = [sites.claim(tx, "me", now, lease=MINUTE, limit=1)[0].key[0] for _ in range(4)]
    assert order == ["a", "b", "c", "d"]


def test_an_articles_second_look_makes_its_site_due(
    store: Store, add_source: AddSource, publish: Callable[..., int], now: datetime
) -> None:
    later = now + 30 * MINUTE
    with store.writing() as tx:
        source = add_source(tx)
        publish(tx, source, "1")
        tx.execute(update(source_table).values(next_at=now + 99 * MINUTE))
        tx.execute(update(page_table).values(recheck_at=later))
        sites.refresh(tx, ["harbour.example"])
        assert sites.next_due(tx) == later
        assert sites.claim(tx, "a", now, lease=MINUTE, limit=9) == []
        assert len(sites.claim(tx, "a", later, lease=MINUTE, limit=9)) == 1
        assert [page.url for page in pages.to_recheck(tx, "harbour.example", later, 9)] == ["https://harbour.example/1"]
        pages.put_off_rechecks(tx, "harbour.example", later, None)
        assert pages.to_recheck(tx, "harbour.example", later, 9) == []


def test_a_site_is_borrowed_only_while_nobody_works_on_it_and_it_does_not_rest(store: Store, now: datetime) -> None:
    with store.writing() as tx:
        assert sites.borrow(tx, "me", "quiet.example", now, lease=MINUTE) is not None
        assert sites.borrow(tx, "other", "quiet.example", now, lease=MINUTE) is None
        sites.release(tx, "me", ["quiet.example"])
        sites.rest(tx, "quiet.example", now + MINUTE, "delay")
        assert sites.borrow(tx, "other", "quiet.example", now, lease=MINUTE) is None
        assert sites.borrow(tx, "other", "quiet.example", now + MINUTE, lease=MINUTE) is not None


def test_a_short_rest_ends_no_long_block(store: Store, now: datetime) -> None:
    with store.writing() as tx:
        sites.ensure(tx, ["quiet.example"])
        sites.block(tx, "quiet.example", now + 5 * MINUTE, 1, "retry_after")
        sites.rest(tx, "quiet.example", now + MINUTE, "delay")
        found = sites.get(tx, "quiet.example")
        assert found is not None
        assert (found.blocked_until, found.blocked_for) == (now + 5 * MINUTE, "retry_after")


def test_a_site_is_slowed_down_by_half_up_to_the_cap(store: Store) -> None:
    with store.writing() as tx:
        sites.ensure(tx, ["quiet.example"])
        delays = []
        for _ in range(4):
            sites.slow_down(tx, "quiet.example", least_s=1.0, most_s=6.0)
            delays.append(sites.get(tx, "quiet.example").delay_s)  # type: ignore[union-attr]
        assert delays == [2.0, 4.0, 6.0, 6.0]
