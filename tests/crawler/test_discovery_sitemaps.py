from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from crawler.discovery import MAX_CANDIDATES, Listing, discover
from crawler.discovery.listing import Child
from storage.errors import DiscoveryError
from storage.records import Hints, SourceKind, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.harbour-courier.example"
MAP = f"{SITE}/sitemap.xml?from=1&to=9"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def read(body: str | bytes, url: str = MAP, expected: SourceKind = SourceKind.AUTO) -> Listing:
    return discover(body.encode() if isinstance(body, str) else body, url=url, now=NOW, expected=expected)


def test_sitemap_with_the_faults_of_the_wild() -> None:
    listing = read(
        "\ufeff\n<?xml version='1.0'?><urlset><urlset>"
        f"<url><loc>\n  {SITE}/s/1?a=1&amp;b=2\n</loc><lastmod>2026-03-04 07:41:20 AM</lastmod></url>"
        f"<url><loc><![CDATA[{SITE}/s/2]]></loc><lastmod>2026-03-03</lastmod></url>"
        f"<url><loc>{SITE}/s/3</loc><lastmod>2031-01-01T00:00:00Z</lastmod></url>"
        f"<url><loc>{SITE}/s/4?a=1&b=2</loc><lastmod>0000-00-00</lastmod></url>"
        "<url><loc>/s/5</loc><image:image><image:loc>/i.png</image:loc></image:image></url>"
        "<url><loc></loc></url><url/></urlset></urlset>"
    )
    assert listing.kind is SourceKind.SITEMAP
    assert listing.unusable == 2
    assert [(c.url, c.hints.modified_at) for c in listing.candidates] == [
        (f"{SITE}/s/1?a=1&b=2", datetime(2026, 3, 4, 7, 41, 20, tzinfo=UTC)),
        (f"{SITE}/s/2", datetime(2026, 3, 3, tzinfo=UTC)),
        (f"{SITE}/s/3", None),
        (f"{SITE}/s/4?a=1&b=2", None),
        (f"{SITE}/s/5", None),
    ]
    assert {c.via for c in listing.candidates} == {Via.SITEMAP}


def test_index_names_each_child_once_and_never_itself() -> None:
    entries = [f"{MAP.replace('&', '&amp;')}", "/news.xml", "/a.xml.gz", "/news.xml", "", "ftp://x/"]
    body = "".join(f"<sitemap><loc>{loc}</loc><lastmod>2026-03-04</lastmod></sitemap>" for loc in entries)
    listing = read(gzip.compress(f"<sitemapindex {SPACE}>{body}</sitemapindex>".encode()))
    day = datetime(2026, 3, 4, tzinfo=UTC)
    assert listing.children == (Child(url=f"{SITE}/news.xml", lastmod=day), Child(url=f"{SITE}/a.xml.gz", lastmod=day))
    assert (listing.kind, listing.candidates, listing.unusable) == (SourceKind.SITEMAP, (), 2)


@pytest.mark.parametrize(
    "space", ["http://www.google.com/schemas/sitemap-news/0.9", "https://www.google.com/schemas/sitemap-news/0.9/"]
)
def test_news_sitemap(space: str) -> None:
    listing = read(
        f'<urlset {SPACE} xmlns:n="{space}"><url><loc>{SITE}/n/1</loc><lastmod>2026-03-05</lastmod>'
        "<n:news><n:publication><n:name>Harbour Courier</n:name>"
        "<n:language>en</n:language></n:publication><n:publication_date>2026-03-04T10:15+01:00</n:publication_date>"
        "<n:title>Salt &amp;amp; Pepper</n:title><n:keywords>sea, ferry, sea</n:keywords></n:news></url></urlset>"
    )
    (candidate,) = listing.candidates
    assert candidate.via is Via.NEWS_SITEMAP
    assert candidate.hints == Hints(
        title="Salt & Pepper",
        published_at=datetime(2026, 3, 4, 9, 15, tzinfo=UTC),
        modified_at=datetime(2026, 3, 5, tzinfo=UTC),
        language="en",
        publisher="Harbour Courier",
        keywords=("sea", "ferry"),
    )


def test_prefixed_sitemap() -> None:
    listing = read(
        '<sm:urlset xmlns:sm="http://www.sitemaps.org/schemas/sitemap/0.9"><sm:url>'
        f"<sm:loc>{SITE}/n/1</sm:loc></sm:url></sm:urlset>"
    )
    assert [c.url for c in listing.candidates] == [f"{SITE}/n/1"]


def test_text_sitemap() -> None:
    listing = read(f"\ufeff{SITE}/n/1\r\n\r\n{SITE}/n/2\nbroken\n{SITE}/n/3", expected=SourceKind.SITEMAP)
    assert [c.url for c in listing.candidates] == [f"{SITE}/n/{n}" for n in (1, 2, 3)]
    assert (listing.kind, listing.unusable) == (SourceKind.SITEMAP, 1)


def test_sitemap_that_breaks_off() -> None:
    listing = read(f"<urlset {SPACE}><url><loc>{SITE}/n/1</loc></url><url><loc>{SITE}/n")
    assert ([c.url for c in listing.candidates], listing.truncated) == ([f"{SITE}/n/1"], True)


def test_more_than_the_limit_is_counted() -> None:
    listing = read("\n".join(f"{SITE}/n/{n}" for n in range(MAX_CANDIDATES + 3)))
    assert (len(listing.candidates), listing.surplus) == (MAX_CANDIDATES, 3)


@pytest.mark.parametrize("body", ["<!DOCTYPE html><html><body>Not found</body></html>", "", "Not found"])
def test_what_is_no_sitemap(body: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        read(body, expected=SourceKind.SITEMAP)
    assert caught.value.code == "not_a_sitemap"


def test_a_sitemap_serves_where_a_feed_was_expected() -> None:
    assert (
        read(f"<urlset><url><loc>{SITE}/n/1</loc></url></urlset>", expected=SourceKind.FEED).kind is SourceKind.SITEMAP
    )
