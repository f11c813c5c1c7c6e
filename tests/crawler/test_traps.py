import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.leads import leads_of
from crawler.traps import MOST_NEW, MOST_SHAPES, MOST_VARIANTS, Budget, trap_of
from storage.records import Candidate, SourceConfig, Via

HOST = "https://a.example"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/a/b/a/b/story", "trap_repeating_path"),
        ("/news/x/news/y/news/story", "trap_repeating_path"),
        ("/" + "/".join("abcdefghijklmno"), "trap_repeating_path"),
        ("/shop?" + "&".join(f"f{n}=1" for n in range(9)), "trap_facets"),
        ("/shop?c=1&c=2&c=3&c=4", "trap_facets"),
        ("/calendar/2031/05", "trap_calendar"),
        ("/2031/05/", "trap_calendar"),
        ("/archive/2024", "trap_calendar"),
        ("/events/kalender-2031-05.html", "trap_calendar"),
        ("/events?month=2031-05", "trap_calendar"),
        ("/news/page/99/", "trap_pagination"),
        ("/news?page=99&sort=new", "trap_pagination"),
    ],
)
def test_links_that_lead_nowhere_for_ever(path: str, reason: str) -> None:
    assert trap_of(HOST + path, Via.SECTION) == reason


@pytest.mark.parametrize(
    "path",
    [
        "/2031/05/12/ferries-run-on-time",
        "/news/2031-05-12-ferries",
        "/news/world/world-cup-final-in-lisbon",
        "/article.php?cat=5&id=77",
        "/?p=123",
        "/news/12345",
        "/culture/the-calendar-of-1582",
        "/10/10/10/story",
        "/story?id=4&page=2",
    ],
)
def test_stories_are_no_traps(path: str) -> None:
    assert trap_of(HOST + path, Via.SECTION) is None


def test_what_a_feed_names_one_by_one_may_look_like_a_list() -> None:
    assert trap_of(f"{HOST}/2031/05/", Via.FEED) is None
    assert trap_of(f"{HOST}/a/b/a/b/story", Via.FEED) == "trap_repeating_path"


def test_facets_pile_up_and_stop() -> None:
    budget, via = Budget(), Via.SECTION
    same = [budget.over(f"{HOST}/shop?colour={n}&size=1&brand=2", via) for n in range(MOST_VARIANTS + 5)]
    assert same.count("trap_facets") == 5
    shapes = [budget.over(f"{HOST}/find?k{n}=1", via) for n in range(MOST_SHAPES + 3)]
    assert shapes.count("trap_facets") == 3


def test_two_parameters_that_are_combined_are_facets() -> None:
    grid = [f"{HOST}/find?colour={n % 12}&size={n // 12}" for n in range(144)]
    budget, taken = Budget(), Budget()
    assert [budget.over(url, Via.SECTION) for url in grid].count("trap_facets") >= 144 - 2 * MOST_VARIANTS
    assert not any(taken.over(f"{HOST}/read?part={n % 3}&story={n}", Via.SECTION) for n in range(200))
    assert not any(budget.over(url, Via.FEED) for url in grid)


def test_stories_named_by_a_number_in_the_query_are_all_kept() -> None:
    budget = Budget()
    assert not any(budget.over(f"{HOST}/article.php?cat=5&id={n}", Via.SECTION) for n in range(200))


def test_one_look_at_a_page_brings_so_many_and_no_more_and_the_rest_is_counted() -> None:
    urls = [f"{HOST}/s/{n}" for n in range(MOST_NEW + 7)]
    found = leads_of([Candidate(url=url, via=Via.SECTION) for url in urls], SourceConfig(name="a", url=HOST))
    assert (len(found.kept), found.dropped) == (MOST_NEW, {"trap_budget": 7})
    listed = leads_of([Candidate(url=url, via=Via.SITEMAP) for url in urls], SourceConfig(name="a", url=HOST))
    assert len(listed.kept) == MOST_NEW + 7


segments = st.lists(st.sampled_from(["a", "b", "2031", "05", "x.html", ""]), max_size=30)


@given(segments, st.text(max_size=30))
def test_no_address_breaks_it(path: list[str], query: str) -> None:
    key = f"{HOST}/{'/'.join(path)}?{query}"
    assert trap_of(key, Via.SECTION) in (None, "trap_repeating_path", "trap_facets", "trap_calendar", "trap_pagination")
    Budget().over(key, Via.SECTION)
