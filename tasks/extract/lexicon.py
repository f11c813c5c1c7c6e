"""The words that news pages print around their articles, by language, read once from the data files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def squash(text: str) -> str:
    """The text with white space collapsed and invisible marks (soft hyphens, direction marks) taken out."""
    visible = text if text.isascii() else _INVISIBLE.sub("", text)
    return " ".join(visible.split())


def fold(text: str) -> str:
    """The text for comparison with the lists: squashed and casefolded, typographic apostrophes made plain."""
    return squash(text).casefold().replace("’", "'")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All lists, joined over the languages, as compiled patterns over folded text."""

    months: Mapping[str, int]
    """Folded name or abbreviation to month number, over all languages (the first language wins)."""
    months_by_language: Mapping[str, Mapping[str, int]]
    byline: re.Pattern[str]
    byline_starts: frozenset[str]
    """The first two characters of what `byline` matches, folded: a line with others needs no match."""
    joiner: re.Pattern[str]
    role: re.Pattern[str]
    published: re.Pattern[str]
    updated: re.Pattern[str]
    date_labels: frozenset[str]
    """The first words of what `published` and `updated` find: a line without any of them needs no search."""
    opener: re.Pattern[str]
    opener_starts: frozenset[str]
    """The first two characters of what `opener` matches, likewise."""
    line: frozenset[str]
    not_found: re.Pattern[str]
    consent: re.Pattern[str]
    paywall: re.Pattern[str]
    gate: re.Pattern[str]
    """What stands where a text breaks off for readers without a subscription, and hardly anywhere else."""
    blocked: re.Pattern[str]
    listing: re.Pattern[str]
    ago: tuple[tuple[re.Pattern[str], int], ...]
    """Patterns of a time past, with the unit in seconds; the group holds the number, none stands for one."""
    ago_words: frozenset[str]
    """The words of the forms of `ago`: a text with spaces between its words and none of these states no time past."""
    ago_named: re.Pattern[str]
    """The forms of `ago` without a number, up to a week ("an hour ago"); a day's name alone is none."""
    agencies: frozenset[str]
    notice: frozenset[str]
    """What stands in notices that the newsroom earns by the links, or that the text must not be copied."""
    boilerplate: frozenset[str]
    plea_names: frozenset[str]
    """Words in the names of boxes that ask readers for money, and what such boxes say."""
    plea: re.Pattern[str]


_LETTERS = re.compile(r"[^\W\d_]+")
UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
"""Thai, Lao, Japanese and Chinese letters: their words have no edges."""
_UNITS = {
    "today": 0,
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "before_yesterday": 172_800,
    "week": 604_800,
    "month": 2_592_000,
}
_FIRST = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages whose reading of an ambiguous month name wins where the page's language is unknown."""


