"""Which files of a sitemap index are read at a poll, by what was learned of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crawler.discovery import Child
from crawler.sitemap_memory import (
    FIRST_TOMB,
    SitemapMemory,
    after_gone,
    after_read,
    believed,
    choose,
    dump,
    honest_entries,
    load,
)
from storage.records import Candidate, Hints, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOME = "https://www.a.example"
NOTHING = SitemapMemory()


def child(path: str, days: float | None = None, home: str = HOME) -> Child:
    return Child(url=f"{home}{path}", lastmod=None if days is None else NOW - timedelta(days=days))


def pick(children: list[Child], memory: SitemapMemory = NOTHING, **more: Any) -> tuple[list[str], dict[str, int]]:
    facts: dict[str, Any] = {"site": "a.example", "seen": set(), "now": NOW, "watched_since": NOW, "limit": 50}
    chosen, left = choose(children, memory, **(facts | {"fresh_limit": 25} | more))
    return [one.url.removeprefix(HOME) for one in chosen], left


def read(child: Child, *, ago: timedelta, memory: SitemapMemory = NOTHING, digest: str = "d") -> SitemapMemory:
    return after_read(memory, child, digest=digest, index=False, now=NOW - ago)


def entry(path: str, modified: datetime | None) -> Candidate:
    return Candidate(url=f"{HOME}{path}", via=Via.SITEMAP, hints=Hints(modified_at=modified))


def test_the_newest_come_first_and_the_rest_is_counted() -> None:
    assert pick([child("/old", 9), child("/unknown"), child("/new", 0)], limit=2) == (
        ["/new", "/old"],
        {"over_limit": 1},
    )


def test_each_file_is_read_once_and_never_from_another_site() -> None:
    children = [child("/a"), child("/a"), child("/index"), child("/b", home="https://b.example"), child("", home="x:")]
    assert pick(children, seen={f"{HOME}/index"}) == (["/a"], {"again": 2, "other_site": 2})


def test_files_never_read_are_spread_over_polls() -> None:
    children, memory = [child(f"/{n}", n) for n in range(30)], NOTHING
    chosen, left = pick(children, fresh_limit=20)
    assert (len(chosen), left) == (20, {"staggered": 10})
    for one in children[:20]:
        memory = read(one, ago=timedelta(minutes=5), memory=memory)
    assert pick(children, memory, fresh_limit=20)[0][-10:] == [f"/{n}" for n in range(20, 30)]


def test_a_file_whose_lastmod_rose_is_read_and_one_that_stayed_is_not() -> None:
    memory = read(child("/a", 9), ago=timedelta(days=5))
    assert pick([child("/a", 1)], memory)[0] == ["/a"]
    assert pick([child("/a", 9)], memory) == ([], {"unchanged": 1})


def test_a_lastmod_of_the_day_of_the_read_proves_nothing() -> None:
    assert pick([child("/a", 0)], read(child("/a", 0), ago=timedelta(hours=2)))[0] == ["/a"]


def test_without_lastmod_a_file_is_read_the_less_often_the_longer_nothing_changed_in_it() -> None:
    one = child("/a")
    memory = read(one, ago=timedelta(days=8))
    assert pick([one], memory)[0] == ["/a"]
    memory = read(one, ago=timedelta(hours=1), memory=memory)
    assert pick([one], memory) == ([], {"resting": 1})
    assert pick([one], memory, now=NOW + timedelta(days=4))[0] == ["/a"]


def test_even_an_unchanged_file_is_read_once_a_month() -> None:
    assert pick([child("/a", 90)], read(child("/a", 90), ago=timedelta(days=31)))[0] == ["/a"]


def test_what_is_gone_rests_longer_each_time_and_comes_back() -> None:
    one = child("/a", 3)
    memory = after_gone(NOTHING, one, NOW)
    assert pick([one], memory) == ([], {"gone": 1})
    assert pick([one], memory, now=NOW + FIRST_TOMB)[0] == ["/a"]
    memory = after_gone(memory, one, NOW + FIRST_TOMB)
    assert pick([one], memory, now=NOW + 2 * FIRST_TOMB) == ([], {"gone": 1})
    assert pick([one], read(one, ago=timedelta(0), memory=memory), now=NOW + timedelta(days=40))[0] == ["/a"]


def test_old_files_that_turn_up_later_are_left_to_a_backfill() -> None:
    memory = read(child("/a", 0), ago=timedelta(minutes=5))
    assert pick([child("/older", 200)], memory) == ([], {"before_watch": 1})
    assert pick([child("/older", 200)])[0] == ["/older"]


def test_a_lastmod_that_all_files_share_or_that_is_always_now_is_not_believed() -> None:
    assert believed([child(f"/{n}", n) for n in range(6)], NOTHING, NOW)
    assert not believed([child(f"/{n}", 2) for n in range(6)], NOTHING, NOW)
    assert not believed([child(f"/{n}", n / 86_400) for n in range(6)], NOTHING, NOW)
    assert believed([child("/a", 0), child("/b", 0)], NOTHING, NOW)


def test_a_lastmod_that_rises_while_nothing_changes_is_found_out() -> None:
    memory = NOTHING
    for day in range(6):
        memory = read(child("/a", 20 - day), ago=timedelta(days=20 - day), memory=memory)
    assert (memory.claims, memory.lies) == (5, 5)
    assert not believed([child("/a", 0)], memory, NOW)
    assert pick([child("/a", 0)], memory, now=NOW - timedelta(days=14)) == ([], {"resting": 1})


def test_entries_lose_a_lastmod_that_lies_and_it_is_remembered() -> None:
    liars = [entry(f"/{n}", NOW - timedelta(seconds=n)) for n in range(6)]
    found, memory = honest_entries(liars, NOTHING, NOW)
    assert {one.hints.modified_at for one in found} == {None}
    assert memory.entries_lie_until is not None
    later = [entry("/x", NOW - timedelta(days=1))]
    assert honest_entries(later, memory, NOW)[0][0].hints.modified_at is None
    assert honest_entries(later, NOTHING, NOW)[0] == tuple(later)
    assert honest_entries(later, memory, NOW + timedelta(days=31))[0] == tuple(later)


def test_the_memory_comes_back_from_json_and_is_bounded() -> None:
    memory = after_gone(read(child("/a", 1), ago=timedelta(hours=1)), child("/b"), NOW)
    assert load(dump(memory)) == memory
    assert load({}) == NOTHING
    many = replace(memory, files={f"{HOME}/{n}": memory.files[f"{HOME}/a"] for n in range(6000)})
    assert len(load(dump(many)).files) == 5000
