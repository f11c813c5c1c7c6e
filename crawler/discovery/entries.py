"""What the readers of all feed formats share: addresses, dates, people and ties of an entry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from crawler.dates import parse_date
from crawler.discovery.markup import Fields, texts
from crawler.discovery.text import scrub
from crawler.urls import canonical_key, clean

_MAIL = re.compile(r"\S+@\S+\.\S+")
_HTTP = re.compile(r"\s*https?://", re.IGNORECASE)
_LONGEST_NAME = 500
"""Characters of a text with a name in it that are read."""
_MAX_SECONDS = 366 * 86_400


def first_address(references: Iterable[str], base: str, unlike: str | None = None) -> str | None:
    """Return the first reference that makes an absolute http(s) address, other than the page `unlike` (a key)."""
    for reference in references:
        if (found := address(reference, base)) and canonical_key(found) != unlike:
            return found
    return None


def address(reference: str, base: str) -> str | None:
    """Return the absolute http(s) address of a reference if it has a canonical key. Empty text refers to nothing.

    `&amp;` that is left stood escaped twice: no parameter begins with `amp;`.
    """
    if not reference.strip():
        return None
    try:
        found = clean(scrub(reference).replace("&amp;", "&"), base)
        canonical_key(found)
    except ValueError:
        return None
    return found


def is_absolute(reference: str) -> bool:
    """Return whether a text is an http(s) address by itself."""
    return _HTTP.match(reference) is not None


def key_of(reference: str | None) -> str | None:
    """Return the canonical key of an address, or None where it has none."""
    try:
        return canonical_key(reference) if reference else None
    except ValueError:
        return None


def date_of(fields: Fields, names: tuple[str, ...], now: datetime) -> datetime | None:
    """Return the first instant that one of these children states."""
    return first_date(texts(fields, *names), now)


def first_date(written: Iterable[str], now: datetime) -> datetime | None:
    """Return the first instant that is stated. A date without a zone is one of the zone in which `now` is given."""
    zone = now.tzinfo or UTC
    return next((found[0] for text in written if (found := parse_date(text, now=now, default_zone=zone))), None)


def people(written: Iterable[str]) -> tuple[str, ...]:
    """Return names, each once.

    `desk@a.example (Jo Lee)` and `Jo Lee <desk@a.example>` are Jo Lee; a bare mail address is nobody.
    """
    names = (" ".join(_MAIL.sub(" ", scrub(text[:_LONGEST_NAME])).strip(" <>()\t\n,;").split()) for text in written)
    return tuple(dict.fromkeys(name for name in names if name))


def labels(written: Iterable[str]) -> tuple[str, ...]:
    """Return keywords, each once."""
    return tuple(dict.fromkeys(label for text in written if (label := " ".join(scrub(text).split())[:200])))


def seconds(count: str, unit: float) -> int | None:
    """Return `count` units in seconds; None where that is no sensible time to wait."""
    try:
        value = float(count) * unit
    except ValueError:
        return None
    return int(value) if 1 <= value <= _MAX_SECONDS else None
