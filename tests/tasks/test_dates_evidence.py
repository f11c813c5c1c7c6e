"""What tells an article's date from the other dates of its page, and how its numbers are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from storage.records import Finding, Hints, Precision
from tasks.extract import article_node
from tasks.extract.dates import Dates, find_dates
from tasks.extract.datetext import Context, spot
from tasks.extract.document import parse
from tasks.extract.localday import local_day
from tasks.extract.material import Material

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.tarnpost.example/local/lake"
H1 = "<h1>Ferry to run all winter</h1>"
TITLE = "<title>Ferry to run all winter | Tarn Post</title>"


def dates_of(body: str, head: str = TITLE, url: str = URL, language: str = "en", **material: Any) -> Dates:
    document = parse(f"<html><head>{head}</head><body>{body}</body></html>", url)
    fetched = Material(url=url, status=200, headers=(), body=b"", fetched_at=NOW)
    return find_dates(document, article_node(document), replace(fetched, **material), language, ())


def day_of(body: str, head: str = TITLE, url: str = URL, language: str = "en", **material: Any) -> date | None:
    return local_day(dates_of(body, head, url, language, **material).published)


def json_ld(**fields: str | int) -> str:
    facts = "".join(f', "{name}": {value!r}' for name, value in fields.items()).replace("'", '"')
    return f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Ferry"{facts}}}</script>'


MARCH = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("body", "language", "url", "day"),
    [
        # the language of the page
        ("<p class='date'>02/03/2026</p>", "en-us", URL, date(2026, 2, 3)),
        ("<p class='date'>02/03/2026</p>", "en-gb", URL, date(2026, 3, 2)),
        ("<p class='date'>02/03/2026</p>", "es", URL, date(2026, 3, 2)),
        # another date of the page goes before the language, in both directions
        ("<p class='date'>02/03/2026</p><aside>Tide table of 27/02/2026</aside>", "en-us", URL, date(2026, 3, 2)),
        ("<p class='date'>02/03/2026</p><aside>Tide table of 02/27/2026</aside>", "en-gb", URL, date(2026, 2, 3)),
        # the country of the address, for pages in English without a country
        ("<p class='date'>02/03/2026</p>", "en", "https://tarnpost.co.uk/lake", date(2026, 3, 2)),
        ("<p class='date'>02/03/2026</p>", "en", URL, date(2026, 2, 3)),
        # what would lie in the future is no reading at all
        ("<p class='date'>12/02/2026</p>", "en-us", URL, date(2026, 2, 12)),
    ],
)
def test_the_order_of_day_and_month_is_read_by_evidence(body: str, language: str, url: str, day: date) -> None:
    assert day_of(H1 + body, url=url, language=language) == day


def test_a_declared_day_tells_how_the_shown_numbers_are_read() -> None:
    found = dates_of(
        f"{H1}<p class='date'>02/03/2026</p>", TITLE + json_ld(datePublished="2026-03-02"), language="en-us"
    )
    assert {finding.value.date() for finding in found.published} == {date(2026, 3, 2)}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("4 March 2026, 09:15 CET", "2026-03-04T08:15:00+00:00"),
        ("4 March 2026, 09:15 PDT", "2026-03-04T16:15:00+00:00"),
        ("4 March 2026, 9:15 am PT", "2026-03-04T17:15:00+00:00"),
        ("4 July 2025, 9:15 am PT", "2025-07-04T16:15:00+00:00"),
        ("4 March 2026, 09:15 IST", "2026-03-04T03:45:00+00:00"),
        ("4 March 2026, 09:15 CLT", "2026-03-04T13:15:00+00:00"),
        ("4 March 2026, 09:15 GST", "2026-03-04T05:15:00+00:00"),
        ("4 March 2026, 09:15 +05:30", "2026-03-04T03:45:00+00:00"),
        ("4 March 2026, 09:15 at the quay", "2026-03-04T09:15:00+00:00"),
    ],
)
def test_zones_and_their_abbreviations(text: str, at: str) -> None:
    assert next(spot(text, Context(now=NOW, zone=UTC, language="en"))).at.isoformat() == at


@pytest.mark.parametrize(
    ("text", "language", "at", "precision"),
    [
        ("3 hours ago", "en", NOW - timedelta(hours=3), Precision.MINUTE),
        ("hace 20 minutos", "es", NOW - timedelta(minutes=20), Precision.MINUTE),
        ("il y a 2 heures", "fr", NOW - timedelta(hours=2), Precision.MINUTE),
        ("2 часа назад", "ru", NOW - timedelta(hours=2), Precision.MINUTE),
        ("3小时前", "zh", NOW - timedelta(hours=3), Precision.MINUTE),
        ("2 days ago", "en", datetime(2026, 3, 8, tzinfo=UTC), Precision.DAY),
    ],
)
def test_relative_dates_count_back_from_the_fetch(text: str, language: str, at: datetime, precision: Precision) -> None:
    found = dates_of(f"{H1}<p class='date'>{text}</p>", language=language)
    assert (found.published[0].value, found.precision) == (at, precision)


def test_relative_dates_count_back_from_the_answers_own_clock_where_a_cache_kept_it() -> None:
    served = (("Date", "Tue, 10 Mar 2026 02:00:00 GMT"),)
    found = dates_of(f"{H1}<p class='date'>3 hours ago</p>", headers=served)
    assert found.published[0].value == datetime(2026, 3, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("value", [1772615700, 1772615700000, "1772615700", "1772615700000"])
def test_epoch_seconds_and_milliseconds(value: str | int) -> None:
    at = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
    found = dates_of(H1, TITLE + json_ld(datePublished=value))
    assert (found.published[0].value, found.precision) == (at, Precision.SECOND)
    assert dates_of(f"{H1}<abbr data-utime='{value}'>Wednesday</abbr>").published[0].value == at


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("٤ مارس ٢٠٢٦", "ar"),
        ("۴ مارس ۲۰۲۶", "fa"),
        ("४ मार्च २०२६", "hi"),
        ("৪ মার্চ ২০২৬", "bn"),
        ("2026年3月4日", "zh"),
        ("2026년 3월 4일", "ko"),
        ("4 марта 2026", "ru"),
        ("4 березня 2026", "uk"),
        ("4 Μαρτίου 2026", "el"),
        ("4 במרץ 2026", "he"),
        ("4 มีนาคม 2569", "th"),
        ("4 Mart 2026", "tr"),
    ],
)
def test_digits_and_months_of_other_scripts(text: str, language: str) -> None:
    assert day_of(f"{H1}<p class='date'>{text}</p>", language=language) == MARCH


@pytest.mark.parametrize("ahead", ["2026-03-12T00:00:00Z", "2026-09-01", "12 March 2026, 09:00", "1 September 2027"])
def test_a_date_more_than_a_day_ahead_is_none(ahead: str) -> None:
    head = TITLE + f"<meta property='article:published_time' content='{ahead}'>" + json_ld(datePublished=ahead)
    assert dates_of(f"{H1}<p class='date'>{ahead}</p>", head).published == ()


def test_a_date_less_than_a_day_ahead_is_of_a_clock_that_is_fast() -> None:
    assert day_of(H1, TITLE + json_ld(datePublished="2026-03-11T06:00:00Z")) == date(2026, 3, 11)


@pytest.mark.parametrize(
    "line",
    [
        "<p class='date'>© 4 March 2026 Tarn Post</p>",
        "<footer>Copyright 2026-03-04</footer>",
        "<time datetime='2026-03-04'>(c) Tarn Post</time>",
        "<aside><time itemprop='datePublished' datetime='2026-03-04'>Copyright</time></aside>",
    ],
)
def test_a_copyright_line_dates_nothing(line: str) -> None:
    assert dates_of(H1 + line).published == ()


def test_a_page_without_a_date_gets_none_from_the_clock() -> None:
    served = (("Date", "Tue, 10 Mar 2026 11:59:00 GMT"), ("Last-Modified", "Tue, 10 Mar 2026 11:00:00 GMT"))
    found = dates_of(f"{H1}<p>The ferry runs every day.</p>", headers=served)
    assert (found.published, found.modified, found.precision) == ((), (), None)


@pytest.mark.parametrize(
    ("written", "precision"),
    [
        ("2026-03-04", Precision.DAY),
        ("2026-03-04T09:15", Precision.MINUTE),
        ("2026-03-04T09:15:20Z", Precision.SECOND),
        ("4 March 2026", Precision.DAY),
        ("4 March 2026, 09:15", Precision.MINUTE),
    ],
)
def test_the_precision_is_that_of_the_writing(written: str, precision: Precision) -> None:
    assert dates_of(H1, f"{TITLE}<meta name='pubdate' content='{written}'>").precision is precision


def test_each_candidate_says_where_it_stands_and_what_it_read() -> None:
    at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    found = dates_of(
        f"{H1}<p class='date'>Published 4 March 2026</p>",
        TITLE + json_ld(datePublished="2026-03-04T09:00:00Z", dateModified="2026-03-05"),
        "https://www.tarnpost.example/2026/03/04/lake",
        hints=Hints(published_at=at),
    )
    told = {finding.source: finding.raw for finding in found.published}
    assert told["jsonld:datePublished"] == "2026-03-04T09:00:00Z"
    assert told["dom:date-line"] == "Published 4 March 2026"
    assert {"url", "feed:published"} <= set(told)
    assert [finding.confidence for finding in found.published] == sorted(
        (finding.confidence for finding in found.published), reverse=True
    )
    assert found.modified[0].source == "jsonld:dateModified"


def test_a_list_of_other_stories_has_a_date_for_each() -> None:
    items = "".join(f"<span class='when'>{day}. Februar 2026</span>" for day in (3, 7, 9))
    assert day_of(f"{H1}<div>{items}</div><div class='info'>4. März 2026</div>", language="de") == MARCH


def test_a_caption_is_less_than_a_line_of_its_own() -> None:
    caption = "<p class='info'>The old quay of the town in the great storm of the winter, 1 March 2026</p>"
    assert day_of(f"{H1}{caption}<p class='info'>4 March 2026</p>") == MARCH


def test_the_day_in_the_title_of_the_page_is_its_date() -> None:
    caption = "<p>Seen from the old quay, 1 March 2026</p>"
    assert day_of(H1 + caption, "<title>Ferry to run all winter | Tarn Post | 04.03.2026</title>") == MARCH


def test_the_day_beside_the_headline_goes_before_that_of_a_later_edition() -> None:
    reissued = TITLE + json_ld(datePublished="2026-03-01", dateModified="2026-03-01")
    assert day_of(f"<header>{H1}<p>November 2, 2023</p></header>", reissued) == date(2023, 11, 2)
    # not if the feed saw it, too, nor if it is a day or two, nor if there are two such days
    then = datetime(2023, 11, 1, tzinfo=UTC)
    assert day_of(f"<header>{H1}<p>2 November 2023</p></header>", reissued, hints=Hints(published_at=then)) == date(
        2026, 3, 1
    )
    assert day_of(f"<header>{H1}<p>27 February 2026</p></header>", reissued) == date(2026, 3, 1)
    two = f"<header>{H1}<p>2 November 2023</p><p>3 November 2023</p></header>"
    assert day_of(two, reissued) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("body", "head", "url"),
    [
        # markup calls it a date, in a place that is not the article's
        ("<aside><b itemprop='datePublished'>4 March 2026</b></aside>", "", URL),
        ("<div class='related'><time datetime='2026-03-04'></time></div>", "", URL),
        ("<div class='related'><time dateTime='2026-03-04'></time></div>", "", URL),  # as React writes it
        # the day by which a file or a template is named
        ("", "<meta property='og:image' content='https://img.tarnpost.example/2026/03/04/a.jpg'>", URL),
        # day first in the address
        ("", "", "https://www.tarnpost.example/local/04032026-ferry-to-run"),
        ("", "", "https://www.tarnpost.example/local/ferry-nid04032026/"),
    ],
)
def test_where_a_page_without_a_date_still_has_one(body: str, head: str, url: str) -> None:
    assert day_of(H1 + body, TITLE + head, url) == MARCH


def test_two_loose_days_tell_nothing() -> None:
    body = "<div class='related'><time datetime='2026-03-04'></time><time datetime='2026-03-05'></time></div>"
    assert dates_of(H1 + body).published == ()


STAMP = datetime(2026, 3, 5, 2, 30, tzinfo=UTC)


def finding(raw: str, source: str = "jsonld:datePublished", at: datetime = STAMP) -> Finding[datetime]:
    return Finding(value=at, source=source, raw=raw, confidence=0.5)


@pytest.mark.parametrize(
    "raw",
    ["March 4, 2026 at 6:30 PM PST", "4 March 2026, 21:30 EST", "4 March 2026 9:30 pm ET", "2026-03-04T21:30-05:00"],
)
def test_local_day_by_the_zone_that_a_line_names(raw: str) -> None:
    assert local_day([finding(raw)]) == date(2026, 3, 4)


def test_local_day_by_another_writing_of_the_instant_goes_before_days_of_other_stories() -> None:
    other = finding("5 March 2026", "dom:date-line", datetime(2026, 3, 5, tzinfo=UTC))
    with_offset = finding("2026-03-04T18:30:00-08:00", "dom:time")
    assert local_day([finding("2026-03-05T02:30:00Z"), other, with_offset]) == date(2026, 3, 4)
