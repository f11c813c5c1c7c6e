"""When an article was published and changed: candidates from the whole page, each with source and confidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from crawler.dates import zone_of
from storage.records import Finding, Precision
from tasks.extract import jsonld
from tasks.extract.datecandidate import Candidate, machine, read
from tasks.extract.datelines import Line, date_lines
from tasks.extract.daterank import ranked, told_apart
from tasks.extract.dateresorts import changes_of_page, from_title, from_url, resorts
from tasks.extract.datetext import Context, folded, order_evidence, spot
from tasks.extract.document import Document
from tasks.extract.headline import Headline, page_headline
from tasks.extract.lexicon import lexicon
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values

_DAY_FIRST = re.compile(r"\.(?:uk|ie|au|nz|in|za|ng|ke|pk|sg)(?:[:/]|$)")
_ALONE = 12
"""Characters that a line may have beside its one date to say nothing else: a weekday, a label."""
_PROSE = 40
"""Characters beside its dates from which a line speaks of something else."""
_LATE = re.compile(r"updat|modif")


@dataclass(frozen=True, slots=True)
class Dates:
    """The findings of a page, best first."""

    published: tuple[Finding[datetime], ...]
    precision: Precision | None
    """Of the best published date."""
    modified: tuple[Finding[datetime], ...]


def find_dates(
    document: Document,
    node: dict[str, Any] | None,
    material: Material,
    language: str,
    recipe: Iterable[str],
    headline: Headline | None = None,
) -> Dates:
    """Collect all candidates. A date after the fetch is none; no date is taken from the clock or a copyright line."""
    context = _context(document, material, language)
    addressed = [*from_url(document.url, context)]
    if addressed:
        context = replace(context, expected=addressed[0].finding.value.date())
    published = [c for text in recipe for c in read("recipe:published", text, 1.0, context)]
    modified: list[Candidate] = []
    _from_jsonld(node, context, published, modified)
    for field, into in (("published", published), ("modified", modified)):
        for name, trust in trusted_names(field):
            into += [
                c for _, text in values(document.meta, (name,))[:1] for c in read(f"meta:{name}", text, trust, context)
            ]
    if published and context.expected is None:
        context = replace(context, expected=published[0].day)
    headline = headline or page_headline(document, node)
    lines = list(date_lines(document, headline))
    _from_dom(lines, headline, context, published, modified)
    _from_hints(material, context, published, modified)
    published += [*addressed, *from_title(document, context)]
    modified += () if node or modified else changes_of_page(document, context)
    best = ranked(told_apart(published or resorts(document, headline, lines, context), modified))
    return Dates(
        published=tuple(candidate.finding for candidate in best),
        precision=best[0].precision if best else None,
        modified=tuple(candidate.finding for candidate in ranked(modified)),
    )


def _context(document: Document, material: Material, language: str) -> Context:
    served = machine(material.header("Date") or "", material.fetched_at, UTC)
    made = (
        served[0]
        if served and material.fetched_at - timedelta(days=1) < served[0] < material.fetched_at
        else material.fetched_at
    )
    return Context(
        now=made,
        zone=zone_of(material.timezone),
        language=language,
        month_first=lru_cache(maxsize=1)(lambda: _order(document, language)),
    )


def _order(document: Document, language: str) -> bool | None:
    """Whether months go first, by the page's other dates, else by the country of an English page's address."""
    texts = document.tree.xpath("//body//text()[contains(., '/') or contains(., '-')][string-length(.) < 300]")
    shown = order_evidence(" ".join(texts))
    return False if shown is None and language == "en" and _DAY_FIRST.search(document.url) else shown


def _from_jsonld(
    node: dict[str, Any] | None, context: Context, published: list[Candidate], modified: list[Candidate]
) -> None:
    for key, trust, into in (
        ("datePublished", 0.95, published),
        ("dateCreated", 0.6, published),
        ("uploadDate", 0.6, published),
        ("dateModified", 0.95, modified),
    ):
        text = jsonld.first(node, key)
        into.extend(read(f"jsonld:{key}", text, trust, context) if text else ())


def _from_hints(material: Material, context: Context, published: list[Candidate], modified: list[Candidate]) -> None:
    for name, at, into in (
        ("feed:published", material.hints.published_at, published),
        ("feed:modified", material.hints.modified_at, modified),
    ):
        if at and at <= context.now + timedelta(days=1):
            into.append(Candidate(Finding(value=at, source=name, raw=at.isoformat(), confidence=0.7), Precision.SECOND))


def _from_dom(
    lines: Iterable[Line], headline: Headline, context: Context, published: list[Candidate], modified: list[Candidate]
) -> None:
    seen: set[str] = set()
    title = folded(headline.element.text_content()) if headline.element is not None else ""
    for line in lines:
        if line.stamp + line.text in seen:
            continue
        seen.add(line.stamp + line.text)
        if line.stamp:
            _from_stamp(line, context, published, modified)
        else:
            _from_line(line, title, context, published, modified)


def _from_stamp(line: Line, context: Context, published: list[Candidate], modified: list[Candidate]) -> None:
    """Sort a date for machines by the words in and around its element."""
    element, words = line.element, lexicon()
    labels = folded(f"{element.get('class') or ''} {element.get('itemprop') or ''} {_lead(element)} {line.text}")
    late = bool(_LATE.search(labels) or words.updated.search(labels))
    named = element.get("pubdate") is not None or "publish" in labels or bool(words.published.search(labels))
    trust = line.trust + (0.13 if named or late else 0)  # a little more than the words of the same line
    (modified if late and not named else published).extend(
        read(f"dom:{element.tag}", line.stamp, trust, context, _place(element))
    )


def _from_line(line: Line, title: str, context: Context, published: list[Candidate], modified: list[Candidate]) -> None:
    """Sort the dates of one line by the label before each ("Updated: …, first published: …")."""
    text, at, words = folded(line.text), 0, lexicon()
    title = title or "\0"
    marked = bool(_LATE.search(line.element.get("class") or "")) and "publi" not in (line.element.get("class") or "")
    spotted_here = list(spot(line.text, context))
    rest = len(text) - sum(s.end - s.start for s in spotted_here)
    for spotted in spotted_here:
        if 0 <= text.find(title) <= spotted.start < text.find(title) + len(title):
            continue  # the headline's own words say when something happens
        label = text[at : spotted.start] or (folded(_lead(line.element)) if not at else "")
        at = spotted.end
        late = max((m.end() for m in words.updated.finditer(label)), default=0 if marked else -1)
        early = max((m.end() for m in words.published.finditer(label)), default=-1)
        trust = line.trust + (0.12 if max(late, early) >= 0 else -0.05 if rest > _PROSE else 0.0)
        finding = Finding(value=spotted.at, source="dom:date-line", raw=line.text, confidence=trust)
        near = line.close and rest <= _ALONE and len(spotted_here) == 1
        (modified if late > early else published).append(
            Candidate(finding, spotted.precision, _place(line.element), near)
        )


def _place(element: Any) -> str:
    return f"{element.tag} {element.get('class') or ''}"


def _lead(element: Any) -> str:
    """The words right before an element, as a label."""
    before = element.getprevious()
    text = (
        before.tail if before is not None else (element.getparent().text if element.getparent() is not None else "")
    ) or ""
    return text[-40:] + " " + ((before.text or "")[-40:] if before is not None and isinstance(before.tag, str) else "")
