"""Where pages show their bylines: by markup, by a label, beside the day; and what stands there and is none."""

from datetime import UTC, datetime

import pytest

from tasks.extract import article_node
from tasks.extract.document import parse
from tasks.extract.material import Material
from tasks.extract.people import Bylines, bylines
from tasks.extract.titles import site_names

URL = "https://www.tarnpost.example/local/lake"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PROSE = "<p>" + "The ferry will run all winter, the board said. " * 12 + "</p>"


def found_in(body: str, head: str = "", url: str = URL) -> Bylines:
    document = parse(f"<html><head>{head}</head><body>{body}</body></html>", url)
    node = article_node(document)
    material = Material(url=url, status=200, headers=(), body=b"", fetched_at=NOW)
    return bylines(document, node, material, (), site_names(document, node))


def person(name: str, kind: str = "Person") -> str:
    return (
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ferry", '
        f'"author": {{"@type": "{kind}", "name": "{name}"}}}}</script>'
    )


@pytest.mark.parametrize(
    "body",
    [
        "<article><h1>Ferry</h1><p>4 March 2026 • Anna Kowal in Business</p></article>",
        "<article><h1>Ferry</h1><p><time>4 March 2026</time> <span>Anna Kowal</span></p></article>",
        "<article><h1>Ferry</h1><p>Posted on 4 March 2026 by Anna Kowal</p></article>",
        "<article><h1>Ferry</h1><p class='wrote_by'>By Anna Kowal</p></article>",
        "<article><h1>Ferry</h1><p class='date-author'>Anna Kowal, 04.03.2026</p></article>",
        "<article><h1>Ferry</h1><address><a rel='author' href='/x'>Anna Kowal</a></address></article>",
        "<article><h1>Ferry</h1><span itemprop='author'><b itemprop='name'>Anna Kowal</b></span></article>",
        "<article><h1>Ferry</h1><div><b>Local</b><br>Text: Anna Kowal</div></article>",
        "<article><h1>Ferry</h1><p>Written by:</p><p>Anna Kowal</p></article>",
        f"<article><h1>Ferry</h1>{PROSE}<p>Von Anna Kowal</p></article>",
        "<article><h1>Ferry</h1><a href='/producers/anna-kowal'>Anna Kowal</a></article>",
    ],
)
def test_a_byline_is_found_where_the_page_shows_it(body: str) -> None:
    assert found_in(body).authors[0].value == ("Anna Kowal",)


@pytest.mark.parametrize(
    "body",
    [
        # a link to a section, a line of prose, a heading, a day without a name
        "<article><h1>Ferry</h1><p><time>4 March 2026</time> <a href='/x'>Lake Stories</a></p></article>",
        f"<article><h1>Ferry</h1>{PROSE}<p>von Bäumen durch Dritte,</p></article>",
        "<article><h1>Ferry</h1><p>4 March 2026</p><h4>Harbour Lights</h4></article>",
        "<article><h1>Ferry</h1><p>Saturday December 4, 2026</p></article>",
        "<article><h1>Ferry</h1><p class='byline'>Last updated 4 March 2026</p></article>",
        "<article><h1>Ferry</h1><p>Written by:</p></article>",
    ],
)
def test_what_stands_in_a_bylines_place_is_not_taken_for_a_name(body: str) -> None:
    assert found_in(body).authors == ()


def test_marked_names_go_before_what_a_template_declares() -> None:
    found = found_in(
        "<article><h1>Ferry</h1><a rel='author' href='/x'>Anna Kowal</a></article>",
        "<meta name='author' content='Tom Webber'>",
    )
    assert [finding.value for finding in found.authors] == [("Anna Kowal",), ("Tom Webber",)]


def test_an_account_is_the_writer_where_no_person_is_named() -> None:
    body = "<article><h1>Ferry</h1><p class='author'><a href='/author/lakefox77'>lakefox77</a></p></article>"
    found = found_in(body)
    assert [(finding.value, finding.confidence) for finding in found.authors] == [(("lakefox77",), 0.4)]
    assert found_in(body, person("Anna Kowal")).authors[0].value == ("Anna Kowal",)


@pytest.mark.parametrize("account", ["admin", "redaktion", "tarnpost", "@lakefox77", "ak", "tarnpost.example"])
def test_a_houses_account_is_nobody(account: str) -> None:
    assert found_in(f"<article><h1>Ferry</h1><p class='author'>{account}</p></article>").authors == ()


def test_a_newspapers_name_is_no_person_even_if_the_page_says_so() -> None:
    found = found_in("<h1>Ferry</h1>", person("El Tarnero"), "https://www.eltarnero.example/ferry")
    assert found.authors == ()
    assert found.credit[0].value == "El Tarnero"


def test_an_agency_stays_a_credit_beside_the_person() -> None:
    found = found_in("<article><h1>Ferry</h1><p class='byline'>By Anna Kowal, Reuters</p></article>")
    assert found.authors[0].value == ("Anna Kowal",)
    assert {credit.value for credit in found.credit} == {"Reuters"}


def test_a_long_article_element_beside_another_heading_is_no_teaser() -> None:
    link = '<a href="/x">A link that is as long as a headline would be</a>'
    long = f"<article><p class='byline'>By Anna Kowal</p><p>{link}</p>{PROSE * 8}</article>"
    assert found_in(f"<div><h1>Ferry</h1></div><div>{long}</div>").authors[0].value == ("Anna Kowal",)
    short = f"<article><p class='byline'>By Anna Kowal</p><p>{link}</p></article>"
    assert found_in(f"<div><div><div><h1>Ferry</h1>{PROSE}</div></div></div><div>{short}</div>").authors == ()


def test_beside_a_person_only_a_house_is_credited() -> None:
    page = "<article><h1>Ferry</h1><p class='byline'>By Anna Kowal, Lake Wire</p><p>By somebody</p></article>"
    assert {one.value for one in found_in(page, person("Anna Kowal")).credit} == {"Lake Wire"}


def test_a_declared_house_is_trusted_if_readers_see_it() -> None:
    page = "<article><h1>Ferry</h1><p>{}</p></article>"
    seen = found_in(page.format("Tarn Newsroom"), person("Tarn Newsroom", "Organization")).credit[0]
    unseen = found_in(page.format("4 March 2026"), person("Tarn Newsroom", "Organization")).credit[0]
    assert (seen.value, seen.confidence, unseen.confidence) == ("Tarn Newsroom", 0.9, 0.5)


@pytest.mark.parametrize("label", ["Registrieren", "Lesedauer", "Mi"])
def test_a_button_is_no_writer(label: str) -> None:
    page = f"<article><h1>Ferry</h1><p>4 March 2026 <a href='/profile/x'>{label}</a></p></article>"
    assert found_in(page).authors == ()


def test_a_line_beside_the_day_that_begins_with_a_preposition_is_no_name() -> None:
    assert found_in("<article><h1>Ferry</h1><p>4 March 2026 | Aus Seehaus-Sonderheft</p></article>").authors == ()
