"""Where a page of links leads further back: to its next page, and to the archive pages of single days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser

from crawler.discovery.entries import address
from crawler.discovery.section import MAX_LINKS, flattened
from crawler.traps import pager_words
from crawler.urls import canonical_key, site_of

MOST_DAYS = 31
"""Days of a gap whose archive pages are looked for."""

_DAY = re.compile(
    r"(?P<before>/(?:[^/]*?[^/\d])?)(?P<year>20\d\d)(?P<sep>[-/_.]?)(?P<month>0[1-9]|1[0-2])(?P=sep)"
    r"(?P<day>0[1-9]|[12]\d|3[01])(?P<after>/?(?:index)?(?:\.s?html?|\.php)?/?)"
)
"""The end of a path that is a day and no more: below it stand articles, it is none itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """The ways back from one page."""

    next_page: str | None = None
    days: tuple[str, ...] = ()
    """Archive pages of the wanted days, the newest first."""


def read_older(html: str, url: str, *, first: date, last: date) -> Older:
    """Find the page after this one (`rel=next`, else the pager's next number), and the archive pages from day to day.

    One link to the archive page of any day shows how those of all other days are called. Other sites are left out.
    """
    tree = LexborHTMLParser(flattened(html))
    site, base = site_of(url), _base(tree, url)
    links = [found for node in tree.css("a[href], link[rel~=next][href]")[:MAX_LINKS] if (found := _link(node, base))]
    near = [(target, rel) for target, rel in links if site_of(target) == site]
    named = next(
        (target for target, rel in near if "next" in rel and canonical_key(target) != canonical_key(url)), None
    )
    return Older(
        next_page=named or _next_number((target for target, _ in near), url),
        days=tuple(_days((target for target, _ in near), first, last)),
    )


def page_number(url: str) -> tuple[str, int] | None:
    """The key of a list and the number of its page that an address names; None where it names none."""
    parts, words = urlsplit(url), pager_words()
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for at, (name, value) in enumerate(pairs):
        if name.lower() in words and value.isdigit() and len(value) <= 5:
            rest = urlencode([*pairs[:at], *pairs[at + 1 :]])
            return canonical_key(urlunsplit(parts._replace(query=rest, fragment=""))), int(value)
    found = re.fullmatch(r"(?P<stem>.*)/(?P<word>[a-z]+)[/-](?P<number>\d{1,5})/?", parts.path)
    if found is None or found["word"] not in words:
        return None
    return canonical_key(urlunsplit(parts._replace(path=f"{found['stem']}/", fragment=""))), int(found["number"])


def _next_number(targets: Iterator[str], url: str) -> str | None:
    stem, number = page_number(url) or (canonical_key(url), None)
    # the first page has no number, or 1; where the second one is called 1, the first has none and counts from 0
    numbered = {found[1]: target for target in targets if (found := page_number(target)) and _same(found[0], stem)}
    if number is None:
        return numbered.get(2) or numbered.get(1)
    return numbered.get(number + 1)


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _days(targets: Iterator[str], first: date, last: date) -> Iterator[str]:
    """The addresses of the wanted days, after each way of calling them that the page shows."""
    ways: dict[str, tuple[str, re.Match[str]]] = {}
    for target in targets:
        parts = urlsplit(target)
        found = _DAY.search(parts.path)
        if found and found.end() == len(parts.path):
            head = f"{parts.scheme}://{parts.netloc}{parts.path[: found.start()]}{found['before']}"
            ways.setdefault(f"{head}{found['sep']}{found['after']}", (head, found))
    length = min((last - first).days + 1, MOST_DAYS)
    for back in range(length):
        day = last - timedelta(days=back)
        for head, found in ways.values():
            yield f"{head}{day:%Y}{found['sep']}{day:%m}{found['sep']}{day:%d}{found['after']}"


def _link(node: object, base: str) -> tuple[str, list[str]] | None:
    attributes = node.attributes  # type: ignore[attr-defined]
    target = address(attributes.get("href") or "", base)
    return (target.partition("#")[0], (attributes.get("rel") or "").lower().split()) if target else None


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return (address(node.attributes.get("href") or "", url) if node else None) or url
