"""Days that name no year: the last such day before the fetch, where nothing on the page says more."""

from datetime import UTC, date, datetime

import pytest

from tasks.extract import article_node
from tasks.extract.dates import find_dates
from tasks.extract.datetext import Context
from tasks.extract.document import parse
from tasks.extract.localday import local_day
from tasks.extract.material import Material
from tasks.extract.yearless import spot_yearless

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
JANUARY = datetime(2026, 1, 5, 12, tzinfo=UTC)
URL = "https://www.tarnpost.example/local/ferry"


def spotted(text: str, now: datetime = MARCH) -> list[str]:
    return [one.at.strftime("%Y-%m-%d %H:%M") for one in spot_yearless(text, Context(now=now, zone=UTC))]


def day_of(body: str, now: datetime = MARCH) -> date | None:
    document = parse(f"<html><body>{body}</body></html>", URL)
    material = Material(url=URL, status=200, headers=(), body=b"", fetched_at=now)
    return local_day(find_dates(document, article_node(document), material, "", ()).published)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Tuesday 3 March", "2026-03-03 00:00"),
        ("Wed 4 Mar, 9:15am", "2026-03-04 09:15"),
        ("Publisert 4. mars kl. 10:15", "2026-03-04 10:15"),
        ("March 4", "2026-03-04 00:00"),
        ("3月4日（水） 16:30", "2026-03-04 16:30"),
        ("3월 4일", "2026-03-04 00:00"),
        ("Oct 4", "2025-10-04 00:00"),
    ],
)
def test_the_last_such_day_is_meant(text: str, at: str) -> None:
    assert spotted(text) == [at]


def test_in_january_december_is_last_years() -> None:
    assert spotted("28. децембар, 10:30", JANUARY) == ["2025-12-28 10:30"]


@pytest.mark.parametrize(
    "text",
    [
        "Open day: 28 March",  # soon to come, and not a year ago
        "4 March 2026",  # has a year, which others read
        "4 Mar ’26",
        "2026年3月4日",
        "3 min",
        "4 March and 7 March",
        "The ferry that ran ashore on 4 March is afloat again, they say",
        "30 February",
    ],
)
def test_other_lines_tell_no_such_day(text: str) -> None:
    assert spotted(text) == []


def test_a_page_that_shows_no_year_has_a_date() -> None:
    assert day_of("<article><h1>Ferry to run</h1><p>Tuesday 3 March</p><p>It sails.</p></article>") == date(2026, 3, 3)


def test_a_date_with_a_year_goes_first() -> None:
    body = "<article><h1>Ferry to run</h1><p>3 March</p><p>It sails.</p></article><p>Posted on 1 February 2026</p>"
    assert day_of(body) == date(2026, 2, 1)


def test_the_day_of_a_change_is_no_day_of_publication() -> None:
    assert day_of("<article><h1>Ferry to run</h1><p>Updated 3 March</p><p>It sails.</p></article>") is None
