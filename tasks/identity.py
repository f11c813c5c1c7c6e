"""Decides under which address an article is filed: its own, or a declared canonical one that can be believed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.addresses import has_login
from crawler.urls import canonical_key, site_of
from storage.records import Finding

# The last path segment of a twin of the page above it: AMP, print, one page of several, the whole on one page.
_TWIN = re.compile(
    r"amp|print|mobile|full|all|single|index(\.\w+)?|(page-?)?\d{1,3}|amp\.html|\d{1,3}\.html?", re.IGNORECASE
)

_FRONT = re.compile(
    r"(?:index|default|home|homepage|start|startseite|main)(?:\.\w+)?|[a-z]{2}(?:[-_][a-z]{2,4})?", re.IGNORECASE
)
"""The only segment of a home page's path that has one: its file, or the language of a site in several."""
_OF_FRONT = frozenset(("lang", "language", "lng", "locale", "hl", "l"))
"""What a home page's address may ask for; anything else ("/?p=31") may be an article's."""
_UNFILLED = re.compile(r"undefined|null|none|nan|false|\[object object\]|.*(?:\{\{|\$\{|%7b%7b|\$%7b).*", re.IGNORECASE)
"""The last segment of an address that a template's program has written without its data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The canonical key that an article is filed under, and the findings that speak of it."""

    url: str
    evidence: Mapping[str, Finding[str]]
    """`canonical_url`: the declaration that was believed; `syndicated_from`: one that names another site."""


def identify(url: str, declared: Iterable[Finding[str]]) -> Identity:
    """The identity of a page by its address and its declared canonical addresses, the most trusted first.

    A canonical address names the same content (RFC 6596 section 3), which a template often gets wrong: one that names
    the home page or a section above the page is passed over, as is one with a log-in in it or without its data. One on
    another site is evidence of syndication, and never moves an article: else any page could file itself under a
    stranger's address.
    """
    own = _own_key(url)
    evidence: dict[str, Finding[str]] = {}
    for finding in declared:
        key = None if has_login(finding.value) else _key(finding.value, url)
        if key is None or _is_above(key, own) or _is_front(key, own) or _is_unfilled(key):
            continue
        if not _same_site(key, own):
            evidence.setdefault("syndicated_from", finding)
            continue
        return Identity(url=key, evidence=evidence | {"canonical_url": finding})
    return Identity(url=own, evidence=evidence)


def _own_key(url: str) -> str:
    # What was handed in as a file has an address that only its caller can vouch for; it is kept as it is.
    return _key(url, None) or url


def _key(value: str, base: str | None) -> str | None:
    try:
        key = canonical_key(value, base)
    except ValueError:
        return None
    return key if urlsplit(key).scheme in ("http", "https") else None


def _same_site(one: str, other: str) -> bool:
    try:
        return site_of(one) == site_of(other)
    except ValueError:
        return False


def _is_above(key: str, own: str) -> bool:
    """Whether the address is the home page or a section of the site, seen from the page's own one."""
    named, here = urlsplit(key), urlsplit(own)
    above, below = _segments(named.path), _segments(here.path)
    if named.query or not below or above == below:
        return False
    if not above:
        return True
    rest = below[len(above) :]
    return below[: len(above)] == above and not all(_TWIN.fullmatch(segment) for segment in rest)


def _is_front(key: str, own: str) -> bool:
    """Whether the address is a home page by its file's name, by a language or by what it asks for."""
    named, segments = urlsplit(key), _segments(urlsplit(key).path)
    if key == own or not _segments(urlsplit(own).path) or len(segments) > 1:
        return False
    asked = {pair.split("=")[0].lower() for pair in named.query.split("&") if pair}
    return asked <= _OF_FRONT and (not segments or bool(_FRONT.fullmatch(segments[0])))


def _is_unfilled(key: str) -> bool:
    return any(_UNFILLED.fullmatch(segment) for segment in _segments(urlsplit(key).path)[-1:])


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
