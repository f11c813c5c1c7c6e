"""The place that a report is dated from, as its first line prints it: "LONDON (Reuters) -", "PARIS, March 3 —"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from storage.records import Block, BlockKind, Finding
from tasks.extract import jsonld
from tasks.extract.lexicon import fold, lexicon, read_data, squash

_OPENING = re.compile(
    r"(?P<head>[^–—\n()\[\]]{2,60}?)\s*(?:[(\[](?P<credit>[^()\[\]\n]{2,40})[)\]])?\s*(?P<dash>[–—]+|(?<=\s)--?(?=\s)|(?<=[)\]])[:.](?=\s|$))"
)
_CHINESE = re.compile(r"(?:\w{1,6}[社网網報报])?(?P<place>\w{2,6}?)\d{1,2}月\d{1,2}日[电電讯訊]")
"""Xinhua's way: agency, place and day without any space, closed by the sign for a cable."""
_DAY = re.compile(r"\s*(?:[^\W\d_]{3,10}\.?\s\d{1,2}|\d{1,2}\.?\s[^\W\d_]{3,10}\.?(?:\s\d{4})?|\d{4})\s*")
_PARTS = re.compile(r"\s*[/,&+]\s*")
_CAPITALS = re.compile(r"[^\W\d_]{4,}")
_MOST_WORDS = 4
_LONGEST = 60


def datelines(node: dict[str, Any] | None, blocks: Sequence[Block]) -> tuple[Finding[str], ...]:
    """The place as the page declares it (schema.org `dateline`), and as the first paragraph prints it."""
    declared = [squash(jsonld.plain(text)) for text in jsonld.strings((node or {}).get("dateline"))[:1]]
    places = (_place(text) for text in declared)
    found = [Finding(value=text, source="jsonld:dateline", raw=text, confidence=0.9) for text in places if text]
    first = next((block.text for block in blocks if block.kind is BlockKind.PARAGRAPH), "")
    return (*found, *_printed(first))


def _printed(text: str) -> Iterator[Finding[str]]:
    opening, cable = _OPENING.match(text), _CHINESE.match(text)
    if opening and (place := _place(opening["head"])):
        if _by_agency([opening["credit"] or "", opening["head"]]):
            yield Finding(value=place, source="text:dateline", raw=opening[0], confidence=0.85)
        elif opening["dash"] not in (".", ":") and _in_capitals(place):
            yield Finding(value=place, source="text:dateline", raw=opening[0], confidence=0.7)
    elif cable:
        yield Finding(value=cable["place"], source="text:dateline", raw=cable[0], confidence=0.7)


def _place(head: str) -> str:
    """The words before the dash without the day and the agency; empty if they can be no place's name."""
    parts = [part.strip() for part in head.split(",")]
    kept = [part for part in parts if not _DAY.fullmatch(part) and fold(part) not in lexicon().agencies]
    place = ", ".join(kept)
    words = kept[0].split() if kept else []
    named = 0 < len(words) <= _MOST_WORDS and all(word[0].isupper() or len(word) <= 3 for word in words)
    return place if named and words[0][0].isupper() and len(place) <= _LONGEST and not re.search(r"\d", place) else ""


def _by_agency(claims: Iterable[str]) -> bool:
    return any(fold(part) in lexicon().agencies for claim in claims for part in _PARTS.split(claim.strip()))


def _in_capitals(place: str) -> bool:
    """Without an agency only capitals tell a place from the first words of a sentence."""
    town = place.split(",", maxsplit=1)[0]
    return town.isupper() and bool(_CAPITALS.search(town)) and town not in _labels()


@cache
def _labels() -> frozenset[str]:
    return frozenset(read_data("datelines.toml")["labels"])
