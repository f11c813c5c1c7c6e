"""Section and home pages: the links that look like articles, by general rules, and the feeds that a page announces."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from urllib.parse import parse_qsl, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.discovery.entries import address
from crawler.discovery.listing import Listing, collect
from crawler.discovery.text import MAX_TEXT, scrub
from crawler.shapes import NOTHING, Shapes
from crawler.urls import canonical_key, site_of
from storage.records import Candidate, Hints, SourceKind, Via

MAX_NESTING = 512
"""Open elements, as in browsers. The time a parser takes grows with the square of the nesting."""

THRESHOLD = 2
"""Points from which a link counts as an article's: one strong sign, or two weak ones."""

MAX_LINKS = 10_000
"""Links of one page that are looked at; home pages have some hundreds."""

MAX_DEPTH = 64
"""Ancestors of a link that are looked at."""

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][\w\-]*)(?P<rest>[^<>]*)>")
_DATED = re.compile(r"/(?:19|20)\d\d[/\-.]?(?:0?[1-9]|1[0-2])(?:[/\-.]?(?:0?[1-9]|[12]\d|3[01]))?(?=/|-|$)")
_ONLY_DATE = re.compile(r"(?:/[^/\d]*)?/(?:19|20)\d\d(?:/\d{1,2}){0,2}/?")
_NUMBER = re.compile(r"\d{5,}")
_SUFFIX = re.compile(r"\.(?:s?html?|php|aspx?|jsp|cms|ece)$", re.IGNORECASE)
_ID_PARAMETER = re.compile(r"(?i)(?:.*[_\-])?(?:id|p|story|article|artikel|storyid|articleid|newsid|nid|sid|aid)")
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")
_FEED_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "text/rss+xml",
    "text/atom+xml",
)
_FEED_PATH = re.compile(
    r"(?i)/(?:feeds?|rss|atom)(?:/|\.xml|\.json)?$|\.(?:rss|atom|rdf)$|/(?:rss|atom|feed|index|news)\.xml$"
)
_COMMENT_FEED = re.compile(r"(?i)/comments?(?:/|$)")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    url: str
    key: str
    text: str
    points: int


def read_section(html: str, url: str, shapes: Shapes = NOTHING) -> Listing:
    """Return the article-like links of a page to its own site, in order, each page once, and the feeds it announces.

    A link counts by its address, its text and its place; where `shapes` tell what the site's articles' addresses look
    like, they count too.

    A title is the longest text of the links to one page.
    """
    tree = LexborHTMLParser(flattened(html))
    base = _base(tree, url)
    found: dict[str, _Link] = {}
    for link in _links(tree, base, url, shapes):
        seen = found.get(link.key)
        found[link.key] = link if seen is None else _joined(seen, link)
    articles = [link for link in found.values() if link.points >= THRESHOLD]
    entries = collect(
        Candidate(url=link.url, via=Via.SECTION, hints=Hints(title=link.text or None)) for link in articles
    )
    return Listing(
        kind=SourceKind.SECTION,
        title=_title(tree),
        candidates=entries.candidates,
        surplus=max(len(tree.css("a[href]")) - MAX_LINKS, 0),
        feeds=tuple(dict.fromkeys(_feeds(tree, base, url))),
    )


def is_article(html: str) -> bool:
    """Return whether a page says that it is an article: it states when it was published (Open Graph, "article")."""
    node = LexborHTMLParser(flattened(html)).css_first(
        'meta[property="article:published_time"], meta[name="article:published_time"]'
    )
    return node is not None


def flattened(html: str) -> str:
    """Return the page without the elements that stand deeper than MAX_NESTING; links and texts stay."""
    if html.count("<") - html.count("</") <= MAX_NESTING:
        return html
    depth, short = 0, _lists().short_elements

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        name = tag["name"].lower()
        if name in short or tag["rest"].endswith("/"):
            return tag[0]
        depth = max(depth - 1, 0) if tag["end"] else depth + 1
        is_deep = depth + bool(tag["end"]) > MAX_NESTING
        return "" if is_deep and name != "a" else tag[0]

    return _TAG.sub(keep, html)


def _links(tree: LexborHTMLParser, base: str, url: str, shapes: Shapes) -> Iterator[_Link]:
    own_key, own_site = canonical_key(url), site_of(url)
    for node in tree.css("a[href]")[:MAX_LINKS]:
        target = address(node.attributes.get("href") or "", base)
        if target is None or site_of(target) != own_site:
            continue
        key = canonical_key(target)
        if key == own_key or not _may_be_article(key):
            continue
        place = _place(node)
        if place is None or "sponsored" in (node.attributes.get("rel") or "").lower():
            continue
        text = _text(node)
        points = _shape(key) + _wording(text) + place + shapes.points(key)
        yield _Link(url=target.partition("#")[0], key=key, text=text, points=points)


def _joined(first: _Link, second: _Link) -> _Link:
    """A picture, a headline and a teaser often lead to one page: what each shows of it counts."""
    longer = max((first.text, second.text), key=len)
    return replace(first, text=longer, points=max(first.points, second.points))


