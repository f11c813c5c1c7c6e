from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crawler.discovery import Listing
from storage.records import Hints, SourceKind, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.harbour-courier.example"
FEED = f"{SITE}/feed.xml"

Read = Callable[..., Listing]
Make = Callable[..., str]
Urls = Callable[[Listing], list[str]]
HintsOf = Callable[..., Hints]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_rss_2(read: Read, rss: Make) -> None:
    namespaces = (
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"'
    )
    head = (
        '<language>en-GB</language><ttl>30</ttl><atom:link rel="self" href="/feed"/>'
        '<atom:link rel="hub" href="https://hub.example/"/>'
    )
    item = (
        f"<item><media:title>Not this</media:title><title>Tide</title><link>{SITE}/n/1</link>"
        "<guid>g1</guid><dc:creator>Jo Lee</dc:creator>"
        "<author>desk@a.example (Ann Hale)</author><author>desk@a.example</author>"
        "<category>Sea</category><category>Sea</category>"
        "<pubDate>Wed, 04 Mar 2026 09:15:00 EST</pubDate>"
        "<atom:updated>2026-03-05T01:02:03Z</atom:updated><description>Short &lt;b&gt;note&lt;/b&gt;</description>"
        '<content:encoded><![CDATA[<p>All <a href="/x?a=1&amp;b=2">of</a> <img src=i.png '
        'srcset="a.png 1x, b.png 2x"></p>]]></content:encoded></item>'
    )
    listing = read(rss(item, head, namespaces))
    assert (listing.kind, listing.title, listing.ttl_s) == (SourceKind.FEED, "Harbour Courier", 1800)
    assert (listing.hub, listing.self_url) == ("https://hub.example/", f"{SITE}/feed")
    assert listing.candidates[0].via is Via.FEED
    assert listing.candidates[0].hints == Hints(
        title="Tide",
        published_at=at(2026, 3, 4, 14, 15),
        modified_at=at(2026, 3, 5, 1, 2, 3),
        guid="g1",
        authors=("Jo Lee", "Ann Hale"),
        summary="Short note",
        content_html=f'<p>All <a href="{SITE}/x?a=1&amp;b=2">of</a> <img src="{SITE}/n/i.png" '
        f'srcset="{SITE}/n/a.png 1x, {SITE}/n/b.png 2x"></p>',
        language="en-GB",
        keywords=("Sea",),
    )


def test_rss_1(read: Read, urls: Urls) -> None:
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f'<channel rdf:about="{SITE}/"><title>HC</title><link>{SITE}/</link>'
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
        f'<items><rdf:Seq><rdf:li rdf:resource="{SITE}/n/1"/></rdf:Seq></items></channel>'
        f'<item rdf:about="{SITE}/n/1"><title>One</title><link>{SITE}/n/1</link>'
        "<dc:date>2026-03-04T10:15:00+01:00</dc:date><dc:subject>Sea</dc:subject></item>"
        f'<item rdf:about="{SITE}/n/2"><title>Two</title></item></rdf:RDF>'
    )
    listing = read(body)
    assert (listing.title, listing.ttl_s, urls(listing)) == ("HC", 21_600, [f"{SITE}/n/1", f"{SITE}/n/2"])
    assert listing.candidates[0].hints.published_at == at(2026, 3, 4, 9, 15)
    assert listing.candidates[0].hints.keywords == ("Sea",)


