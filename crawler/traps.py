"""Addresses that lead nowhere for ever: calendars, facets, paths that repeat themselves, listings without end.

A feed or sitemap names its addresses one by one; a section page holds whatever its template makes, so the rules for it
are stricter. All of them are about addresses alone: no request is needed to end a trap.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from urllib.parse import parse_qsl, unquote, urlsplit

from storage.records import Via

DEEPEST = 14
"""Segments of a path; no news site files its stories deeper."""
MOST_REPEATS = 3
"""Times that one segment may stand in a path: /a/b/a/b/a is a relative link that grows at each step."""
MOST_PARAMETERS = 8
"""Of a query; facets pile up, articles need one or two."""
FEWEST_FACETS = 3
"""Parameters from which on a query is taken for facets; one or two may well name a story."""
MOST_VARIANTS = 25
"""Addresses of one path in one listing whose queries of that many parameters say different things.

Fewer parameters are facets too where they are combined: where a story is meant, one of them names it, and it alone.
"""
MOST_SHAPES = 6
"""Combinations of parameters that one path may have in one listing."""
MOST_NEW = 500
"""Addresses that one look at a section page may bring."""

_PAGES = frozenset({"pg", "paged"})
_LINKED = frozenset({Via.SECTION, Via.NEXT_PAGE})
_DATE_ENDS = re.compile(r"/(?:19|20|21)\d\d(?:[/-](?:0?[1-9]|1[0-2])(?:[/-](?:0?[1-9]|[12]\d|3[01]))?)?(?:\.html?)?/?$")
_DATED = re.compile(r"(?:^|[^\d])(?:19|20|21)\d\d(?:[/-]?(?:0?[1-9]|1[0-2]))?(?:[^\d]|$)")


def trap_of(key: str, via: Via) -> str | None:
    """Why an address is a trap by itself: `trap_repeating_path`, `trap_facets`, `trap_calendar`, `trap_pagination`.

    The last two, and an address that holds itself in its query, are for links on pages only. `key` is canonical.
    """
    parts = urlsplit(key)
    if _repeats([segment for segment in parts.path.split("/") if segment]):
        return "trap_repeating_path"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if len(pairs) > MOST_PARAMETERS or any(count > MOST_REPEATS for count in Counter(n for n, _ in pairs).values()):
        return "trap_facets"
    if via not in _LINKED:
        return None
    if any(_holds(name, value) for name, value in pairs):
        return "trap_repeating_path"
    if _is_calendar(parts.path, pairs):
        return "trap_calendar"
    return "trap_pagination" if _is_pager(parts.path, pairs) else None


def pager_words() -> frozenset[str]:
    """Words of a path or query that stand before the number of a list's page."""
    return _lists().pagers | _PAGES


@dataclass(slots=True)
class Budget:
    """What one listing may still bring. One instance for each look at it; `over` counts what it says."""

    _variants: Counter[str] = field(default_factory=Counter)
    _shapes: dict[str, set[str]] = field(default_factory=dict)
    _values: defaultdict[tuple[str, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _linked: int = 0

    def over(self, key: str, via: Via) -> str | None:
        """Why the listing may not bring this address too: `trap_facets`, `trap_budget`."""
        if via not in _LINKED:
            return None
        path, _, query = key.partition("?")
        if query and self._is_facet(path, query):
            return "trap_facets"
        self._linked += 1
        return "trap_budget" if self._linked > MOST_NEW else None

    def _is_facet(self, path: str, query: str) -> bool:
        pairs = sorted(part.partition("=")[::2] for part in query.split("&"))
        names = tuple(name for name, _ in pairs)
        shapes = self._shapes.setdefault(path, set())
        shapes.add("&".join(names))
        self._variants[path] += len(names) >= FEWEST_FACETS
        if len(shapes) > MOST_SHAPES or (len(names) >= FEWEST_FACETS and self._variants[path] > MOST_VARIANTS):
            return True
        return len(names) > 1 and self._is_combined(path, pairs)

    def _is_combined(self, path: str, pairs: Sequence[tuple[str, str]]) -> bool:
        """Whether the addresses of these parameters are combinations of a few values of each."""
        names = [name for name, _ in pairs]
        counts = [self._values[path, name, *names] for name in names]
        for count, (_, value) in zip(counts, pairs, strict=True):
            count[value] += 1
        return counts[0].total() > MOST_VARIANTS and all(2 * len(count) <= count.total() for count in counts)


def _repeats(segments: list[str]) -> bool:
    if len(segments) > DEEPEST:
        return True
    words = Counter(segment for segment in segments if not segment.isdigit())
    return any(count >= MOST_REPEATS for count in words.values()) or _cycles(segments)


def _cycles(segments: list[str]) -> bool:
    """Whether the path walks in a circle: the same two or more segments right after themselves."""
    return any(
        segments[start : start + length] == segments[start + length : start + 2 * length]
        for length in range(2, len(segments) // 2 + 1)
        for start in range(len(segments) - 2 * length + 1)
    )


def _holds(name: str, value: str) -> bool:
    """Whether a parameter's value is an address with that parameter: `?back=/news?back=/news` grows at each step."""
    return bool(re.search(rf"[?&]{re.escape(name)}=", unquote(value)))


def _is_calendar(path: str, pairs: Iterable[tuple[str, str]]) -> bool:
    """A page of a month or a day, which has a neighbour on either side, for ever."""
    if _DATE_ENDS.search(path):
        return True
    days, words = _lists().days, _lists().calendars
    if any(name.lower() in days and value[:1].isdigit() for name, value in pairs):
        return True
    return not words.isdisjoint(_words(path)) and bool(_DATED.search(path))


def _is_pager(path: str, pairs: Sequence[tuple[str, str]]) -> bool:
    """One of the pages of a list, by a number in its path or a query that says nothing else."""
    segments = [segment for segment in path.split("/") if segment]
    numbered = len(segments) > 1 and segments[-1].isdigit() and segments[-2].lower() in _lists().pagers
    listed = all(name.lower().partition("[")[0] in _lists().lists for name, _ in pairs)
    return numbered or (bool(pairs) and listed)


def _words(path: str) -> set[str]:
    return {word for segment in path.lower().split("/") for word in (segment, *re.split(r"[-.]", segment))}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    calendars: frozenset[str]
    days: frozenset[str]
    lists: frozenset[str]
    pagers: frozenset[str]


@cache
def _lists() -> _Lists:
    found = tomllib.loads(resources.files("crawler.data").joinpath("traps.toml").read_text("utf-8"))
    return _Lists(**{name: frozenset(words) for name, words in found.items()})
