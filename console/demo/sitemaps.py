"""Sitemaps (sitemaps.org 0.9), sitemap indexes, Google's news extension, and robots.txt (RFC 9309)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from html import escape

from console.demo.articles import Story
from console.demo.markup import stamp
from console.demo.sites import Site

_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
DISALLOWED = ("/embargo/", "/search", "/private/")
CRAWL_DELAY = 0.1


def robots(site: Site, sitemaps: Sequence[str]) -> bytes:
    """robots.txt with a small Crawl-delay, a part that is off limits, and the sitemaps."""
    rules = "".join(f"Disallow: {path}\n" for path in DISALLOWED)
    places = "".join(f"Sitemap: {site.url(path)}\n" for path in sitemaps)
    return f"# {site.title}\nUser-agent: *\nCrawl-delay: {CRAWL_DELAY}\n{rules}\n{places}".encode()


def index(site: Site, parts: Sequence[str]) -> bytes:
    """A sitemap index of the given paths."""
    rows = "".join(f"<sitemap><loc>{escape(site.url(path))}</loc></sitemap>\n" for path in parts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex {_SPACE}>\n{rows}</sitemapindex>\n'.encode()


def urlset(site: Site, stories: Sequence[Story], more: Sequence[str] = ()) -> bytes:
    """A sitemap of stories with their lastmod, and of further bare paths."""
    rows = "".join(f"<url><loc>{site.url(s.path)}</loc><lastmod>{stamp(s.modified)}</lastmod></url>\n" for s in stories)
    rows += "".join(f"<url><loc>{site.url(path)}</loc></url>\n" for path in more)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_SPACE}>\n{rows}</urlset>\n'.encode()


def zipped(sitemap: bytes) -> bytes:
    """A sitemap as a .xml.gz file: the file is compressed, not the transfer."""
    return gzip.compress(sitemap, mtime=0)


def news(site: Site, stories: Sequence[Story], more: Sequence[str] = ()) -> bytes:
    """A news sitemap of stories, and of further bare paths."""
    rows = "".join(
        f"""<url><loc>{site.url(s.path)}</loc><news:news><news:publication><news:name>{escape(site.title)}</news:name>
<news:language>{s.draft.language}</news:language></news:publication>
<news:publication_date>{stamp(s.published)}</news:publication_date><news:title>{escape(s.title)}</news:title></news:news></url>
"""
        for s in stories
    )
    rows += "".join(f"<url><loc>{site.url(path)}</loc></url>\n" for path in more)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_SPACE} {_NEWS}>\n{rows}</urlset>\n'.encode()