@pytest.mark.parametrize(
    "prologue",
    [
        "\ufeff\r\n\r\n",
        "\n \t",
        "<br />\n<b>Warning</b>: something() in <b>/x.php</b> on line <b>3</b><br />\n",
        '<!-- <html> -->\n<?xml-stylesheet href="a.xsl"?>',
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        '"http://my.netscape.com/publish/formats/rss-0.91.dtd">',
        '<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml-lat1.ent">]>',
    ],
)
def test_what_stands_before_the_root_is_left_out(prologue: str, read: Read, rss: Make, urls: Urls, item: str) -> None:
    listing = read(prologue + rss(item), content_type="text/plain; charset=UTF-8; charset=utf-8")
    assert urls(listing) == [f"{SITE}/n/1"]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Caf&eacute; on the pier &ndash; with cake", "Café on the pier – with cake"),
        ("Fish & chips, AT&T, a&copy=b &nosuch; &notreal;", "Fish & chips, AT&T, a&copy=b &nosuch; &notreal;"),
        ("dates&nbsp;for&#8;\x08 spring\x0c", "dates for spring"),
        ("&#147;cellar fire&#148; &#x20AC;5", "“cellar fire” €5"),
        ("Salt &amp;amp; Pepper", "Salt & Pepper"),
        ("2 &lt; 3 boats", "2 < 3 boats"),
        ("2 < 3 boats", "2 < 3 boats"),
        ("2&lt;3 and 4&gt;3", "2<3 and 4>3"),
        ("<![CDATA[Fire: <b>no</b> injuries & more]]>", "Fire: no injuries & more"),
        ("Fire: &lt;em class=&quot;x&quot;&gt;no&lt;/em&gt; injuries", "Fire: no injuries"),
        ("Fire: &amp;lt;em&amp;gt;no&amp;lt;/em&amp;gt; injuries", "Fire: no injuries"),
        ("Fire: <b>no</b> injuries", "Fire: no injuries"),
        ("The &amp;lt;blink&amp;gt; tag", "The <blink> tag"),
        ("  Two\n lines ", "Two lines"),
        ("", None),
    ],
)
def test_titles_of_rss(written: str, title: str | None, rss: Make, hints: HintsOf) -> None:
    assert hints(rss(f"<item><title>{written}</title><link>{SITE}/n/1</link></item>")).title == title


@pytest.mark.parametrize(
    ("inner", "url"),
    [
        (f"<link>{SITE}/n/1</link><guid>x</guid>", f"{SITE}/n/1"),
        (f"<link>\n  {SITE}/n/1\n</link>", f"{SITE}/n/1"),
        (f"<link><![CDATA[{SITE}/n/1]]></link>", f"{SITE}/n/1"),
        (f"<link>{SITE}/n?a=1&b=2</link>", f"{SITE}/n?a=1&b=2"),
        (f"<link>{SITE}/n?a=1&amp;amp;b=2</link>", f"{SITE}/n?a=1&b=2"),
        ("<link>/n/1</link>", f"{SITE}/n/1"),
        (f"<link/><guid>{SITE}/n/1</guid>", f"{SITE}/n/1"),
        (f'<guid isPermaLink="true"> {SITE}/n/1 </guid>', f"{SITE}/n/1"),
        (f"<link>{SITE}/</link><guid>{SITE}/n/1</guid>", f"{SITE}/n/1"),
        (f'<link href="{SITE}/n/1"/>', f"{SITE}/n/1"),
        (f'<atom:link rel="enclosure" href="{SITE}/a.mp3"/><atom:link href="{SITE}/n/1"/>', f"{SITE}/n/1"),
        (
            f"<link>https://feeds.example/~r/1</link><feedburner:origLink>{SITE}/n/1</feedburner:origLink>",
            f"{SITE}/n/1",
        ),
        (f'<guid isPermaLink="false">{SITE}/n/1</guid>', None),
        ("<guid>hc-1</guid>", None),
        ("<link>javascript:void(0)</link>", None),
        ("<link></link><guid></guid>", None),
        (f"<link>{SITE}</link>", None),
    ],
)
def test_address_of_an_rss_item(inner: str, url: str | None, read: Read, rss: Make, urls: Urls, item: str) -> None:
    listing = read(rss(f"<item><title>x</title>{inner}</item>{item}"))
    assert urls(listing) == [found for found in (url, f"{SITE}/n/1") if found]
    assert listing.unusable == (url is None)


def test_one_guid_merges_nothing(read: Read, rss: Make) -> None:
    items = "".join(f'<item><link>{SITE}/n/{n}</link><guid isPermaLink="false">{SITE}/</guid></item>' for n in range(4))
    assert len(read(rss(items)).candidates) == 4


def test_relative_links_of_rss_follow_the_site_not_the_feed(read: Read, rss: Make, urls: Urls) -> None:
    assert urls(read(rss("<item><link>/n/1</link></item>"), url="https://cdn.example/hc")) == [f"{SITE}/n/1"]
    based = rss('<item xml:base="sub/"><link>n/1</link></item>', attributes=f' xml:base="{SITE}/blog/"')
    assert urls(read(based, url="https://cdn.example/hc")) == [f"{SITE}/blog/sub/n/1"]


