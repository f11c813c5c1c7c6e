"""Titles: the headline alone, whatever a page puts around it and wherever it says it."""

import pytest

from tasks.extract import article_node
from tasks.extract.document import parse
from tasks.extract.titles import find_titles

URL = "https://www.tarnpost.example/local/lake"
HEADLINE = "Ferry to run all winter"
SEPARATORS = (" | ", " - ", " – ", " — ", " · ", " • ", " » ", " :: ", " / ", "｜", " < ")


def title_of(body: str, head: str = "", url: str = URL) -> str:
    document = parse(f"<html><head>{head}</head><body>{body}</body></html>", url)
    return find_titles(document, article_node(document), None, ())[0].value


@pytest.mark.parametrize("separator", SEPARATORS)
def test_the_site_is_cut_off_behind_any_separator(separator: str) -> None:
    head = f"<meta property='og:site_name' content='Tarn Post'><title>{HEADLINE}{separator}Tarn Post</title>"
    assert title_of("", head.replace(" < ", " &lt; ")) == HEADLINE


@pytest.mark.parametrize("separator", [" | ", " - ", " – ", " » ", " :: ", " · "])
def test_the_site_is_cut_off_before_any_separator(separator: str) -> None:
    assert title_of("", f"<title>Tarn Post{separator}{HEADLINE}</title>") == HEADLINE


@pytest.mark.parametrize(
    ("body", "head"),
    [
        # a section before the site, and between the site and the headline
        ("", f"<title>{HEADLINE} - Local | Tarn Post</title>"),
        ("", f"<title>Tarn Post » Blog Archive » {HEADLINE}</title>"),
        # the kind of text
        (f"<h1>{HEADLINE} | Opinion</h1>", ""),
        # a site that nothing names, where the title is all there is
        ("", f"<title>{HEADLINE} – My little website</title>"),
        # entities encoded once, twice and three times
        ("", "<meta property='og:title' content='Ferry to run all&amp;nbsp;winter'>"),
        ("", "<meta property='og:title' content='Ferry to run&amp;amp;#32;all winter'>"),
        # more headings in the menu than a headline is looked for among
        ("".join(f"<h3>Menu {n}</h3>" for n in range(80)) + f"<h1>{HEADLINE}</h1>", "<title>Winter timetable</title>"),
        # a heading for screen readers only
        (
            f"<h2 class='screen-reader-text'>{HEADLINE}: the facts</h2><article><h1>{HEADLINE}</h1></article>",
            f"<title>{HEADLINE}: the facts</title>",
        ),
        # readings above characters are no part of them
        ("<h1>Ferry to <ruby>run<rp>(</rp><rt>runs</rt><rp>)</rp></ruby> all winter</h1>", ""),
        # a label that ends in a colon, in one element with the headline
        (f"<h1>Local: {HEADLINE}</h1>", f"<meta property='og:title' content='{HEADLINE}'>"),
        # a word of the title that heads a section
        (
            "<h1>notes.md</h1><h1>Ferry</h1>",
            f"<title>{HEADLINE}</title><meta property='og:title' content='{HEADLINE}'>",
        ),
        # a heading of the comments that cites it
        (f"<h2>3 comments on “{HEADLINE}”</h2>", f"<meta property='og:title' content='{HEADLINE}'>"),
        # the article's own heading, although every tag for search engines says something else
        (
            f"<article><h1>{HEADLINE}</h1></article><h1>More from Tarn</h1>",
            "<title>Boat timetable December</title><meta property='og:title' content='Boat timetable December'>",
        ),
    ],
)
def test_the_headline_alone(body: str, head: str) -> None:
    assert title_of(body, head) == HEADLINE


def test_a_title_that_an_unescaped_quotation_mark_cut_off_yields_to_the_whole_one() -> None:
    cut = "content='Board calls the ferry'"
    head = f"<meta property='og:title' {cut}><meta name='twitter:title' {cut}>"
    assert title_of('<h2>Board calls the ferry "hopeless"</h2>', head) == 'Board calls the ferry "hopeless"'


def test_a_headline_with_a_hyphen_or_a_colon_stays_whole() -> None:
    title = "North-South: a ferry, a board - and no winter timetable"
    assert title_of(f"<h1>{title}</h1>", f"<title>{title} | Tarn Post</title>") == title


def test_the_same_headline_is_found_once_for_each_place() -> None:
    document = parse(
        f"<html><head><title>{HEADLINE}</title></head><body><h1>{HEADLINE}</h1><h1>{HEADLINE}</h1></body></html>", URL
    )
    found = find_titles(document, None, None, ())
    assert [(one.value, one.source) for one in found] == [(HEADLINE, "dom:h1"), (HEADLINE, "dom:title")]


def test_a_title_outside_the_head_counts_and_one_of_a_drawing_does_not() -> None:
    assert title_of(f"<svg><title>Logo</title></svg><div><title>{HEADLINE}</title></div>") == HEADLINE


def _handed_out(og: str, headline: str) -> str:
    data = f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"{headline}"}}</script>'
    return title_of(f"<h1>{HEADLINE}</h1>", f"<meta property='og:title' content='{og}'>{data}")


def test_a_kicker_stays_where_the_page_hands_the_headline_out_with_it() -> None:
    assert _handed_out(f"Lake Tarn: {HEADLINE}", f"Lake Tarn: {HEADLINE}") == f"Lake Tarn: {HEADLINE}"


@pytest.mark.parametrize("headline", [HEADLINE, f"Winter: {HEADLINE}"])
def test_a_kicker_that_places_disagree_on_is_left_out(headline: str) -> None:
    assert _handed_out(f"Lake Tarn: {HEADLINE}", headline) == HEADLINE


def test_a_headline_that_begins_like_the_host_is_no_site_name() -> None:
    head = "<title>Budget ferries for all | Plans and Prices</title>"
    assert (
        title_of("<h1>Budget ferries for all</h1>", head, "https://budgetferry.example/a") == "Budget ferries for all"
    )


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("石切通りの市民プール、冬も営業継続へ｜地域｜岬新報", "石切通りの市民プール、冬も営業継続へ"),
        ("石切通りの市民プール、冬も営業継続へ | 岬新報", "石切通りの市民プール、冬も営業継続へ"),
        ("港の倉庫 | 岬新報", "港の倉庫 | 岬新報"),
    ],
)
def test_the_only_title_in_a_script_without_spaces(title: str, headline: str) -> None:
    assert title_of("", f"<title>{title}</title>") == headline
