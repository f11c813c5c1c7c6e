from datetime import UTC, datetime, timedelta

from crawler.discovery import Child
from crawler.sitemap_walk import choose

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOME = "https://www.a.example"


def child(path: str, days: int | None = None, home: str = HOME) -> Child:
    return Child(url=f"{home}{path}", lastmod=None if days is None else NOW - timedelta(days=days))


def test_the_newest_come_first_and_the_rest_is_counted() -> None:
    chosen, left = choose(
        [child("/old", 9), child("/unknown"), child("/new", 0)], site="a.example", seen=set(), since=None, limit=2
    )
    assert [one.url for one in chosen] == [f"{HOME}/new", f"{HOME}/old"]
    assert left == {"over_limit": 1}


def test_each_file_is_read_once_and_never_from_another_site() -> None:
    children = [child("/a"), child("/a"), child("/index"), child("/b", home="https://b.example"), child("", home="x:")]
    chosen, left = choose(children, site="a.example", seen={f"{HOME}/index"}, since=None, limit=9)
    assert [one.url for one in chosen] == [f"{HOME}/a"]
    assert left == {"again": 2, "other_site": 2}


def test_what_has_not_changed_since_the_last_poll_is_left_out() -> None:
    children = [child("/today", 0), child("/yesterday", 1), child("/before", 3), child("/unknown")]
    chosen, left = choose(children, site="a.example", seen=set(), since=NOW - timedelta(hours=1), limit=9)
    assert [one.url for one in chosen] == [f"{HOME}/today", f"{HOME}/yesterday", f"{HOME}/unknown"]
    assert left == {"unchanged": 1}