def test_long_description_in_html_is_the_body(rss: Make, hints: HintsOf) -> None:
    body = "<p>" + "The ferry line reopens. " * 30 + "</p>"
    escaped = body.replace("<", "&lt;")
    assert hints(rss(f"<item><link>{SITE}/n/1</link><description>{escaped}</description></item>")).content_html == body
    assert (
        hints(rss(f"<item><link>{SITE}/n/1</link><description>&lt;p&gt;Short.</description></item>")).content_html
        is None
    )


def test_impossible_and_future_dates_are_none(rss: Make, hints: HintsOf) -> None:
    for written in ("Wed, 32 Mar 2026 09:15:00 GMT", "Wed, 04 Mar 2031 09:15:00 GMT", "soon"):
        assert hints(rss(f"<item><link>{SITE}/n/1</link><pubDate>{written}</pubDate></item>")).published_at is None


def test_undeclared_prefixes_are_known(rss: Make, hints: HintsOf) -> None:
    found = hints(
        rss(
            f"<item><title>a</title><link>{SITE}/n/1</link><dc:creator>Jo Lee</dc:creator>"
            "<content:encoded>&lt;p&gt;All&lt;/p&gt;</content:encoded></item>"
        )
    )
    assert (found.authors, found.content_html) == (("Jo Lee",), "<p>All</p>")


def test_capital_letters_and_unclosed_html_cost_one_field_not_the_feed(read: Read, urls: Urls) -> None:
    body = (
        f"<RSS><channel><item><Title>One</Title><LINK>{SITE}/n/1</LINK><description>"
        f"<p>a<br>b</description></item><item><link>{SITE}/n/2</link></item></channel></RSS>"
    )
    assert urls(read(body)) == [f"{SITE}/n/1", f"{SITE}/n/2"]


def test_atom_with_nested_bases(read: Read, urls: Urls) -> None:
    body = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{SITE}/blog/" xml:lang="en-GB">
