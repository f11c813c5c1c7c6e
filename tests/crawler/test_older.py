"""Where a page of links leads further back."""

from datetime import date

import pytest

from crawler.backpages import _reach
from crawler.discovery.older import Older, page_number, read_older

HOME = "https://harbour.example"


def older(
    html: str, url: str = f"{HOME}/news/", first: date = date(2026, 3, 9), last: date = date(2026, 3, 10)
) -> Older:
    return read_older(html, url, first=first, last=last)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/news?page=3", ("/news", 3)),
        ("/news?sort=new&page=3", ("/news?sort=new", 3)),
        ("/news/page/2/", ("/news/", 2)),
        ("/nachrichten/seite-2", ("/nachrichten/", 2)),
        ("/news?p=300", None),
        ("/2026/03/10/", None),
        ("/news?page=next", None),
        ("/news/page/", None),
    ],
)
def test_the_number_of_a_page(url: str, expected: tuple[str, int] | None) -> None:
    found = page_number(HOME + url)
    assert found == ((HOME + expected[0], expected[1]) if expected else None)


@pytest.mark.parametrize(
    ("html", "url", "expected"),
    [
        ('<link rel="next" href="?page=2">', "/news/", "/news/?page=2"),
        ('<a rel="nofollow next" href="/archive/b">older</a>', "/archive/a", "/archive/b"),
        ('<a href="?page=2">2</a><a href="?page=9">9</a>', "/news/", "/news/?page=2"),
        ('<a href="/news/page/1/">1</a><a href="/news/page/3/">3</a>', "/news/page/2/", "/news/page/3/"),
        ('<a href="?page=0">1</a><a href="?page=1">2</a>', "/news/", "/news/?page=1"),
        ('<a href="/sport/?page=2">sport</a>', "/news/", None),
        ('<a rel="next" href="https://other.example/news/?page=2">2</a>', "/news/", None),
        ('<a rel="next" href="/news/">this one</a>', "/news/", None),
        ("<p>the last one", "/news/page/9", None),
    ],
)
def test_the_next_page(html: str, url: str, expected: str | None) -> None:
    assert older(html, HOME + url).next_page == (HOME + expected if expected else None)


@pytest.mark.parametrize("day", ["/2026/03/10/", "/archive/2026-03-10", "/a/20260310.html", "/day-2026.03.10/"])
def test_one_day_shows_how_all_are_called(day: str) -> None:
    before = day.replace("10", "09").replace("2009", "2010")
    assert older(f'<a href="{day}">today</a>').days == (HOME + day, HOME + before)
    assert older(f'<a href="{day.replace("10", "11")}">tomorrow</a>').days == (HOME + day, HOME + before)


def test_an_article_below_a_day_is_no_archive_and_neither_is_another_sites() -> None:
    html = '<a href="/2026/03/10/ferry-strike">a</a><a href="https://other.example/2026/03/10/">b</a>'
    assert older(html).days == ()


def test_a_long_gap_is_bounded() -> None:
    found = older('<a href="/2026/03/10/">today</a>', first=date(2020, 1, 1))
    assert (len(found.days), found.days[-1]) == (31, f"{HOME}/2026/02/08/")


@pytest.mark.parametrize(
    ("keys", "known", "above"),
    [
        ("abcd", "", 4),
        ("abcd", "cd", 2),
        ("abcd", "abcd", 0),
        ("mabcdefg", "m", 8),
        ("abcxd", "cd", 2),
        ("", "", 0),
    ],
)
def test_a_list_ends_where_most_of_the_rest_was_known(keys: str, known: str, above: int) -> None:
    assert _reach(list(keys), set(known)) == above
