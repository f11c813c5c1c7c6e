"""The parsers under test: each takes an input and returns, or raises what it says that it raises."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress

from benchmarks.fuzz.mutate import Input
from benchmarks.fuzz.seeds import NOW
from crawler import coding, robots
from crawler.addresses import refusal
from crawler.dates import parse_date
from crawler.discovery import discover
from crawler.urls import canonical_key, clean, site_of
from storage.archive import iterate
from storage.codec import to_plain
from storage.errors import ArchiveDamaged, DiscoveryError
from storage.records import Rejection, Robots, SourceKind
from tasks.extract import jsonld
from tasks.extract.material import Material
from tasks.pipeline import read
from tasks.text import clean_text

URL = "https://www.harbour.example/2026/ferry"
_MOST = 1_000_000


def page(one: Input) -> None:
    """A page the whole way to its canonical record, which must be fit for JSON."""
    headers = (("Content-Type", one.content_type),)
    made = read(Material(url=URL, status=200, headers=headers, body=one.body, fetched_at=NOW))
    if not isinstance(made, Rejection):
        json.dumps(to_plain(made.clean))


def listing(one: Input) -> None:
    """A feed, a sitemap or a section page."""
    kinds = (SourceKind.AUTO, SourceKind.FEED, SourceKind.SITEMAP, SourceKind.SECTION)
    kind = kinds[int(one.choice * 1e6) % len(kinds)]
    with suppress(DiscoveryError):
        found = discover(one.body, url=URL, now=NOW, content_type=one.content_type, expected=kind)
        json.dumps(to_plain(found))


def rules(one: Input) -> None:
    """A robots.txt."""
    held = Robots(origin="https://www.harbour.example", status=200, body=one.body, fetched_at=NOW, expires_at=NOW)
    robots.allows(held, "Copydesk/0.1", URL)
    robots.crawl_delay(held, "Copydesk/0.1")
    robots.sitemaps(held)


def linked_data(one: Input) -> None:
    """The text of a JSON-LD script."""
    for node in jsonld.parse(one.body.decode("utf-8", "replace")):
        jsonld.strings(node)
        jsonld.links(node)


def coded(one: Input) -> None:
    """A body under a content coding."""
    names = ("gzip", "deflate", "br", "zstd", "gzip, br")
    with suppress(coding.TooLarge, coding.CutShort):
        coding.decode(one.body, [names[int(one.choice * 1e6) % len(names)]], _MOST)


def small(one: Input) -> None:
    """Addresses, dates and lines of text, from the first lines of the input."""
    for raw in one.body[:2_000].splitlines()[:20]:
        text = raw.decode("utf-8", "replace")
        with suppress(ValueError):
            key = canonical_key(text, URL)
            assert canonical_key(key) == key, f"the key of {text!r} has another key"
            site_of(clean(text, URL))
        refusal(text)
        parse_date(text, now=NOW)
        clean_text(text)


def archived(one: Input) -> None:
    """Anybody's WARC file."""
    with suppress(ArchiveDamaged):
        for _ in iterate(io.BytesIO(one.body)):
            pass


_SHARES: tuple[tuple[float, Callable[[Input], None]], ...] = (
    (0.40, page),
    (0.70, listing),
    (0.78, rules),
    (0.86, linked_data),
    (0.91, coded),
    (0.98, small),
    (1.00, archived),
)


def target(one: Input) -> Callable[[Input], None]:
    """The parser that an input is for."""
    return next(parser for share, parser in _SHARES if one.choice < share)
