"""The newsroom's feeds: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1, and one that is broken as feeds are in the wild."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from console.demo.articles import Story
from console.demo.markup import stamp
from console.demo.pages import body
from console.demo.sites import Site

TRACKING = {
    "rss": "utm_source=rss&utm_medium=feed&utm_campaign=daily",
    "atom": "utm_source=atom&fbclid=IwAR0invented",
    "json": "mc_cid=a1b2c3&mc_eid=d4e5f6&gclid=Cj0invented",
    "broken": "utm_source=partner",
}
"""The tracking parameters on each feed's links."""

FULL_TEXT = frozenset({"coast-0", "coast-1"})
"""Keys of the stories whose whole text is in the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a feed shows of one address. `content` is HTML."""

    link: str
    guid: str
    title: str
    published: datetime
    updated: datetime
    summary: str = ""
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = "en"
    content: str | None = None


def entry_of(site: Site, story: Story, feed: str, link: str | None = None) -> Entry:
    """A story's entry, its link with the feed's tracking parameters unless another one is given."""
    draft = story.draft
    address = site.url(story.path)
    return Entry(
        link=link or (f"{address}?{TRACKING[feed]}" if feed in TRACKING else address),
        guid=f"tag:{site.name}.example,2026:{story.slug}",
        title=story.title,
        published=story.published,
        updated=story.modified,
        summary=draft.subtitle,
        authors=draft.authors,
        section=draft.section,
        language=draft.language,
        content=body(story) if feed == "json" and story.key in FULL_TEXT else None,
    )


def rss(site: Site, entries: Sequence[Entry]) -> bytes:
    """RSS 2.0 with Dublin Core authors."""
    items = "".join(
        f"""<item><title>{escape(e.title)}</title><link>{escape(e.link)}</link>
<guid isPermaLink="false">{escape(e.guid)}</guid><pubDate>{format_datetime(e.published, usegmt=True)}</pubDate>
{"".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in e.authors)}<category>{escape(e.section)}</category>
<description>{escape(e.summary)}</description></item>
"""
        for e in entries
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>{escape(site.title)}</title><link>{site.base}/</link><description>{escape(site.tagline)}</description>
<language>en-gb</language><ttl>15</ttl>
<atom:link rel="self" type="application/rss+xml" href="{site.url("/feeds/news.rss")}"/>
{items}</channel></rss>
""".encode()


def atom(site: Site, entries: Sequence[Entry], path: str, following: str | None = None) -> bytes:
    """Atom; `following` is the path of the next page of a paged feed (RFC 5005)."""
    newest = max((entry.updated for entry in entries), default=None)
    onward = f'<link rel="next" href="{site.url(escape(following))}"/>\n' if following else ""
    items = "".join(
        f"""<entry xml:lang="{e.language}"><id>{escape(e.guid)}</id><title>{escape(e.title)}</title>
<link rel="alternate" type="text/html" href="{escape(e.link)}"/>
<published>{stamp(e.published)}</published><updated>{stamp(e.updated)}</updated>
{"".join(f"<author><name>{escape(name)}</name></author>" for name in e.authors)}<category term="{escape(e.section)}"/>
<summary>{escape(e.summary)}</summary></entry>
"""
        for e in entries
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>{site.base}/</id><title>{escape(site.title)}</title>
<updated>{stamp(newest) if newest else "1970-01-01T00:00:00Z"}</updated>
<link rel="self" href="{site.url(escape(path))}"/><link rel="alternate" href="{site.base}/"/>
{onward}<author><name>{escape(site.title)}</name></author>
{items}</feed>
""".encode()


def json_feed(site: Site, entries: Sequence[Entry]) -> bytes:
    """JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.title,
        "home_page_url": f"{site.base}/",
        "feed_url": site.url("/feed.json"),
        "language": "en",
        "items": [_json_item(entry) for entry in entries],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _json_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.guid,
        "url": entry.link,
        "title": entry.title,
        "summary": entry.summary,
        "date_published": stamp(entry.published),
        "date_modified": stamp(entry.updated),
        "authors": [{"name": name} for name in entry.authors],
        "tags": [entry.section],
        "language": entry.language,
    }
    return item | ({"content_html": entry.content} if entry.content else {"content_text": entry.summary})


def broken_rss(site: Site, entries: Sequence[Entry]) -> bytes:
    """RSS as old systems send it: BOM, blank line before the declaration, entities that XML lacks, bare ampersands."""
    items = "".join(
        f"<item><title>{e.title.replace(' ', '&nbsp;', 1)}</title><link>{e.link}&utm_medium=web</link>"
        f"<pubDate>{format_datetime(e.published, usegmt=True)}</pubDate>"
        f"<description>{e.summary} &mdash; caf&eacute; & more&hellip;</description></item>\n"
        for e in entries
    )
    text = f"""
<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>{site.title} &ndash; partners</title>
<link>{site.base}/</link><description>For our partners &amp; friends</description>
{items}</channel></rss>
"""
    return b"\xef\xbb\xbf" + text.encode()
