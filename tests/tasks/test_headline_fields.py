"""Where the headline stands decides: which heading is the title, which date and which byline are the article's."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from storage.records import Clean, Extracted, Finding
from tasks.extract import article_node, extract
from tasks.extract.dates import Dates, find_dates
from tasks.extract.document import Document, parse
from tasks.extract.headline import page_headline
from tasks.extract.localday import local_day
from tasks.extract.material import Material
from tasks.extract.names import read_byline
from tasks.extract.people import Bylines, bylines
from tasks.extract.titles import find_titles, site_names
from tasks.normalize import Facts, normalize

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.tarnpost.example/local/lake"


def page(body: str, head: str = "", url: str = URL) -> Document:
    return parse(f"<html><head>{head}</head><body>{body}</body></html>", url)


def material(url: str = URL) -> Material:
    return Material(url=url, status=200, headers=(), body=b"", fetched_at=NOW)


def title_of(body: str, head: str = "", url: str = URL) -> str:
    document = page(body, head, url)
    return find_titles(document, article_node(document), None, ())[0].value


def dates_of(body: str, head: str = "", url: str = URL, language: str = "en") -> Dates:
    document = page(body, head, url)
    return find_dates(document, article_node(document), material(url), language, ())


def day_of(body: str, head: str = "", url: str = URL, language: str = "en") -> date | None:
    return local_day(dates_of(body, head, url, language).published)


def people_of(body: str, head: str = "", url: str = URL) -> Bylines:
    document = page(body, head, url)
    node = article_node(document)
    return bylines(document, node, material(url), (), site_names(document, node))


TITLE = "<title>Ferry to run all winter | Tarn Post</title>"


@pytest.mark.parametrize(
    ("body", "head"),
    [
        # what stands on the page goes before what was written for search engines
        (
            "<h1>Ferry to run all winter</h1>",
            "<title>Winter ferry: times</title><meta property='og:title' content='Winter ferry: times'>",
        ),
        # a heading that links the home page is a logo
        ("<h1><a href='/'>Tarn Post</a></h1><h2>Ferry to run all winter</h2>", TITLE),
        ("<h1 class='site-title'>Tarn Post</h1><h2>Ferry to run all winter</h2>", TITLE),
        # a slogan is like nothing else
        ("<h1>News you can hold</h1>", TITLE + "<meta property='og:title' content='Ferry to run all winter'>"),
        # a kicker inside the heading, with a class or without one
        ("<h1><span class='kicker'>Transport</span> Ferry to run all winter</h1>", TITLE),
        (
            "<h1><i>Transport news</i> Ferry to run all winter</h1>",
            TITLE + "<meta property='og:title' content='Ferry to run all winter'>",
        ),
        # no heading element at all
        (
            "<div class='article-title'>Ferry to run all winter</div>",
            "<title>Ferry to run all winter - Lakeside voices</title>",
        ),
        # a permalink mark, a name that only the host tells, a Hangul letter as a bar
        ("<h1>Ferry to run all winter¶</h1>", ""),
        ("", "<title>Ferry to run all winter – The Tarn Post Online</title>"),
        ("", "<title>Ferry to run all winterㅣTarn Post</title>"),
    ],
)
def test_the_headline_is_what_readers_see(body: str, head: str) -> None:
    assert title_of(body, head) == "Ferry to run all winter"


def test_a_closing_quotation_mark_is_no_separator() -> None:
    assert title_of("", "<title>«We waited for days»</title>") == "«We waited for days»"


def test_a_page_with_nothing_but_the_site_name_keeps_it() -> None:
    assert title_of("<p>Text</p>", "<title>Tarn Post</title>") == "Tarn Post"


def test_a_heading_without_any_title_is_found_inside_the_article() -> None:
    found = page_headline(page("<h1>Sections</h1><article><h1>Ferry</h1></article>"), None)
    assert found.element is not None
    assert found.element.text == "Ferry"


@pytest.mark.parametrize(
    "body",
    [
        # frames whose names fit a sidebar hold the headline too
        "<div class='widget blog'><h1>Ferry to run all winter</h1><span class='date'>4 March 2026</span></div>",
        # a plain line right under the headline
        "<div><h1>Ferry to run all winter</h1><p>4 March 2026</p></div>",
        "<div><h1>Ferry to run all winter</h1><footer>Posted 4 March 2026</footer></div>",
        # other stories' dates around it, and one in its own words
        "<ul><li>1 March 2026 <a href='/x'>Bridge closed after the long storm</a></li></ul>"
        "<h1>Ferry to run all winter</h1><p class='date'>4 March 2026</p>",
        "<h1>Ferry to run all winter, board says on 2 March 2026</h1><p class='date'>4 March 2026</p>",
        "<h1>Ferry to run all winter</h1><figure><figcaption class='meta'>The quay, 1 March 2026</figcaption></figure>"
        "<p class='date'>4 March 2026</p>",
        "<h1>Ferry</h1><table><tr><td>04 | 03 | 2026</td></tr></table><p>Updated 6 March 2026</p>",
    ],
)
def test_the_date_near_the_headline_is_the_articles(body: str) -> None:
    assert day_of(body, TITLE, language="de") == date(2026, 3, 4)


def test_a_line_that_says_updated_is_no_publication() -> None:
    found = dates_of("<h1>Ferry to run all winter</h1><p>Updated 6 March 2026</p>", TITLE)
    assert found.published == ()
    assert found.modified[0].value.day == 6


def test_the_address_tells_how_numbers_are_read() -> None:
    body = "<h1>Ferry</h1><p class='date'>03/10/2025</p>"
    assert day_of(body, url="https://www.tarnpost.example/2025/october/03/ferry") == date(2025, 10, 3)
    assert day_of(body, url="https://www.tarnpost.example/2025/03/10/ferry") == date(2025, 3, 10)


def test_places_that_agree_outvote_a_lone_one() -> None:
    body = "<h1>Ferry</h1><time datetime='2026-03-06'></time><p class='date'>4 March 2026</p>"
    assert day_of(body, "<meta name='date' content='2026-03-04'>", "https://tarnpost.example/2026/03/04/a") == date(
        2026, 3, 4
    )


def test_a_page_node_dates_a_page_without_an_article() -> None:
    head = '<script type=\'application/ld+json\'>{"@type": "WebPage", "datePublished": "2026-03-04"}</script>'
    assert day_of("<h1>Ferry</h1>", head) == date(2026, 3, 4)


def test_script_state_is_the_last_resort() -> None:
    script = '<script>window.state = {"post": {"published_at": "2026-03-04T06:22:28+01:00"}}</script>'
    assert dates_of("<h1>Ferry</h1>" + script).published[0].source == "script:published"


def finding(at: datetime, source: str, raw: str) -> Finding[datetime]:
    return Finding(value=at, source=source, raw=raw, confidence=0.5)


STAMP = datetime(2026, 3, 5, 2, 30, tzinfo=UTC)
IN_UTC = finding(STAMP, "jsonld:datePublished", "2026-03-05T02:30:00Z")


def test_local_day_by_the_stamps_own_offset() -> None:
    assert local_day([finding(STAMP, "jsonld:datePublished", "2026-03-04T21:30:00-05:00")]) == date(2026, 3, 4)


def test_local_day_as_the_page_prints_it() -> None:
    printed = finding(datetime(2026, 3, 4, tzinfo=UTC), "dom:date-line", "4 March 2026")
    assert local_day([IN_UTC, printed]) == date(2026, 3, 4)


def test_local_day_ignores_a_printed_day_that_is_nowhere_at_the_instant() -> None:
    printed = finding(datetime(2026, 3, 2, tzinfo=UTC), "dom:date-line", "2 March 2026")
    assert local_day([IN_UTC, printed]) == date(2026, 3, 5)


def test_local_day_of_nothing_is_none() -> None:
    assert local_day([]) is None


@pytest.mark.parametrize(
    ("text", "people", "others"),
    [
        ("Anna Kowal, MD, PhD", ("Anna Kowal",), ()),
        ("Dr. Anna Kowal", ("Anna Kowal",), ()),
        ("Anna Kowal March 4, 2026", ("Anna Kowal",), ()),
        ("Anna Kowal @akowal", ("Anna Kowal",), ()),
        ("Photography by Jon Reed", (), ()),
        ("All posts by Anna Kowal", ("Anna Kowal",), ()),
        ("By", (), ()),
        ("Facebook Twitter", (), ()),
        ("AFP", (), ("AFP",)),
        ("Tarn Editorial Team", (), ("Tarn Editorial Team",)),
        ("akowal77", (), ("akowal77",)),
        ("Anna Kowal and Reuters", ("Anna Kowal",), ("Reuters",)),
    ],
)
def test_persons_and_credits_are_told_apart(text: str, people: tuple[str, ...], others: tuple[str, ...]) -> None:
    found = read_byline(text)
    assert (found.people, found.others) == (people, others)


def test_a_firm_and_its_town_are_no_persons() -> None:
    found = people_of("<h1>Ferry</h1>", "<meta name='author' content='Seeverlag GmbH, Altdorf, Germany'>")
    assert found.authors == ()
    assert found.credit[0].value == "Seeverlag GmbH"


def test_an_organisation_is_a_credit() -> None:
    head = (
        '<script type=\'application/ld+json\'>{"@type": "NewsArticle", "headline": "Ferry", "author": '
        '[{"@type": "Organization", "name": "Lake Wire"}, {"@type": "Person", "name": "Anna Kowal"}]}</script>'
    )
    found = people_of("<h1>Ferry</h1>", head)
    assert found.authors[0].value == ("Anna Kowal",)
    assert [credit.value for credit in found.credit] == ["Lake Wire"]


def test_a_writers_own_site_is_no_house() -> None:
    head = "<meta name='author' content='Anna Kowal'><meta property='og:site_name' content='Anna Kowal'>"
    found = people_of("<h1>Ferry</h1>", head, "https://annakowal.example/ferry")
    assert found.authors[0].value == ("Anna Kowal",)


@pytest.mark.parametrize(
    "body",
    [
        "<div><h1>Ferry</h1><p>By <a href='/reporters/anna-kowal'>Anna Kowal</a></p></div>",
        "<div><h1>Ferry</h1><div><div>By</div><div>Anna Kowal</div></div></div>",
        "<div><h1>Ferry</h1><p><b>By</b> Anna Kowal</p></div>",
        "<div><h1>Ferry</h1><a href='/authors/anna-kowal'>Anna Kowal</a></div>",
        "<div><h1>Ferry</h1><p class='byline'><a href='/a'>Anna Kowal</a> Tarn Courier</p></div>",
        "<div><p class='byline'>Jon Reed</p></div><div><h1>Ferry</h1><p class='byline'>Anna Kowal</p></div>",
    ],
)
def test_the_byline_near_the_headline_is_the_articles(body: str) -> None:
    assert people_of(body).authors[0].value == ("Anna Kowal",)


def test_a_card_names_the_writer_in_the_sites_language() -> None:
    head = (
        "<meta property='og:type' content='article'><meta name='twitter:label1' content='Skrivet av'>"
        "<meta name='twitter:data1' content='Anna Kowal'>"
    )
    assert people_of("<h1>Ferry</h1>", head).authors[0].value == ("Anna Kowal",)


def test_a_title_of_thousands_of_parts_takes_no_time() -> None:
    head = "<title>" + "Lake - Tarn | " * 20_000 + "</title>"
    body = "<h1>" + "<span class='kicker'>x </span>" * 20_000 + "</h1>"
    started = time.process_time()
    title_of(body, head)
    assert time.process_time() - started < 5


def test_the_credit_is_kept_in_the_provenance() -> None:
    body = "".join(f"<p>The ferry will run all winter, the board said on day {day}.</p>" for day in range(9))
    markup = f"<html><body><article><h1>Ferry</h1><p class='byline'>Reuters</p>{body}</article></body></html>"
    extracted = extract(replace(material(), headers=(("Content-Type", "text/html"),), body=markup.encode()))
    assert isinstance(extracted, Extracted)
    clean = normalize(extracted, Facts(url=URL, fetched_at=NOW))
    assert isinstance(clean, Clean)
    assert clean.authors == ()
    assert clean.provenance["credit"].raw == "Reuters"
