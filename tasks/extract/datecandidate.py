"""One date that a page may mean as its own, and how it is read from a value of markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from crawler.dates import parse_date
from storage.records import Finding, Precision
from tasks.extract.datelines import LONGEST
from tasks.extract.datetext import Context, spot

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Before it lie the zero dates of programs; no page was published then."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding with its precision and with the looks of its place."""

    finding: Finding[datetime]
    precision: Precision
    place: str = ""
    """Tag and class of the element that shows it: what a template repeats for each item of a list."""
    near: bool = False
    """Whether it stands by itself beside the headline."""

    @property
    def day(self) -> date:
        """The day in UTC."""
        return self.finding.value.date()

    @property
    def kind(self) -> str:
        """The kind of place: `jsonld`, `meta`, `dom`, `url`, `feed`, `text`, `script`."""
        return self.finding.source.partition(":")[0]

    def trusted(self, change: float) -> Candidate:
        """The same with more or less confidence, which stays within 0.05 and 1."""
        trust = round(min(1.0, max(0.05, self.finding.confidence + change)), 2)
        return replace(self, finding=replace(self.finding, confidence=trust))


def machine(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, Precision] | None:
    """What a value says in a machine's format."""
    return parse_date(text, now=now, default_zone=zone) if text else None


def read(source: str, text: str, trust: float, context: Context, place: str = "") -> Iterator[Candidate]:
    """The first date of a value that should be one: in a machine's format, else in a person's."""
    value = machine(text, context.now, context.zone)
    if value is None:
        spotted = next(spot(text, context), None) if len(text) <= LONGEST else None
        value = (spotted.at, spotted.precision) if spotted else None
    if value and EARLIEST < value[0] <= context.now + timedelta(days=1):
        finding = Finding(value=value[0], source=source, raw=text, confidence=trust)
        yield Candidate(finding, value[1], place)
