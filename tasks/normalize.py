"""Decides the one value of each field of an article, and remembers where it came from."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from storage.records import Access, Block, Clean, Extracted, Finding, Precision, Provenance, Rejection
from tasks.credit import credited
from tasks.identity import Identity, identify
from tasks.repeats import told_once
from tasks.words import fold, word_count

T = TypeVar("T")

_RAW_LENGTH = 300
"""Characters of a finding's raw form that are kept; a body's raw form would store the page twice."""
_AHEAD = timedelta(days=1)
"""How far a page's clock or a missing time zone may carry a date past the fetch."""
_TEXT_CREDIT = 0.8
_PLAIN = ("subtitle", "description", "section", "keywords", "image", "access", "license", "tdm", "credit", "dateline")
"""The fields whose best finding is the value."""
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_SUBTAG = re.compile(r"[a-z]{2,3}")
# Retired codes that are still sent (IANA Language Subtag Registry, 'Preferred-Value'; ISO 639-2 for the long ones).
_RENAMED = {
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "spa": "es",
}
_RENAMED |= {
    "ita": "it",
    "por": "pt",
    "nld": "nl",
    "dut": "nl",
    "rus": "ru",
    "jpn": "ja",
    "zho": "zh",
    "chi": "zh",
    "ara": "ar",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a page besides what it says: its address, when it was fetched, what its source is."""

    url: str
    fetched_at: datetime
    language: str | None = None
    """The source's, where the page names none."""
    publisher: str | None = None


def normalize(extracted: Extracted, facts: Facts, *, min_words: int = 5) -> Clean | Rejection:
    """The article in canonical form, or why there is none: `no_title`, `no_text`, `too_short`."""
    title, body = best(extracted.title), best(extracted.blocks)
    if title is None:
        return Rejection(stage="normalize", reason="no_title")
    if body is None:
        return Rejection(stage="normalize", reason="no_text")
    body = replace(body, value=told_once(body.value, _value(extracted.subtitle), names_of(extracted)))
    text = render(body.value)
    words = word_count(text)
    if words < min_words:
        return Rejection(stage="normalize", reason="too_short", detail=f"{words} words, {min_words} are needed")
    return _assemble(extracted, facts, title, body, text)


def names_of(extracted: Extracted) -> tuple[str, ...]:
    """All that a byline may name: the most trusted authors and the credit."""
    authors, credit = best(extracted.authors), best(extracted.credit)
    return (*(authors.value if authors else ()), *([credit.value] if credit else []))


def _value(findings: Sequence[Finding[str]]) -> str:
    found = best(findings)
    return found.value if found else ""


def best(findings: Sequence[Finding[T]]) -> Finding[T] | None:
    """The most trusted finding; of equally trusted ones the first."""
    return max(findings, key=lambda finding: finding.confidence, default=None)


def ranked(findings: Iterable[Finding[T]]) -> list[Finding[T]]:
    """The findings from the most to the least trusted; equally trusted ones keep their order."""
    return sorted(findings, key=lambda finding: -finding.confidence)


def render(blocks: Iterable[Block]) -> str:
    """The plain text of a body: its blocks with one empty line between them."""
    return "\n\n".join(block.text for block in blocks)


def primary_language(tag: str | None) -> str | None:
    """The primary subtag of a language tag, lower case (BCP 47, RFC 5646 section 2.2.1), or None if there is none."""
    subtag = (tag or "").strip().lower().replace("_", "-").split("-")[0]
    return _RENAMED.get(subtag, subtag) if _SUBTAG.fullmatch(subtag) and subtag != "und" else None


def people(names: Iterable[str], publisher: str | None) -> tuple[str, ...]:
    """The names once each, in order; a spelling in capitals yields to a mixed one; the source's house is no person."""
    kept: dict[str, str] = {}
    for name in names:
        key = fold(name)
        if key and key != fold(publisher or "") and "://" not in name and (key not in kept or kept[key].isupper()):
            kept[key] = name
    return tuple(kept.values())


def _assemble(
    extracted: Extracted, facts: Facts, title: Finding[str], body: Finding[tuple[Block, ...]], text: str
) -> Clean:
    identity = identify(facts.url, ranked(extracted.canonical_url))
    published = _published(extracted, facts.fetched_at)
    publisher = best(extracted.publisher)
    publisher_name = publisher.value if publisher else facts.publisher
    winners: dict[str, Finding[Any] | None] = {"title": title, "text": body, "publisher": publisher}
    winners |= {"published_at": published, "modified_at": _modified(extracted, published, facts.fetched_at)}
    winners |= {"authors": _authors(extracted, publisher_name, facts.publisher), "language": _language(extracted)}
    for name in _PLAIN:
        winners[name] = best(getattr(extracted, name))
    values = {name: winner.value for name, winner in winners.items() if winner is not None and name != "text"}
    values["authors"] = _without_house(people(values.get("authors", ()), facts.publisher), publisher_name)
    values["keywords"] = tuple(dict.fromkeys(values.get("keywords", ())))
    values["language"] = primary_language(values.get("language") or facts.language)
    values["publisher"] = publisher_name
    values["access"] = values.get("access", Access.FREE)
    clean = Clean(
        url=identity.url,
        text=text,
        blocks=body.value,
        fetched_at=facts.fetched_at,
        published_precision=_precision(extracted, published),
        provenance=_provenance(winners, identity),
        **values,
    )
    return _credited(clean)


def _credited(clean: Clean) -> Clean:
    """The article with the agency that its text or its byline names as its credit, if there is one."""
    agency, _ = credited(clean)
    if agency is None or agency == clean.credit:
        return clean
    trace = Provenance(source="text:credit", raw=agency, confidence=_TEXT_CREDIT)
    return replace(clean, credit=agency, provenance=MappingProxyType({**clean.provenance, "credit": trace}))


def _without_house(names: tuple[str, ...], publisher: str | None) -> tuple[str, ...]:
    """The names without the publisher's, which stands beside persons as no person; alone it is a writer's own site."""
    others = tuple(name for name in names if fold(name) != fold(publisher or ""))
    return others or names


def _authors(extracted: Extracted, publisher: str | None, house: str | None) -> Finding[tuple[str, ...]] | None:
    """The best finding that names a person beside the publisher; else one that is all a writer's own site says."""
    findings = ranked(extracted.authors)
    named = (finding for name in (publisher, house) for finding in findings if people(finding.value, name))
    return next(named, None)


def _language(extracted: Extracted) -> Finding[str] | None:
    return next((finding for finding in ranked(extracted.language) if primary_language(finding.value)), None)


def _published(extracted: Extracted, fetched_at: datetime) -> Finding[datetime] | None:
    """The best date that can be one of publication: not after the fetch, and not the zero of a clock."""
    dates = ranked(extracted.published_at)
    return next((date for date in dates if _EPOCH <= date.value <= fetched_at + _AHEAD), None)


def _modified(
    extracted: Extracted, published: Finding[datetime] | None, fetched_at: datetime
) -> Finding[datetime] | None:
    earliest = published.value if published else _EPOCH
    return next((date for date in ranked(extracted.modified_at) if earliest <= date.value <= fetched_at + _AHEAD), None)


def _precision(extracted: Extracted, published: Finding[datetime] | None) -> Precision | None:
    # The precision is that of the best date; of another one that had to take its place nothing is known.
    return extracted.published_precision if published and published is best(extracted.published_at) else None


def _provenance(winners: Mapping[str, Finding[Any] | None], identity: Identity) -> Mapping[str, Provenance]:
    found = {name: winner for name, winner in winners.items() if winner is not None} | dict(identity.evidence)
    return MappingProxyType({name: _trace(winner) for name, winner in found.items()})


def _trace(finding: Finding[Any]) -> Provenance:
    return Provenance(source=finding.source, raw=finding.raw[:_RAW_LENGTH], confidence=finding.confidence)
