"""Shapes of addresses: what a site's known articles teach about its other links."""

from datetime import UTC, datetime

import pytest

from crawler.discovery import discover
from crawler.shapes import NOTHING, Shapes, learn, shape_of
from crawler.urls import canonical_key
from storage.records import SourceKind

HOME = "https://www.a.example"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def taught(*paths: str) -> Shapes:
    return learn(f"{HOME}{path}" for path in paths)


@pytest.mark.parametrize(
    ("known", "alike", "unlike"),
    [
        ("/desk{n}/2026/03/0{n}/ferry", "/sport/2025/11/30/cup", "/sport/results"),
        ("/artikel/some-long-title-{n}0001", "/politik/another-headline-here-98765", "/politik/themen"),
        ("/n/88123{n}", "/x/1234567", "/x/about"),
        ("/story.php?id=10{n}", "/story.php?id=7", "/story.php?sort=asc"),
        ("/content/3fa9c01{n}b7", "/content/aa90c1127f", "/content/topics"),
        ("/wire/tide{n}", "/wire/moon", "/topics/moon"),
    ],
)
def test_an_address_like_known_articles_counts_more_than_one_unlike_them(known: str, alike: str, unlike: str) -> None:
    shapes = taught(*(known.format(n=number) for number in range(1, 8)))
    assert shapes.points(f"{HOME}{alike}") == 2
    assert shapes.points(f"{HOME}{unlike}") == 0


def test_many_known_articles_make_the_unlike_less_likely() -> None:
    shapes = taught(*(f"/news/{number}00000" for number in range(1, 30)))
    assert shapes.points(f"{HOME}/about-us") == -1


def test_one_odd_address_teaches_nothing() -> None:
    shapes = taught(*(f"/news/{number}00000" for number in range(1, 200)), "/about/the-people-here", "/a/b-c-d")
    assert shapes.points(f"{HOME}/help/how-to-pay") == -1
    assert taught("/n/88123").points(f"{HOME}/n/88124") == 0


def test_a_date_in_parts_is_one_part() -> None:
    assert shape_of(f"{HOME}/a/2026/03/09/x")[0] == shape_of(f"{HOME}/a/2026-03-09/x")[0] == ("word", "date", "word")


def links(shapes: Shapes) -> list[str]:
    body = "".join(f'<p><a href="{path}">More</a></p>' for path in ("/wire/moon", "/wire/sun", "/shop/moon"))
    page = f"<html><body><main>{body}</main></body></html>".encode()
    found = discover(page, url=f"{HOME}/", now=NOW, expected=SourceKind.SECTION, shapes=shapes)
    return [canonical_key(one.url).removeprefix(HOME) for one in found.candidates]


def test_a_section_page_shows_links_that_only_experience_tells_from_the_rest() -> None:
    assert links(NOTHING) == []
    assert links(taught(*(f"/wire/tide{n}" for n in range(6)))) == ["/wire/moon", "/wire/sun"]
