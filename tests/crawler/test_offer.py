"""What a probe makes of what it reads."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.offer import Offered, best, rate, signals_of_page, signals_of_robots, signals_of_tdmrep

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def ago(*hours: float) -> list[datetime]:
    return sorted(NOW - timedelta(hours=hour) for hour in hours)


def listing(kind: str, entries: int, per_day: float | None = None, newest_h: float | None = 1.0) -> Offered:
    newest = None if newest_h is None else NOW - timedelta(hours=newest_h)
    return Offered(
        url=f"https://a.example/{kind}", kind=kind, title=None, entries=entries, per_day=per_day, newest_at=newest
    )


def test_the_rate_of_news() -> None:
    assert rate(ago(1, 2, 3, 4, 12), NOW) == 10.0
    assert rate(ago(1, 24, 48, 600, 700), NOW) == pytest.approx(3 / 7, abs=0.01)
    assert rate(ago(1, 2), NOW) is None


def test_the_best_has_the_most_news_and_is_a_feed_where_that_makes_no_difference() -> None:
    feed, news, old = listing("feed", 20, 9.8), listing("news_sitemap", 90, 10.1), listing("feed", 20, 30.0, 24 * 60)
    assert best([news, feed, old], NOW) == feed
    assert best([listing("news_sitemap", 300, 80.0), feed], NOW) == listing("news_sitemap", 300, 80.0)
    assert best([listing("section", 40, None, None)], NOW) == listing("section", 40, None, None)
    assert best([listing("section", 4, None, None), listing("feed", 0), old], NOW) is None


def test_what_is_said_of_use() -> None:
    robots = "User-agent: *\nContent-Signal: search=yes, ai-train=no\nLicense: https://a.example/license.xml\n"
    assert [(one.name, one.value) for one in signals_of_robots(robots)] == [
        ("content-signal", "search=yes, ai-train=no"),
        ("license", "https://a.example/license.xml"),
    ]
    page = '<meta content=\'1\' name=TDM-Reservation><meta name="robots" content="noarchive"><meta charset=utf-8>'
    found = signals_of_page((("TDM-Reservation", "1"), ("Server", "x")), page)
    assert [(one.where, one.name, one.value) for one in found] == [
        ("header", "tdm-reservation", "1"),
        ("meta", "tdm-reservation", "1"),
        ("meta", "robots", "noarchive"),
    ]


def test_the_first_rule_of_tdmrep_that_matches_holds() -> None:
    body = (
        b'[{"location": "/img/*", "tdm-reservation": 0}, {"location": "/*", "tdm-reservation": 1, "tdm-policy": "p"}]'
    )
    assert [(one.name, one.value) for one in signals_of_tdmrep(body, "https://a.example/news/x")] == [
        ("tdm-reservation", "1"),
        ("tdm-policy", "p"),
    ]
    assert [one.value for one in signals_of_tdmrep(body, "https://a.example/img/x")] == ["0"]
    assert signals_of_tdmrep(b"not json", "https://a.example/") == []
