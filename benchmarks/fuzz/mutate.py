"""Input number N of a run: a seed with some damage, the same for the same run and number."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.fuzz.seeds import seeds

_MOST = 200_000
"""Bytes of an input."""
_TOKENS = (
    *b"<div>|</div>|<p>|<a href='|<table><tr><td>|<script type='application/ld+json'>|</script>|<!--|-->|".split(b"|"),
    *b"<![CDATA[|]]>|<item>|</item>|<entry>|<url><loc>|<sitemap>|<link>|<pubDate>|<rss>|</rss>|<base href='//'>".split(
        b"|"
    ),
    *b"<!DOCTYPE x [<!ENTITY a '&a;'>]>|<?xml version='1.0' encoding='utf-16'?>|&amp;|&#0;|&#xD800;|&x;".split(b"|"),
    *b"&#1114112;|<feed xmlns='http://www.w3.org/2005/Atom'>|<meta charset=utf-16>|<meta charset=x-user".split(b"|"),
    *b"<svg><math>|<template>|<plaintext>|<noscript>|style='display:none'|rel=next|rel=canonical|</p>".split(b"|"),
    *rb'{"@type":"NewsArticle",|{"a":|[[|]]|\ud800|\u0000|1e999|-1|NaN|null|"@graph":[|//|%00|%|%zz|data:,'.split(b"|"),
    *b"0000-00-00T99:99:99Z|Thu, 31 Feb 9999 25:61:61 +9999|99999999999999999999|http://[::1|http://[v1.a]/".split(
        b"|"
    ),
    *b"javascript:|Disallow: *|Allow: $|User-agent:|Crawl-delay: 1e400|Sitemap:|\x00|\xff\xfe|\xef\xbb\xbf".split(b"|"),
    *b"\xed\xa0\x80|\xe2\x80\x8b|\x1f\x8b\x08|\r|\x85|\xc2\xa0".split(b"|"),
)


@dataclass(frozen=True, slots=True)
class Input:
    """One input: which parser gets it, and what."""

    number: int
    choice: float
    """In [0, 1): picks the parser."""
    body: bytes
    content_type: str


def make(seed: int, number: int) -> Input:
    """The input of that number in the run of that seed."""
    chance = random.Random(f"{seed}:{number}")
    first = chance.choice(seeds())
    body = bytearray(first.body)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8, 13))):
        body = chance.choice(_DAMAGES)(chance, body)[:_MOST]
    kind = first.content_type if chance.random() < 0.8 else chance.choice(_TYPES)
    return Input(number, chance.random(), bytes(body), kind)


_TYPES = (
    "",
    "text/html; charset=utf-16",
    "text/xml; charset=shift_jis",
    "text/html; charset=iso-2022-jp",
    "text/html; charset=\x00",
)


def _flipped(chance: random.Random, body: bytearray) -> bytearray:
    for _ in range(chance.randint(1, 16)):
        if body:
            body[chance.randrange(len(body))] = chance.randrange(256)
    return body


def _without(chance: random.Random, body: bytearray) -> bytearray:
    start, end = _slice(chance, body)
    return body[:start] + body[end:]


def _repeated(chance: random.Random, body: bytearray) -> bytearray:
    start, end = _slice(chance, body)
    times = chance.choice((2, 3, 10, 100))
    return body[:end] + body[start:end] * times + body[end:]


def _inserted(chance: random.Random, body: bytearray) -> bytearray:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(_TOKENS) * chance.choice((1, 1, 1, 2, 20, 500)) + body[at:]


def _nested(chance: random.Random, body: bytearray) -> bytearray:
    """Many openings, and perhaps as many ends."""
    opening, end = chance.choice(
        ((b"<div>", b"</div>"), (b"[", b"]"), (b'{"a":', b"}"), (b"<b><p>", b""), (b"(", b")"))
    )
    depth, (start, stop) = chance.choice((10, 200, 3000)), _slice(chance, body)
    return body[:start] + opening * depth + body[start:stop] + end * depth + body[stop:]


def _spliced(chance: random.Random, body: bytearray) -> bytearray:
    other = bytearray(chance.choice(seeds()).body)
    return body[: chance.randint(0, len(body))] + other[chance.randint(0, len(other)) :]


def _cut(chance: random.Random, body: bytearray) -> bytearray:
    return body[: chance.randint(0, len(body))]


def _recoded(chance: random.Random, body: bytearray) -> bytearray:
    codec = chance.choice(("utf-16", "utf-16-be", "utf-32", "cp1252", "shift_jis", "utf-7"))
    return bytearray(bytes(body).decode("utf-8", "replace").encode(codec, "replace"))


def _slice(chance: random.Random, body: bytearray) -> tuple[int, int]:
    start = chance.randint(0, len(body))
    return start, min(len(body), start + chance.choice((1, 4, 16, 64, 256, 4096)))


_DAMAGES: tuple[Callable[[random.Random, bytearray], bytearray], ...] = (
    _flipped, _flipped, _without, _repeated, _inserted, _inserted, _inserted, _nested, _spliced, _cut, _recoded,
)  # fmt: skip