<title>Blog</title><author><name>The desk</name></author>
<link rel="self" href="/blog/feed.atom"/><link rel="hub" href="https://hub.example/"/>
<entry xml:base="2026/03/04/">
<title type="html">Low &lt;i&gt;water&lt;/i&gt;</title><link rel="replies" href="low-water#c"/>
<link href="low-water"/><id>tag:1</id>
<author><name>Jo Lee</name><email>jo@a.example</email></author><category term="sea" label="Sea"/>
<updated>2026-03-04T09:15:00Z</updated>
<content type="html" xml:base="{SITE}/media/">&lt;a href="maps/1.png"&gt;map&lt;/a&gt;</content></entry>
<entry><title>2 &lt; 3 &amp;amp; a &lt;b&gt; tag</title>
<link rel="alternate" href="../high-water"/>
<published>2026-03-03T08:15:00Z</published>
<updated>2026-03-04T08:15:00Z</updated>
<summary>Flood tide.</summary></entry>
<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Slack <b>water</b></div></title>
<link rel="alternate" type="application/json" href="/j"/>
<link rel="alternate" type="text/html" href="//www.harbour-courier.example/slack"/>
<content type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml"><p>Tide &amp; <a href="x">x</a></p> tail</div></content></entry>
<entry><title>By id</title><id>{SITE}/by-id</id></entry>
<entry><title>Nowhere</title><id>tag:5</id><link rel="enclosure" href="a.mp3"/></entry>
</feed>"""
    listing = read(body, url="https://feeds.cdn.example/hc/atom")
    assert urls(listing) == [
        f"{SITE}/blog/2026/03/04/low-water",
        f"{SITE}/high-water",
        f"{SITE}/slack",
        f"{SITE}/by-id",
    ]
    assert (listing.title, listing.unusable, listing.self_url, listing.hub) == (
        "Blog",
        1,
        f"{SITE}/blog/feed.atom",
        "https://hub.example/",
    )
    low, high, slack, _ = (candidate.hints for candidate in listing.candidates)
    assert (low.title, low.authors, low.keywords, low.language) == ("Low water", ("Jo Lee",), ("Sea",), "en-GB")
    assert (low.published_at, low.modified_at) == (None, at(2026, 3, 4, 9, 15))
    assert low.content_html == f'<a href="{SITE}/media/maps/1.png">map</a>'
    assert (high.title, high.authors, high.summary) == ("2 < 3 & a <b> tag", ("The desk",), "Flood tide.")
    assert high.published_at == at(2026, 3, 3, 8, 15)
    assert slack.title == "Slack water"
    assert slack.content_html == f'<div><p>Tide &amp; <a href="{SITE}/blog/x">x</a></p> tail</div>'


def test_atom_03(hints: HintsOf) -> None:
    body = (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Old</title>'
        '<entry><title mode="escaped">A &lt;b&gt;b&lt;/b&gt;</title><link '
        f'rel="alternate" type="text/html" href="{SITE}/n/1"/>'
        '<issued>2026-03-04T09:15:00Z</issued><modified>2026-03-05</modified><content type="text/html" '
        'mode="escaped">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>'
    )
    found = hints(body)
    assert (found.title, found.published_at, found.modified_at, found.content_html) == (
        "A b",
        at(2026, 3, 4, 9, 15),
        at(2026, 3, 5),
        "<p>x</p>",
    )


def test_json_feed(read: Read, urls: Urls) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "HC",
        "home_page_url": SITE,
        "feed_url": f"{SITE}/feed.json",
        "language": "en",
        "authors": [{"name": "The desk"}, None],
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
        "items": [
            {
                "id": 1,
                "url": "/n/1",
                "title": "A & B <b>",
                "content_html": '<a href="x">x</a>',
                "date_published": "2026-03-04T09:15:00Z",
                "tags": ["Sea", 3],
            },
            {
                "id": f"{SITE}/n/2",
                "content_text": "One < two\n\nThree\ud800",
                "author": {"name": "Jo Lee"},
                "date_modified": 1772615700,
            },
            {"id": "3", "external_url": "https://other.example/3"},
            {"id": "4", "title": "no address"},
            "noise",
        ],
    }
    listing = read("\ufeff" + json.dumps(feed), url=f"{SITE}/feed.json", content_type="text/plain")
    assert urls(listing) == [f"{SITE}/n/1", f"{SITE}/n/2", "https://other.example/3"]
    assert (listing.title, listing.unusable, listing.hub, listing.self_url) == (
        "HC",
        2,
        "https://hub.example/",
        f"{SITE}/feed.json",
    )
    first, second, _ = (candidate.hints for candidate in listing.candidates)
    assert (first.title, first.guid, first.authors, first.keywords) == ("A & B <b>", "1", ("The desk",), ("Sea",))
    assert (first.content_html, first.published_at) == (f'<a href="{SITE}/n/x">x</a>', at(2026, 3, 4, 9, 15))
    assert (second.content_html, second.authors) == ("<p>One &lt; two</p><p>Three</p>", ("Jo Lee",))
    assert second.modified_at == at(2026, 3, 4, 9, 15)


@pytest.mark.parametrize(
    ("written", "stated"),
    [
        ("2026-03-04 09:01:00", at(2026, 3, 4, 8, 1)),
        ("Wed, 04 Mar 2026 09:01:00", at(2026, 3, 4, 8, 1)),
        ("2026-03-04", at(2026, 3, 3, 23)),
        ("Wed, 04 Mar 2026 09:01:00 GMT", at(2026, 3, 4, 9, 1)),
        ("2026-03-04T09:01:00-05:00", at(2026, 3, 4, 14, 1)),
    ],
)
def test_a_date_without_a_zone_is_of_the_zone_of_the_source(
    written: str, stated: datetime, read: Read, rss: Make
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    bodies = (
        rss(f"<item><link>{SITE}/n/1</link><pubDate>{written}</pubDate></item>"),
        f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='{SITE}/n/1'/><published>{written}</published>"
        "</entry></feed>",
        json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/n/1", "date_published": written}]}
        ),
    )
    assert [read(body, zone=berlin).candidates[0].hints.published_at for body in bodies] == [stated] * 3
    sitemap = f"<urlset><url><loc>{SITE}/n/1</loc><lastmod>{written}</lastmod></url></urlset>"
    assert read(sitemap, zone=berlin).candidates[0].hints.modified_at == stated