@cache
def lexicon() -> Lexicon:
    """Read the data files and compile their lists."""
    tables, classes = _tables(), read_data("classes.toml")
    words = {key: [fold(word) for table in tables.values() for word in table.get(key, ())] for key in _LISTS}
    by_language = {code: _months(table) for code, table in tables.items()}
    everywhere: dict[str, int] = {}
    for months in by_language.values():
        for name, number in months.items():
            everywhere.setdefault(name, number)
    return Lexicon(
        months=everywhere,
        months_by_language=by_language,
        byline=re.compile(rf"(?:{_any(words['byline'])})(?:\s*[:：]\s*|\s+|(?<=[:：/／＝=・]))", re.IGNORECASE),
        byline_starts=frozenset(word[:2] for word in words["byline"]),
        joiner=re.compile(
            rf"\s+(?:{_any(w for w in words['joiner'] if w.replace(' ', '').isalpha())})\s+", re.IGNORECASE
        ),
        role=re.compile(rf"(?:\b(?:{_any(words['roles'])})\b)"),
        published=_edge(words["published"]),
        updated=_edge(words["updated"]),
        date_labels=frozenset(
            match[0] for word in words["published"] + words["updated"] if (match := _WORD.search(word))
        ),
        opener=re.compile(rf"(?:{_any(words['opener'])})(?!(?<=\w)(?<![{UNSPACED}])[^\W\d_])"),
        opener_starts=frozenset(word[:2] for word in words["opener"]),
        line=frozenset(words["line"]),
        not_found=_edge(words["not_found"]),
        consent=_edge(words["consent"]),
        paywall=_edge(words["paywall"]),
        gate=re.compile(_edge(words["gate"]).pattern.replace(re.escape("{0}"), r"\d{1,6}")),
        blocked=_edge(words["blocked"]),
        listing=_edge(words["listing"]),
        ago=_ago(tables),
        ago_named=re.compile(rf"(?<![\w.])(?:{_any(_without_number(tables))})(?!\w)"),
        ago_words=frozenset(_LETTERS.findall(fold(" ".join(_ago_forms(tables))))),
        agencies=frozenset(map(fold, read_data("agencies.toml")["names"])),
        notice=frozenset(words["notice"]),
        boilerplate=frozenset(classes["always"]),
        plea_names=frozenset(classes["pleas"]),
        plea=_edge(words["plea"]),
    )


_LISTS = (
    "byline",
    "joiner",
    "roles",
    "published",
    "updated",
    "opener",
    "line",
    "not_found",
    "consent",
    "paywall",
    "gate",
    "blocked",
    "listing",
    "plea",
    "notice",
)


def read_data(*path: str) -> dict[str, Any]:
    """Parse a data file of the tasks."""
    return tomllib.loads(files("tasks").joinpath("data", *path).read_text("utf-8"))


def _tables() -> dict[str, dict[str, Any]]:
    names = sorted(entry.name for entry in files("tasks").joinpath("data", "lang").iterdir())
    codes = [name.removesuffix(".toml") for name in names if name.endswith(".toml")]
    return {
        code: read_data("lang", f"{code}.toml") for code in sorted(codes, key=lambda code: (code not in _FIRST, code))
    }


def _any(words: Iterable[str]) -> str:
    """An alternative of the words, grouped by their first character: a search tries a few instead of hundreds."""
    rests: dict[str, list[str]] = {}
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        start = word[: 0 if word.startswith("{0}") else 1]
        rests.setdefault(start, []).append(re.escape(word[len(start) :]))
    return "|".join(f"{re.escape(start)}(?:{'|'.join(rest)})" for start, rest in rests.items()) or r"(?!)"


def _edge(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds one of the words as a whole (scripts without spaces have no word edges)."""
    return re.compile(rf"(?<![a-zа-яёα-ω])(?:{_any(words)})(?![a-zа-яёα-ω])")


def _months(table: Mapping[str, Any]) -> dict[str, int]:
    return {fold(form): number for number, forms in enumerate(table["months"], 1) for form in forms if len(form) > 1}


def _ago_forms(tables: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    return (form for table in tables.values() for forms in table.get("ago", {}).values() for form in forms)


def _without_number(tables: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    units = ("minute", "hour", "day", "week")
    forms = (fold(form) for table in tables.values() for unit in units for form in table.get("ago", {}).get(unit, ()))
    return (form for form in forms if "{0}" not in form)


def _ago(tables: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[re.Pattern[str], int], ...]:
    found = []
    for unit, seconds in _UNITS.items():
        forms = {fold(form) for table in tables.values() for form in table.get("ago", {}).get(unit, ())}
        # A form whose only word is one letter ("5 m") says too little.
        usable = [form for form in forms if len(re.sub(r"[\W\d_]|\{0\}", "", form)) > 2 or not form.isascii()]
        pattern = _any(usable).replace(re.escape("{0}"), r"\d{1,3}")
        found.append((re.compile(rf"(?<![\w.])(?<!\w-)(?:{pattern})(?![a-zа-я])"), seconds))
    return tuple(found)
