"""What the mutations begin with: what the demo's newsroom serves, and the recorded cases of the test suite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from console.demo.edition import Edition
from console.demo.sites import make_sites

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
_CASES = Path(__file__).parents[2] / "tests" / "cases"
_LARGEST = 60_000
"""A seed is cut here: what a page does to a parser does not need more, and large ones would eat the time."""
_LISTINGS = {
    "harbour": ("/robots.txt", "/feeds/news.rss", "/news-sitemap.xml", "/"),
    "valley": ("/robots.txt", "/atom.xml", "/latest", "/feeds/partners.xml", "/"),
    "coast": ("/robots.txt", "/feed.json", "/sitemap_index.xml", "/"),
}
_BY_HAND = (
    b'{"@context":"https://schema.org","@graph":[{"@type":"NewsArticle","headline":"A &amp; B","author":[{"name":"A"}],'
    b'"datePublished":"2026-03-01T08:00:00+01:00","mainEntityOfPage":{"@id":"https://a.example/x"}}]}',
    b"User-agent: *\nDisallow: /a/*/b$\nAllow: /\nCrawl-delay: 2.5\nSitemap: https://a.example/s.xml\n",
    b'<!DOCTYPE rss [<!ENTITY x "y">]><rss version="2.0"><channel><title>&x;</title><item><link>/a</link>'
    b"<pubDate>Wed, 04 Mar 2026 09:01:00 GMT</pubDate></item></channel></rss>",
    b"https://[2001:db8::1]:8443/a;b=c/../%7Ed?utm_source=x&a=1#f",
    b"Wed, 04 Mar 2026 09:01:00 +0100",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """One body with its type as a server would state it."""

    body: bytes
    content_type: str


@cache
def seeds() -> tuple[Seed, ...]:
    """All of them, always in the same order."""
    found = [*_demo(), *_recorded(), *(Seed(body, "text/plain") for body in _BY_HAND)]
    return tuple(Seed(seed.body[:_LARGEST], seed.content_type) for seed in found)


def _demo() -> list[Seed]:
    sites = make_sites({"harbour": 8001, "valley": 8002, "coast": 8003})
    edition = Edition(sites, NOW, extra=6, state=2)
    paths = [(site, path) for site, listings in _LISTINGS.items() for path in listings]
    paths += [(story.site, story.path) for story in edition.stories]
    answers = [edition.answer(site, path) for site, path in paths]
    return [Seed(answer.body, answer.content_type) for answer in answers if answer.status == 200]


def _recorded() -> list[Seed]:
    found = []
    for recorded in sorted(_CASES.glob("*/headers.json")):
        for exchange in json.loads(recorded.read_text("utf-8")):
            if exchange["body"]:
                kind = {name.lower(): value for name, value in exchange["headers"].items()}.get("content-type", "")
                found.append(Seed((recorded.parent / exchange["body"]).read_bytes(), kind))
    return found
