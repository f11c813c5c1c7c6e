"""What the readers of all feed formats share: addresses, dates, people and ties of an entry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from crawler.addresses import refusal
from crawler.dates import parse_date
from crawler.discovery.markup import Fields, texts
from crawler.discovery.text import plain, scrub
from crawler.urls import canonical_key, clean

_MAIL = re.compile(r"\S+@\S+\.\S+")
_HTTP = re.compile(r"\s*https?://", re.IGNORECASE)
_UNSEEN = " \t\n\r\f\v\u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_QUOTES = "\"'\u201c\u201d\u201e\u00ab\u00bb<>"
_LONGEST_NAME = 500
"""Characters of a text with a name in it that are read."""
_MAX_SECONDS = 366 * 86_400


def first_address(references: Iterable[str], base: str, unlike: str | None = None) -> str | None:
    """Return the first reference that makes an absolute http(s) address, other than the page `unlike` (a key)."""
    for reference in references:
        if (found := address(reference, base)) and canonical_key(found) != unlike:
            return found
    return None


def home_of(references: Iterable[str], base: str) -> str | None:
    """Return the address of the site that a feed belongs to; None where nobody may ask it though the feed may be.

    Editors leave their own machine in a template (`http://localhost:8080/`), and nothing below it can be fetched.
    """
    found = first_address(references, base)
    return None if found and refusal(found) and not refusal(base) else found


def address(reference: str, base: str) -> str | None:
    """Return the absolute http(s) address of a reference if it has a canonical key. Empty text refers to nothing.

    `&amp;` that is left stood escaped twice: no parameter begins with `amp;`. What editors paste around an address
    goes: signs that cannot be seen, quotation marks, angle brackets.
    """
    if not reference.strip():
        return None
    try:
        found = clean(scrub(_unwrapped(reference)).replace("&amp;", "&"), base)
        canonical_key(found)
    except ValueError:
        return None
    return found


def _unwrapped(reference: str) -> str:
    text = reference.strip(_UNSEEN)
    inner = text.strip(_QUOTES + _UNSEEN)
    return inner if text[:1] in _QUOTES and is_absolute(inner) else text


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
    """Return names, each once, without the markup and the references that some feeds have in them.

    `desk@a.example (Jo Lee)` and `Jo Lee <desk@a.example>` are Jo Lee; a bare mail address is nobody.
    """
    texts_of = (plain(text[:_LONGEST_NAME], is_html=True) or "" for text in written)
    names = (" ".join(_MAIL.sub(" ", text).strip(" <>()\t\n,;").split()) for text in texts_of)
    return tuple(dict.fromkeys(name for name in names if name))


def labels(written: Iterable[str]) -> tuple[str, ...]:
    """Return keywords, each once."""
    found = (plain(text, is_html=True) or "" for text in written)
    return tuple(dict.fromkeys(label[:200] for label in found if label))


def seconds(count: str, unit: float) -> int | None:
    """Return `count` units in seconds; None where that is no sensible time to wait."""
    try:
        value = float(count) * unit
    except ValueError:
        return None
    return int(value) if 1 <= value <= _MAX_SECONDS else None
