"""Feeds whose tags are broken: no entry swallows those after it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from crawler.discovery import discover
from crawler.discovery.balance import DEEPEST, balanced
from storage.records import Candidate

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.gull-rock.example"
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>Gull</title>{}</channel></rss>'


def listed(text: str) -> dict[str, Candidate]:
    found = discover(text.encode(), url=f"{SITE}/feed.xml", now=NOW).candidates
    return {entry.url.removeprefix(SITE): entry for entry in found}


def item(number: int, description: str) -> str:
    link = f"<link>{SITE}/{number}</link>"
    return f"<item><title>Story {number}</title>{link}<description>{description}</description></item>"


@pytest.mark.parametrize(
    ("broken", "summary"),
    [
        ("One<br>two<p>three", "Onetwothree"),
        ("<img src='/a.jpg'><a href=/x async>go</a> on", "go on"),
        ("One</p></div> more", "One more"),
        ("<b>" * 400 + "deep" + "</b>" * 400, "deep"),
    ],
)
def test_every_entry_is_read_whatever_the_first_ones_leave_open(broken: str, summary: str) -> None:
    found = listed(RSS.format("".join(item(number, broken) for number in range(1, 301))))
    assert list(found) == [f"/{number}" for number in range(1, 301)]
    assert {entry.hints.summary for entry in found.values()} == {summary}
    assert found["/300"].hints.title == "Story 300"


def test_a_section_without_its_end_stays_in_its_entry() -> None:
    entries = item(1, "<![CDATA[Cut off") + item(2, "plain") + item(3, "<![CDATA[a ]] b]]>") + item(4, "<![CDATA[Cut")
    found = listed(RSS.format(entries))
    assert list(found) == ["/1", "/2", "/3", "/4"]
    assert [found[key].hints.summary for key in ("/1", "/2", "/3")] == ["Cut off", "plain", "a ]] b"]


def test_an_undeclared_prefix_counts_below_a_namespace_too() -> None:
    entry = f"<url><loc>{SITE}/1</loc><news:news><news:title>Tea</news:title></news:news></url>"
    urlset = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entry}</urlset>'
    assert listed(urlset)["/1"].hints.title == "Tea"


def test_elements_that_leave_the_namespace_count() -> None:
    entry = f'<item><title xmlns="">Tea</title><link xmlns="">{SITE}/1</link></item>'
    rss = f'<rss version="2.0" xmlns="http://purl.org/rss/1.0/"><channel>{entry}</channel></rss>'
    assert listed(rss)["/1"].hints.title == "Tea"


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("<a><b>x</a>", "<a><b>x</b></a>"),
        ("<a>x</b></A>y", "<a>x</a>y"),
        ("<a/><b x='<'>", "<a/><b x='<'>"),
        ("<a x=1 y x=2>z</a>", '<a x="1" y="">z</a>'),
        ('<a x="1"y=2 />', '<a x="1" y="2"/>'),
        ("<!-- <a> --><![CDATA[<b>]]>", "<!-- <a> --><![CDATA[<b>]]>"),
        ("<a>" * (DEEPEST + 1) + "</a>" * (DEEPEST + 1), "<a>" * DEEPEST + "</a>" * DEEPEST),
    ],
)
def test_tags_are_put_in_pairs(text: str, mended: str) -> None:
    assert balanced(text) == mended


@pytest.mark.parametrize("piece", ["<a b='", "<a ", "</a>", "<![CDATA[", "<a><b></a>", "<!--", "<a b=c d"])
def test_broken_tags_take_time_in_the_measure_of_their_size(piece: str) -> None:
    started = time.process_time()
    balanced(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 5
