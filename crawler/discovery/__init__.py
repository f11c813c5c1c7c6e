"""From the bytes that a source serves to what it lists, by what the bytes are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from crawler.discovery.atom import read_atom
from crawler.discovery.jsonfeed import read_json_feed
from crawler.discovery.listing import MAX_BYTES, MAX_CANDIDATES, Child, Listing
from crawler.discovery.markup import parse_xml, root_name
from crawler.discovery.payload import decode, unpack
from crawler.discovery.rss import read_rss
from crawler.discovery.section import is_article, read_section
from crawler.discovery.sitemap import is_text_sitemap, read_sitemap, read_text_sitemap
from crawler.shapes import NOTHING, Shapes
from crawler.urls import clean
from storage.errors import DiscoveryError
from storage.records import Candidate, SourceKind, Via

__all__ = ["MAX_BYTES", "MAX_CANDIDATES", "Child", "Listing", "discover"]

_FEED_ADDRESS = re.compile(
    r"(?i)[./](?:xml|rss|rdf|atom|feed|feeds|json)(?:\.gz)?/?(?:\?|$)|[?&](?:feed|format|alt)=(?:rss|atom|xml|json)"
)
_HTML = re.compile(r"(?is)<(?:!doctype\s+html|html|head|body|title|div|p|a|main|article|h1)[\s>]")


def discover(
    body: bytes,
    *,
    url: str,
    now: datetime,
    content_type: str | None = None,
    expected: SourceKind = SourceKind.AUTO,
    shapes: Shapes = NOTHING,
    zone: tzinfo = UTC,
) -> Listing:
    """Return what the body at `url` lists.

    The body is judged by its content; the media type only helps with the encoding. `expected` decides what HTML is: a
    page of links, a page by itself (PAGE), or a failure where a feed or sitemap is wanted. With AUTO, HTML at an
    address that names a feed is a failure too: a challenge or an error page, not a feed that became empty. `shapes` are
    those of the site's article addresses, where they are known. Dates that name no zone are of `zone`.

    Raises DiscoveryError `not_a_feed`, `not_a_sitemap`, `xml_entities`, `too_large` or `truncated`, and ValueError if
    `url` is not http(s).
    """
    url = clean(url)
    now = now.astimezone(zone)
    if expected is SourceKind.PAGE:
        return _page(url)
    text = decode(unpack(body), content_type)
    name = root_name(text)
    if name == "feed":
        return read_atom(parse_xml(text, url), now)
    if name in ("rss", "rdf", "channel"):
        return read_rss(parse_xml(text, url), now)
    if name in ("urlset", "sitemapindex"):
        return read_sitemap(parse_xml(text, url), now)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return read_json_feed(text.lstrip("\ufeff \t\r\n"), url, now)
    is_html = name == "html" or _HTML.search(text[:5000])
    return _html(text, url, expected, shapes) if is_html else _other(text, url, expected)


def _html(text: str, url: str, expected: SourceKind, shapes: Shapes) -> Listing:
    if expected is SourceKind.SECTION:
        return read_section(text, url, shapes)
    if expected is SourceKind.SITEMAP:
        raise DiscoveryError("not_a_sitemap", f"HTML instead of a sitemap at {url}")
    if expected is SourceKind.FEED or _FEED_ADDRESS.search(url):
        raise DiscoveryError("not_a_feed", f"HTML instead of a feed at {url}")
    return _page(url) if is_article(text) else read_section(text, url, shapes)


def _other(text: str, url: str, expected: SourceKind) -> Listing:
    if is_text_sitemap(text):
        return read_text_sitemap(text, url)
    code = "not_a_sitemap" if expected is SourceKind.SITEMAP else "not_a_feed"
    raise DiscoveryError(code, f"{'nothing' if not text.strip() else 'no known format'} at {url}")


def _page(url: str) -> Listing:
    return Listing(kind=SourceKind.PAGE, candidates=(Candidate(url=url, via=Via.MANUAL),))
