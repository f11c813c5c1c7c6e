"""The search syntax: words, "a phrase", -not, field:value. Parsed once, for every database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.errors import UsageError

FIELDS = {
    "source": "name of a source",
    "site": "registrable domain",
    "publisher": "publisher's name",
    "author": "a person's whole name",
    "language": "two letters, as de",
    "section": "section's name",
    "access": "free, metered, paywall, consent or partial",
    "title": "a word of the title",
    "after": "published on this day or later, as 2026-03-10",
    "before": "published before this day",
}
"""What may stand before the colon."""
_TOKEN = re.compile(r'(?P<no>-)?(?:(?P<field>[a-zA-Z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that an article must hold: a word, or several in a row."""

    text: str
    title: bool = False
    """Only in the title."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; every part must hold."""

    wanted: tuple[Wanted, ...] = ()
    unwanted: tuple[Wanted, ...] = ()
    having: tuple[tuple[str, str], ...] = ()
    """Fields and the value that each must have."""
    lacking: tuple[tuple[str, str], ...] = ()
    after: datetime | None = None
    before: datetime | None = None

    @property
    def language(self) -> str | None:
        """The language asked for, if there is one: its words are looked for in that language's forms only."""
        return dict(self.having).get("language")


def parse(text: str) -> Query:
    """Read a query. Raises UsageError where it asks for nothing, or names a field that there is not."""
    wanted: dict[bool, list[Wanted]] = {True: [], False: []}
    fields: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    days: dict[str, datetime] = {}
    for token in _TOKEN.finditer(text):
        value = (token["phrase"] if token["phrase"] is not None else token["word"]).strip()
        name = (token["field"] or "").lower()
        if name and name not in FIELDS and not token["phrase"] and "//" in value:
            name, value = "", token[0].lstrip("-")  # an address is a word with a colon
        _sort(name, value, wanted[not token["no"]], fields[not token["no"]], days, negated=bool(token["no"]))
    query = Query(tuple(wanted[True]), tuple(wanted[False]), tuple(fields[True]), tuple(fields[False]), **_bounds(days))
    if not (query.wanted or query.having or days):
        raise UsageError('the query asks for nothing; give a word, "a phrase" or field:value that articles must have')
    return query


def _sort(
    name: str,
    value: str,
    wanted: list[Wanted],
    fields: list[tuple[str, str]],
    days: dict[str, datetime],
    *,
    negated: bool,
) -> None:
    if not value:
        return
    if name in ("after", "before"):
        if negated:
            raise UsageError(f"-{name}: cannot be negated; use the other of after: and before:")
        days[name] = _day(name, value)
    elif name in ("", "title"):
        wanted.append(Wanted(value, title=name == "title"))
    elif name in FIELDS:
        fields.append((name, value))
    else:
        raise UsageError(f"there is no field {name!r}; there are: {', '.join(FIELDS)}")


def _day(name: str, value: str) -> datetime:
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"{name}: must be a day as 2026-03-10, not {value!r}") from error


def _bounds(days: Mapping[str, datetime]) -> dict[str, datetime | None]:
    return {"after": days.get("after"), "before": days.get("before")}
