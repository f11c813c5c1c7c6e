from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from crawler.discovery import Listing, discover
from crawler.urls import canonical_key
from storage.records import SourceKind, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.harbour-courier.example"
LIST = f"{SITE}/local/index.html"
HEADLINE = "Story number one about the estuary and its people"


def read(body: str, url: str = LIST, head: str = "", expected: SourceKind = SourceKind.AUTO) -> Listing:
    page = f"<!DOCTYPE html><html><head><title>Local news</title>{head}</head><body>{body}</body></html>"
    return discover(page.encode(), url=url, now=NOW, expected=expected)


def keys(body: str, url: str = LIST, head: str = "") -> list[str]:
    return [canonical_key(candidate.url) for candidate in read(body, url, head).candidates]


def link(href: str, text: str = HEADLINE) -> str:
    return f'<p><a href="{href}">{text}</a></p>'


def test_links_of_a_list_page() -> None:
    hrefs = [
        "/news/a?utm_source=x",
        "/news/a?fbclid=1",
        "/news/a#comments",
        "/news/b;jsessionid=0A1B",
        "/article.php?id=17&amp;PHPSESSID=9f",
        "../news/c/",
    ]
    hrefs += [
        "//www.harbour-courier.example/news/d?gclid=C",
        "HTTPS://WWW.HARBOUR-COURIER.EXAMPLE:443/news/d",
        " /news/\ne ",
        "mailto:a@b.example",
    ]
    hrefs += ["javascript:void(0)", "tel:+000", "https://chirper.example/share?u=x", "#top", "/", "http://[bad/"]
    listing = read("<header><a href='/'>Home</a></header><main>" + "".join(map(link, hrefs)) + "</main>")
    assert [canonical_key(c.url) for c in listing.candidates] == [
        f"{SITE}/news/a",
        f"{SITE}/news/b",
        f"{SITE}/article.php?id=17",
        f"{SITE}/news/c/",
        f"{SITE}/news/d",
        f"{SITE}/news/e",
    ]
    assert (listing.kind, listing.title) == (SourceKind.SECTION, "Local news")
    assert {c.via for c in listing.candidates} == {Via.SECTION}
    assert listing.candidates[0].hints.title == HEADLINE


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/2026/03/04/ferry", "Ferry"),
        ("/news/ferry-line-to-reopen-in-april", "More"),
        ("/news/ferry-line-reopens.html", "More"),
        ("/n/8812345", HEADLINE),
        ("/slack", f"<b>{HEADLINE}</b>"),
        ("https://news.harbour-courier.example/ferry-line-to-reopen", "More"),
        ("http://www.harbour-courier.example/ferry-line-to-reopen", "More"),
        ("/politik/a", "港口居民投票恢复轮渡航线的运营服务"),
    ],
)
def test_article(href: str, text: str) -> None:
    assert len(keys(f"<main><h2>{link(href, text)}</h2></main>")) == 1


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("/news/", "News"),
        ("/weather", "Today's weather in the harbour and along the coast"),
        ("/tag/ferry-line-to-reopen", HEADLINE),
        ("/local/author/jo-lee-of-the-harbour", HEADLINE),
        ("/privacy-policy", "Read how we handle your personal data"),
        ("/2026/03/", "All stories of March in our archive"),
        ("/calendar/2026/03/04", "All stories of the fourth of March"),
        ("/local/?page=2", "Go to the next page of stories"),
        ("/local/page/2/", "Go to the next page of stories"),
        ("/files/harbour-plan-of-the-council.pdf", HEADLINE),
        ("/news/a?replytocom=17", HEADLINE),
        ("/local/index.html?utm_source=x", HEADLINE),
        ("https://other.example/ferry-line-to-reopen-in-april", HEADLINE),
    ],
)
def test_no_article(href: str, text: str) -> None:
    assert keys(f"<main>{link(href, text)}</main>") == []


@pytest.mark.parametrize(
    ("around", "found"),
    [
        ("<nav>{}</nav>", False),
        ("<header>{}</header>", False),
        ("<footer><ul><li>{}</li></ul></footer>", False),
        ('<div class="site-footer">{}</div>', False),
        ('<div class="mainNav">{}</div>', False),
        ('<div role="navigation">{}</div>', False),
        ('<ol class="breadcrumb">{}</ol>', False),
        ("<main><article><header>{}</header></article></main>", True),
        ("<article><footer>{}</footer></article>", True),
        ('<section class="stories loading navy">{}</section>', True),
        ("<aside>{}</aside>", True),
        ("<div>{}</div>", True),
    ],
)
def test_place_of_a_link(around: str, found: bool) -> None:
    assert (keys(around.format(link("/news/a"))) == [f"{SITE}/news/a"]) is found


def test_links_to_one_page_are_joined() -> None:
    body = (
        '<a href="/x/a"><img src="i.png" alt="A boat"></a><h2><a '
        f'href="/x/a">{HEADLINE}</a></h2><a href="/x/a#c">3 comments</a>'
    )
    (candidate,) = read(body).candidates
    assert (candidate.url, candidate.hints.title) == (f"{SITE}/x/a", HEADLINE)


def test_base_element() -> None:
    assert keys(link("a-b-c-d"), head='<base href="/blog/">') == [f"{SITE}/blog/a-b-c-d"]


def test_announced_feeds() -> None:
    head = (
        '<link rel="alternate" type="application/rss+xml" href="/feed/"><link rel="ALTERNATE feed" '
        'type="application/atom+xml; charset=utf-8" href="https://cdn.example/hc">'
        '<link rel="alternate" type="application/rss+xml" href="/comments/feed/"><link '
        'rel="alternate" type="application/json" href="/wp-json/posts/1">'
        '<link rel="alternate" type="application/json" href="/feed.json"><link rel="alternate" '
        'hreflang="de" href="/de/"><link rel="sitemap" href="/sitemap.xml">'
    )
    listing = read(
        '<footer><a href="/feed/">RSS</a><a href="/sport/rss.xml">RSS sport</a><a '
        'href="https://other.example/rss.xml">x</a></footer>',
        head=head,
    )
    assert listing.feeds == (
        f"{SITE}/feed/",
        "https://cdn.example/hc",
        f"{SITE}/feed.json",
        f"{SITE}/sitemap.xml",
        f"{SITE}/sport/rss.xml",
    )


def test_page_that_says_when_it_was_published_is_an_article_itself() -> None:
    head = '<meta property="article:published_time" content="2026-03-04T09:15:00Z">'
    listing = read(link("/news/other"), url=f"{SITE}/news/a", head=head)
    assert (listing.kind, [c.url for c in listing.candidates]) == (SourceKind.PAGE, [f"{SITE}/news/a"])
    assert read(link("/news/other"), head=head, expected=SourceKind.SECTION).kind is SourceKind.SECTION


def test_demo_site_on_loopback() -> None:
    listing = read(link("/news/ferry") + link("http://127.0.0.1:8002/news/ferry"), url="http://127.0.0.1:8001/")
    assert [c.url for c in listing.candidates] == ["http://127.0.0.1:8001/news/ferry"]


def test_deep_nesting() -> None:
    start = time.process_time()
    assert keys("<div>" * 100_000 + link("/news/a") + "<a href=/b>" * 2_000) == [f"{SITE}/news/a"]
    assert time.process_time() - start < 10
