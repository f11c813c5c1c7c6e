"""What a page says of each field of its article: the candidate that won, and those that lost. Nothing is stored."""

from dataclasses import dataclass, fields
from typing import Any

from storage.records import Article, Extracted, Finding, Provenance, Record
from tasks.normalize import ranked, render

_STORED = {"blocks": "text"}
"""Fields that stand in a record under another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Record):
    """One candidate for one field."""

    value: str
    source: str
    raw: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Record):
    """One field of an article: where its value comes from, and what else was said."""

    field: str
    winner: Provenance | None
    lost: tuple[Candidate, ...] = ()


def explained(article: Article, seen: Extracted | None) -> list[Why]:
    """Each field with its winner as stored and the other findings, the most trusted first.

    `seen` is what the page says by the present code; None where its bytes are gone: then no loser is known.
    """
    stored = article.content.provenance
    found = _findings(seen) if seen else {}
    names = list(dict.fromkeys([*stored, *(name for name, listed in found.items() if listed)]))
    return [_why(name, stored.get(name), found.get(name, [])) for name in names]


def _findings(seen: Extracted) -> dict[str, list[Finding[Any]]]:
    values = ((spec.name, getattr(seen, spec.name)) for spec in fields(seen))
    return {_STORED.get(name, name): ranked(value) for name, value in values if isinstance(value, tuple)}


def _why(name: str, winner: Provenance | None, found: list[Finding[Any]]) -> Why:
    lost = tuple(_candidate(name, one) for one in found if winner is None or not _is(one, winner))
    return Why(field=name, winner=winner, lost=lost)


def _is(finding: Finding[Any], winner: Provenance) -> bool:
    return finding.source == winner.source and finding.raw.startswith(winner.raw)


def _candidate(name: str, finding: Finding[Any]) -> Candidate:
    same = {"source": finding.source, "raw": finding.raw, "confidence": finding.confidence}
    return Candidate(value=_text(name, finding.value), **same)  # type: ignore[arg-type]


def _text(name: str, value: Any) -> str:
    if name == "text":
        return render(value)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