def _shape(key: str) -> int:
    """Points for an address: a date, a number, or a name of several words mark an article."""
    parts = urlsplit(key)
    last = _SUFFIX.sub("", parts.path.rstrip("/").rpartition("/")[2])
    words = len(re.split(r"[-_]|%20|\+", last))
    points = 2 if _DATED.search(parts.path) else 0
    points += 2 if words >= 4 else 1 if words == 3 else 0
    points += 1 if _NUMBER.search(parts.path) else 0
    points += 1 if _SUFFIX.search(parts.path) and words > 1 else 0
    points += (
        1
        if any(_ID_PARAMETER.fullmatch(name) and re.search(r"\d", value) for name, value in parse_qsl(parts.query))
        else 0
    )
    is_short = parts.path.strip("/").count("/") == 0 and words < 3 and not re.search(r"\d", last) and not parts.query
    return points - is_short


def _wording(text: str) -> int:
    """Points for a link's text: headlines are whole sentences, the names of sections are not.

    Scripts without spaces between words (CJK) count by length.
    """
    words = len(text.split())
    return (
        2
        if words >= 5
        or (words >= 4 and len(text) >= 24)
        or (words <= 3 and len(text) >= 14 and ord(max(text)) >= 0x2E80)
        else 0
    )


def _place(node: LexborNode) -> int | None:
    """Points for where a link stands; None in navigation."""
    points = 0
    inside = outside = False
    current = node.parent
    for _ in range(MAX_DEPTH):
        if current is None or current.tag in ("body", "html", None):
            break
        tag = current.tag
        if tag == "nav" or _is_navigation(*_names(current)):
            return None
        outside = outside or (tag in ("header", "footer") and not inside)
        inside = inside or (tag in ("article", "main", "section") and not outside)
        if outside and tag in ("article", "main"):
            outside = False  # the header of a story, not of the page
        points = max(points, 1 if tag in (*_HEADINGS, "article") else 0)
        current = current.parent
    return None if outside else points


def _names(node: LexborNode) -> tuple[str, str, str]:
    attributes = node.attributes
    return attributes.get("class") or "", attributes.get("id") or "", attributes.get("role") or ""


@lru_cache(maxsize=4096)
def _is_navigation(classes: str, identity: str, role: str) -> bool:
    words = {word.lower() for word in _WORD.findall(f"{classes} {identity} {role}"[:500])}
    return not words.isdisjoint(_lists().navigation)


def _may_be_article(key: str) -> bool:
    """Return whether an address may be an article at all: no home page, list, calendar, account or file."""
    lists = _lists()
    parts = urlsplit(key)
    segments = [segment.lower() for segment in parts.path.split("/") if segment]
    if not segments and not parts.query:
        return False
    if segments and (
        segments[0] in lists.first_segments or (segments[-1].rpartition(".")[2] in lists.files and "." in segments[-1])
    ):
        return False
    if not lists.any_segments.isdisjoint(segments) or _ONLY_DATE.fullmatch(parts.path):
        return False
    return not any(name.lower() in lists.list_parameters for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def _text(node: LexborNode) -> str:
    text = " ".join(scrub(node.text(deep=True, separator=" ")).split())
    if not text:
        image = node.css_first("img[alt]")
        text = (node.attributes.get("aria-label") or node.attributes.get("title") or "") or (
            (image.attributes.get("alt") or "") if image else ""
        )
    return " ".join(scrub(text).split())[:MAX_TEXT]


def _title(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("head > title")
    return (" ".join(scrub(node.text()).split())[:MAX_TEXT] or None) if node else None


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return (address(node.attributes.get("href") or "", url) if node else None) or url


def _feeds(tree: LexborHTMLParser, base: str, url: str) -> Iterator[str]:
    """Feeds and sitemaps by link elements (RSS Advisory Board, "RSS Autodiscovery"), then by the look of links."""
    for node in tree.css("link[href]"):
        attributes = node.attributes
        rels = (attributes.get("rel") or "").lower().split()
        kind = (attributes.get("type") or "").lower().partition(";")[0].strip()
        target = address(attributes.get("href") or "", base)
        is_feed = "feed" in rels or (
            "alternate" in rels
            and (
                kind in _FEED_TYPES
                or (kind in ("application/json", "text/xml", "application/xml") and _FEED_PATH.search(target or ""))
            )
        )
        if target and (is_feed or "sitemap" in rels) and not _COMMENT_FEED.search(urlsplit(target).path):
            yield target
    site = site_of(url)
    for node in tree.css("a[href]")[:MAX_LINKS]:
        target = address(node.attributes.get("href") or "", base)
        path = urlsplit(target).path if target else ""
        if target and _FEED_PATH.search(path) and not _COMMENT_FEED.search(path) and site_of(target) == site:
            yield target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    first_segments: frozenset[str]
    any_segments: frozenset[str]
    list_parameters: frozenset[str]
    files: frozenset[str]
    navigation: frozenset[str]
    short_elements: frozenset[str]


@cache
def _lists() -> _Lists:
    data = tomllib.loads(resources.files("crawler.data").joinpath("section.toml").read_text("utf-8"))
    return _Lists(**{name: frozenset(words) for name, words in data.items()})
