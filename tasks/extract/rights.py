"""What a page reserves: text and data mining, indexing, excerpts, the training of machines; by header or by markup.

Sources: W3C TDM Reservation Protocol (tdm-reservation), Google's robots meta tag and X-Robots-Tag (noindex, nosnippet),
the `noai` and `noimageai` directives that began at DeviantArt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from storage.records import Finding, Headers

DIRECTIVES = ("noai", "noindex", "nosnippet", "noarchive", "noimageai")
"""Those that are kept, in the order in which they are told."""

_NONE = ("noindex", "nofollow")  # what `none` stands for
_OURS = "copydesk"
_AGENT = re.compile(r"^\s*([a-z0-9_-]+)\s*:\s*(?!\s*$)(.*)$", re.IGNORECASE)
_TIMED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


def reservations(headers: Headers, meta: Mapping[str, Sequence[str]]) -> tuple[Finding[str], ...]:
    """One finding that names all that is reserved, such as `reserved, noai`; none where nothing is said.

    `open` stands for a page that says that it reserves nothing. `meta` is the page's, by lower-case name.
    """
    stated = list(_mining(headers, meta))
    reserved = [one for one in stated if one[0] == "reserved"]
    orders = [one for name in DIRECTIVES for one in _orders(headers, meta) if one[0] == name]
    found = [*(reserved or stated)[:1], *orders]
    if not found:
        return ()
    values = tuple(dict.fromkeys(value for value, _, _ in found if value != "open" or len(found) == 1))
    sources = dict.fromkeys(source for _, source, _ in found)
    raw = dict.fromkeys(raw for _, _, raw in found)
    told = {"source": "; ".join(sources)[:200], "raw": "; ".join(raw)[:500]}
    return (Finding(value=", ".join(values), confidence=0.95, **told),)


def _mining(headers: Headers, meta: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    words = {"1": "reserved", "0": "open"}
    for name, value in headers:
        if name.lower() == "tdm-reservation" and value.strip() in words:
            yield words[value.strip()], "header:tdm-reservation", value.strip()
    for value in meta.get("tdm-reservation", ()):
        if value.strip() in words:
            yield words[value.strip()], "meta:tdm-reservation", value.strip()


def _orders(headers: Headers, meta: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    for name, value in headers:
        if name.lower() == "x-robots-tag" and (line := _for_us(value)):
            yield from ((order, "header:x-robots-tag", value.strip()) for order in _split(line))
    for name in ("robots", _OURS):
        for value in meta.get(name, ()):
            yield from ((order, f"meta:{name}", value.strip()) for order in _split(value))


def _for_us(value: str) -> str | None:
    """The orders of a header line, unless it names another crawler (`otherbot: noindex`)."""
    match = _AGENT.match(value)
    if match is None or match[1].lower() in _TIMED:
        return value
    return match[2] if match[1].lower() == _OURS else None


def _split(value: str) -> Iterator[str]:
    for word in value.lower().split(","):
        yield from _NONE if word.strip() == "none" else (word.strip(),)
