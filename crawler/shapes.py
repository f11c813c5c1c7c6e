"""The shapes of a site's article addresses, learned from those that turned out to be articles."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

ENOUGH = 20
"""Known articles from which on an address of an unknown shape counts as less likely an article."""
SEEN = 3
"""Articles that a shape must be known from."""
SHARE = 0.02
"""Of all known articles, the least part that a shape must have: one odd address teaches nothing."""

_SUFFIX = re.compile(r"\.(?:s?html?|php|aspx?|jsp|cms|ece)$", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d[-_]?(?:0[1-9]|1[0-2])(?:[-_]?(?:0[1-9]|[12]\d|3[01]))?")
_HEX = re.compile(r"(?=.*\d)[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*")
_TELLING = frozenset({"date", "number", "slug", "slug-number", "code"})
"""Kinds of segment that lists, topics and services rarely have."""

Shape = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """What is known of one site."""

    telling: frozenset[Shape]
    """Shapes that mark an article by themselves."""
    folders: frozenset[tuple[str, Shape]]
    """Plain shapes that do so below this first segment."""
    learned_from: int

    def points(self, key: str) -> int:
        """What an address of the site gains (2) or loses (1) as an article's; 0 where nothing is known of its like."""
        shape, first = shape_of(key)
        if shape in self.telling or (first, shape) in self.folders:
            return 2
        return -1 if self.learned_from >= ENOUGH else 0


NOTHING = Shapes(telling=frozenset(), folders=frozenset(), learned_from=0)


def learn(keys: Iterable[str]) -> Shapes:
    """Learn from the canonical keys of a site's articles."""
    shapes: Counter[Shape] = Counter()
    folders: Counter[tuple[str, Shape]] = Counter()
    names: dict[tuple[str, Shape], set[str]] = defaultdict(set)
    for key in keys:
        shape, first = shape_of(key)
        shapes[shape] += 1
        folders[first, shape] += 1
        names[first, shape].add(key)
    total = sum(shapes.values())
    least = max(SEEN, SHARE * total)
    telling = frozenset(shape for shape, count in shapes.items() if count >= least and not _TELLING.isdisjoint(shape))
    plain = frozenset(
        folder
        for folder, count in folders.items()
        if count >= least and folder[1] not in telling and len(names[folder]) > 4
    )
    return Shapes(telling=telling, folders=plain, learned_from=total)


def shape_of(key: str) -> tuple[Shape, str]:
    """The kind of each segment of an address's path, then its parameters' names; and the first segment as it stands."""
    parts = urlsplit(key)
    segments = [part for part in parts.path.split("/") if part]
    suffix = [match[0].lower()] if segments and (match := _SUFFIX.search(segments[-1])) else []
    kinds = [_kind(_SUFFIX.sub("", part)) for part in segments]
    query = [f"?{name}" if not value.isdigit() else f"?{name}=number" for name, value in parse_qsl(parts.query)]
    first = segments[0].lower() if len(segments) > 1 else ""
    named = ["number" for item in query if item.endswith("=number")][:1]  # /article.php?id=17 is as telling as /17
    return (*_joined(kinds), *suffix, *query, *named), first


def _joined(kinds: list[str]) -> list[str]:
    """The kinds with the parts of a date (year, month, day) as one."""
    joined: list[str] = []
    for kind in kinds:
        if kind == "small" and joined and joined[-1] == "date":
            continue
        joined.append("number" if kind == "small" else kind)
    return joined


def _kind(segment: str) -> str:
    if _YEAR.fullmatch(segment) or _DATE.fullmatch(segment):
        return "date"
    if segment.isdigit():
        return "small" if len(segment) <= 2 else "number"
    words = [word for word in re.split(r"[-_+]|%20", segment) if word]
    if any(word.isdigit() and len(word) >= 4 and not _YEAR.fullmatch(word) for word in (words[:1] + words[-1:])):
        return "slug-number"
    if len(words) >= 3:
        return "slug"
    return "code" if _HEX.fullmatch(segment) or re.search(r"[A-Za-z]\d{4,}|\d{4,}[A-Za-z]", segment) else "word"
