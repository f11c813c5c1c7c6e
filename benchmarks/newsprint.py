"""Invents whole article pages: a text out of `benchmarks.invented`, in as much markup as news sites put around one."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.invented import Piece, Press

_FUNCTION_WORDS = (
    "the of to and a in that is for on it with as was at by be from are this have he an has not but they which his or "
    "their its will who we been were more about had when would there she up one her than you what all some into other "
    "out if so no can after also first new two over most may last them now could only time between many such"
)
"""Peers tell a text from links by its share of these."""
_NOTICE = "Sign up for our letter"
_FIRST = datetime(2026, 3, 1, 6, tzinfo=UTC)
_WRITERS = ("Ada Lindqvist", "Bruno Okafor", "Carla Nunes", "Dov Halevi", "Edda Sorensen", "Farid Haddad")
_TEASER = (
    '<li class="teaser teaser--small" data-id="{n}"><a class="teaser__link" href="/news/2026/03/{slug}-{n}">'
    '<img class="teaser__image" loading="lazy" alt="" src="/media/{n}/teaser-480x270.jpg">'
    '<span class="teaser__title">{title}</span></a></li>\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A page as a server sends it, and what a reader should find in it."""

    url: str
    body: bytes
    title: str
    text: str
    author: str
    published_at: datetime


def printed(count: int, *, size: int = 30_000, seed: int = 7, host: str = "bench.example") -> Iterator[Printed]:
    """That many pages of about `size` bytes, none a copy of another; the same for the same seed."""
    press = Press(seed)
    press.speak(_FUNCTION_WORDS.split())
    pieces = _originals(press)
    chrome = [one.title for one in islice(pieces, 60)]
    for number, piece in enumerate(islice(pieces, count)):
        yield _page(number, piece, chrome, size, host)


@dataclass(frozen=True, slots=True)
class Raw:
    """A page as it was fetched."""

    url: str
    body: bytes
    text: str
    """What a reader should find in it."""


def invented(count: int) -> list[Raw]:
    """Pages of 30 KB, the same ones at each run."""
    return [Raw(one.url, one.body, one.text) for one in printed(count)]


def labelled(data: Path, count: int) -> list[Raw]:
    """The first pages of a set that have a gold text, spread over its sources."""
    records = [json.loads(line) for line in (data / "gold.jsonl").read_text("utf-8").splitlines()]
    chosen = [record for record in records if record.get("text")]
    step = max(len(chosen) // count, 1)
    return [_raw(data, record) for record in chosen[::step][:count]]


def _raw(data: Path, record: dict[str, Any]) -> Raw:
    body = gzip.decompress((data / "html" / f"{record['id']}.html.gz").read_bytes())
    return Raw(
        f"https://page-{record['id']}.example/article", body, record["text"]
    )  # each a site of its own: many have no address


def _originals(press: Press) -> Iterator[Piece]:
    """Stories only: a copy, or a report from a template, would be filed as what it is. And none with a notice, which is
    no part of a story and would be left out of its text.
    """
    told: set[int] = set()
    while True:
        piece = press.next()
        if piece.story not in told and "\n\n" in piece.text and _NOTICE not in piece.text:
            told.add(piece.story)
            yield piece


def _page(number: int, piece: Piece, chrome: list[str], size: int, host: str) -> Printed:
    author, at = _WRITERS[number % len(_WRITERS)], _FIRST + timedelta(minutes=7 * number % 40_000)
    slug = "-".join(piece.title.lower().rstrip(".").split()[:6])
    path = f"/news/2026/03/{slug}-{number}"
    paragraphs = piece.text.split("\n\n")
    text = "\n".join(f"<p>{escape(one)}</p>" for one in paragraphs)
    head = _HEAD.format(title=escape(piece.title), path=path, host=host, at=at.isoformat(), author=author)
    main = _MAIN.format(title=escape(piece.title), author=author, at=at.isoformat(), day=f"{at:%d %B %Y}", text=text)
    left = size - len(head) - len(main) - len(_FOOT)
    body = head + main + _aside(number, chrome, left) + _FOOT
    facts = {"title": piece.title, "text": piece.text, "author": author, "published_at": at}
    return Printed(url=f"https://{host}{path}", body=body.encode(), **facts)  # type: ignore[arg-type]


def _aside(number: int, chrome: list[str], size: int) -> str:
    """Links to other stories, until the page has its size."""
    parts = ['<aside class="more"><h2>More stories</h2><ul>\n']
    left, at = size, number * 13
    while left > 0:
        title = chrome[at % len(chrome)]
        slug = "-".join(title.lower().rstrip(".").split()[:4])
        parts.append(_TEASER.format(n=at * 7919 % 1_000_003, slug=slug, title=escape(title)))
        left, at = left - len(parts[-1]), at + 1
    return "".join((*parts, "</ul></aside>\n"))


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} - The Bench Courier</title>
<link rel="canonical" href="https://{host}{path}">
<meta property="og:type" content="article">
<meta property="og:title" content="{title}">
<meta property="og:site_name" content="The Bench Courier">
<meta name="author" content="{author}">
<script type="application/ld+json">
{{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "{title}", "datePublished": "{at}",
"author": {{"@type": "Person", "name": "{author}"}},
"publisher": {{"@type": "Organization", "name": "The Bench Courier"}}}}
</script>
<style>body{{font:18px/1.5 serif;margin:0}}nav a{{padding:0 12px}}.teaser{{display:flex}}</style>
</head>
<body>
<header class="masthead"><a href="/">The Bench Courier</a>
<nav><a href="/world">World</a><a href="/business">Business</a><a href="/sport">Sport</a><a href="/culture">Culture</a>
<a href="/science">Science</a><a href="/opinion">Opinion</a><a href="/weather">Weather</a></nav></header>
"""
_MAIN = """<main><article class="story">
<h1>{title}</h1>
<p class="byline">By <span class="byline__name">{author}</span> <time datetime="{at}">{day}</time></p>
<div class="story__body">
{text}
</div>
</article></main>
"""
_FOOT = """<footer><p>All that is printed here was invented for a benchmark.</p>
<a href="/about">About</a> <a href="/contact">Contact</a> <a href="/terms">Terms</a></footer>
<script>window.dataLayer=window.dataLayer||[];function track(){dataLayer.push(arguments)}</script>
</body>
</html>
"""
