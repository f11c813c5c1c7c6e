"""Which files and addresses belong to a span of the past."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.discovery import Child
from crawler.pastdates import is_of, may_hold, span_of
from storage.records import Candidate, Hints, Via

SINCE, UNTIL = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
HOME = "https://www.a.example"


@pytest.mark.parametrize(
    ("path", "start", "days"),
    [
        ("/sitemap-2025-03.xml.gz", (2025, 3, 1), 31),
        ("/sitemaps/2025/3/9/all.xml", (2025, 3, 9), 1),
        ("/sitemap_20241231.xml", (2024, 12, 31), 1),
        ("/archive/2025.xml", (2025, 1, 1), 365),
        ("/map.xml?yyyy=2025&mm=12", (2025, 12, 1), 31),
        ("/map-2025-12.xml", (2025, 12, 1), 31),
    ],
)
def test_spans_that_addresses_name(path: str, start: tuple[int, int, int], days: int) -> None:
    found = span_of(HOME + path)
    assert found == (datetime(*start, tzinfo=UTC), datetime(*start, tzinfo=UTC) + timedelta(days=days))


@pytest.mark.parametrize("path", ["/sitemap-7.xml", "/story-1234567", "/n/20259999", "/map.xml?page=12"])
def test_numbers_that_are_no_dates(path: str) -> None:
    assert span_of(HOME + path) is None


def child(path: str, lastmod: datetime | None = None) -> Child:
    return Child(url=HOME + path, lastmod=lastmod)


def test_files_that_may_hold_addresses_of_the_span() -> None:
    wanted = ["/2025-03.xml", "/2025.xml", "/2025-03-15.xml", "/posts-1.xml"]
    assert [may_hold(child(path), SINCE, UNTIL) for path in wanted] == [True] * 4
    assert not may_hold(child("/2025-05.xml"), SINCE, UNTIL)
    assert not may_hold(child("/2024.xml"), SINCE, UNTIL)
    assert not may_hold(child("/posts-1.xml", SINCE - timedelta(days=9)), SINCE, UNTIL)
    assert may_hold(child("/posts-1.xml", UNTIL + timedelta(days=9)), SINCE, UNTIL)


def entry(path: str, published: datetime | None = None, modified: datetime | None = None) -> Candidate:
    hints = Hints(published_at=published, modified_at=modified)
    return Candidate(url=HOME + path, via=Via.SITEMAP, hints=hints)


def test_a_stated_date_goes_before_the_address_and_that_before_a_lastmod() -> None:
    inside, before, after = SINCE + timedelta(days=3), SINCE - timedelta(days=3), UNTIL + timedelta(days=3)
    assert is_of(entry("/2024/01/02/x", inside), SINCE, UNTIL) is True
    assert is_of(entry("/2025/03/02/x", before), SINCE, UNTIL) is False
    assert is_of(entry("/2025/03/02/x", modified=after), SINCE, UNTIL) is True
    assert is_of(entry("/2024/03/02/x", modified=inside), SINCE, UNTIL) is False
    assert is_of(entry("/x", modified=inside), SINCE, UNTIL) is True
    assert is_of(entry("/x", modified=before), SINCE, UNTIL) is False
    assert is_of(entry("/x", modified=after), SINCE, UNTIL) is None
    assert is_of(entry("/x"), SINCE, UNTIL) is None
    assert is_of(entry("/2025/x"), SINCE, UNTIL) is None
