"""When an article was published and changed: candidates from the whole page, each with source and confidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crawler.dates import parse_date
from storage.records import Finding, Precision
from tasks.extract import jsonld
from tasks.extract.datelines import LONGEST, Line, date_lines, foreign, in_sentence, is_copyright
from tasks.extract.datetext import Context, folded, order_evidence, spot
from tasks.extract.document import Document
from tasks.extract.headline import Headline, page_headline
from tasks.extract.lexicon import lexicon
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values

_URL_DAY = re.compile(r"[/_-]((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_URL_NAMED = re.compile(r"/((?:19|20)\d\d)/([a-z]{3,9})/(\d{1,2})(?=[/_.-]|$)")
_SCRIPTED = re.compile(
    r"\\?[\"'](?:date_?published|(?:first_?)?published_?(?:at|date|time|on)|publish_?(?:date|time|at)|publication_?date|pub_?date)\\?[\"']"
    r"\s*:\s*\\?[\"']([^\"'\\]{8,40})",
    re.IGNORECASE,
)
_FEW, _SOME = 3, 12
"""Dates on a page that names none as its own, above which none can be told to be the article's."""


_MOST_NODES = 5_000
_DIGIT = re.compile(r"\d")
_LATE = re.compile(r"updat|modif")


@dataclass(frozen=True, slots=True)
class Dates:
    """The findings of a page, best first."""

    published: tuple[Finding[datetime], ...]
    precision: Precision | None
    """Of the best published date."""
    modified: tuple[Finding[datetime], ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    finding: Finding[datetime]
    precision: Precision


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
    addressed = [*_from_url(document.url, context)]
    if addressed:
        context = replace(context, expected=addressed[0].finding.value.date())
    published = [c for text in recipe for c in _read("recipe:published", text, 1.0, context)]
    modified: list[_Candidate] = []
    _from_jsonld(node, context, published, modified)
    for field, into in (("published", published), ("modified", modified)):
        for name, trust in trusted_names(field):
            into += [
                c for _, text in values(document.meta, (name,))[:1] for c in _read(f"meta:{name}", text, trust, context)
            ]
    headline = headline or page_headline(document, node)
    _from_dom(document, headline, context, published, modified)
    _from_hints(material, context, published, modified)
    published += addressed
    if not published:
        published += _from_page_node(document, context)
    if not published:
        published += _from_text(document, headline, context)
    if not published:
        published += _from_scripts(document, context)
    best = _ranked(_unlike(published, modified))
    return Dates(
        published=tuple(candidate.finding for candidate in best),
        precision=best[0].precision if best else None,
        modified=tuple(candidate.finding for candidate in _ranked(modified)),
    )


def _context(document: Document, material: Material, language: str) -> Context:
    served = _machine(material.header("Date") or "", material.fetched_at, UTC)
    made = (
        served[0]
        if served and material.fetched_at - timedelta(days=1) < served[0] < material.fetched_at
        else material.fetched_at
    )
    evidence = order_evidence(
        " ".join(document.tree.xpath("//body//text()[contains(., '/') or contains(., '-')][string-length(.) < 300]"))
    )
    if (
        evidence is None
        and language == "en"
        and re.search(r"\.(uk|ie|au|nz|in|za|ng|ke|pk|sg)(?:[:/]|$)", document.url)
    ):
        evidence = False
    return Context(now=made, zone=_zone(material.timezone), language=language, month_first=evidence)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _machine(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, Precision] | None:
    return parse_date(text, now=now, default_zone=zone) if text else None


def _read(source: str, text: str, trust: float, context: Context) -> Iterator[_Candidate]:
    """The first date of a value that should be one: in a machine's format, else in a person's."""
    value = _machine(text, context.now, context.zone)
    if value is None:
        spotted = next(spot(text, context), None) if len(text) <= LONGEST else None
        value = (spotted.at, spotted.precision) if spotted else None
    if value and datetime(1970, 1, 2, tzinfo=UTC) < value[0] <= context.now + timedelta(days=1):
        yield _Candidate(Finding(value=value[0], source=source, raw=text, confidence=trust), value[1])


def _from_jsonld(
    node: dict[str, Any] | None, context: Context, published: list[_Candidate], modified: list[_Candidate]
) -> None:
    for key, trust, into in (
        ("datePublished", 0.95, published),
        ("dateCreated", 0.6, published),
        ("uploadDate", 0.6, published),
        ("dateModified", 0.95, modified),
    ):
        text = jsonld.first(node, key)
        into.extend(_read(f"jsonld:{key}", text, trust, context) if text else ())


def _from_page_node(document: Document, context: Context) -> Iterator[_Candidate]:
    """The date of the node that describes the page itself, for pages that declare no article (schema.org WebPage)."""
    for node in document.jsonld:
        if any(name.endswith("Page") for name in jsonld.types(node)):
            text = jsonld.first(node, "datePublished")
            yield from _read("jsonld:WebPage.datePublished", text, 0.7, context) if text else ()


def _from_hints(material: Material, context: Context, published: list[_Candidate], modified: list[_Candidate]) -> None:
    for name, at, into in (
        ("feed:published", material.hints.published_at, published),
        ("feed:modified", material.hints.modified_at, modified),
    ):
        if at and at <= context.now + timedelta(days=1):
            into.append(
                _Candidate(Finding(value=at, source=name, raw=at.isoformat(), confidence=0.7), Precision.SECOND)
            )


def _from_url(url: str, context: Context) -> Iterator[_Candidate]:
    path = url.lower().split("#")[0]
    found = _URL_DAY.search(path) or _URL_NAMED.search(path)
    if found:
        text = f"{found[1]}-{found[2]}-{found[3]}" if found[2].isdigit() else f"{found[3]} {found[2]} {found[1]}"
        yield from _read("url", text, 0.5, context)


def _from_dom(
    document: Document, headline: Headline, context: Context, published: list[_Candidate], modified: list[_Candidate]
) -> None:
    seen: set[str] = set()
    title = folded(headline.element.text_content()) if headline.element is not None else ""
    for line in date_lines(document.tree, headline):
        if line.stamp + line.text in seen:
            continue
        seen.add(line.stamp + line.text)
        if line.stamp:
            _from_stamp(line, context, published, modified)
        else:
            _from_line(line, title, context, published, modified)


def _from_stamp(line: Line, context: Context, published: list[_Candidate], modified: list[_Candidate]) -> None:
    """Sort a date for machines by the words in and around its element."""
    element, words = line.element, lexicon()
    labels = folded(f"{element.get('class') or ''} {element.get('itemprop') or ''} {_lead(element)} {line.text}")
    late = bool(_LATE.search(labels) or words.updated.search(labels))
    named = element.get("pubdate") is not None or "publish" in labels or bool(words.published.search(labels))
    trust = line.trust + (0.12 if named else 0)
    (modified if late and not named else published).extend(_read(f"dom:{element.tag}", line.stamp, trust, context))


def _from_line(
    line: Line, title: str, context: Context, published: list[_Candidate], modified: list[_Candidate]
) -> None:
    """Sort the dates of one line by the label before each ("Updated: …, first published: …")."""
    text, at, words = folded(line.text), 0, lexicon()
    title = title or "\0"
    marked = bool(_LATE.search(line.element.get("class") or "")) and "publi" not in (line.element.get("class") or "")
    for spotted in spot(line.text, context):
        if 0 <= text.find(title) <= spotted.start < text.find(title) + len(title):
            continue  # the headline's own words say when something happens
        label = text[at : spotted.start]
        at = spotted.end
        late = max((m.end() for m in words.updated.finditer(label)), default=0 if marked else -1)
        early = max((m.end() for m in words.published.finditer(label)), default=-1)
        trust = line.trust + (0.12 if max(late, early) >= 0 else 0.0)
        finding = Finding(value=spotted.at, source="dom:date-line", raw=line.text, confidence=trust)
        (modified if late > early else published).append(_Candidate(finding, spotted.precision))


def _from_text(document: Document, headline: Headline, context: Context) -> Iterator[_Candidate]:
    """The last resort: a short line with a date that stands nowhere in particular, if the page has few of them."""
    found: dict[datetime, _Candidate] = {}
    words = lexicon()
    for node in document.tree.xpath("//body//text()[string-length(.) < 120 and string-length(.) > 5]")[:_MOST_NODES]:
        if not _DIGIT.search(node) or is_copyright(node) or (node.is_tail and len(node) > 60):
            continue
        parent = node.getparent() if not node.is_tail else node.getparent().getparent()
        if parent is None or parent.tag in ("script", "style", "option"):
            continue
        for spotted in spot(node, context):
            if words.updated.search(folded(node)) or foreign(parent, headline) or in_sentence(parent):
                break
            finding = Finding(value=spotted.at, source="text:line", raw=node.strip(), confidence=0.35)
            found.setdefault(spotted.at, _Candidate(finding, spotted.precision))
    # Of many dates the first is only likely if the headline stands before it: a list has none of its own.
    yield from list(found.values())[:1] if len(found) <= (_FEW if headline.element is None else _SOME) else []


def _from_scripts(document: Document, context: Context) -> Iterator[_Candidate]:
    """A publication date in the page's script state, for pages that show and declare none."""
    stated = _SCRIPTED.search(document.text)
    if stated:
        yield from _read("script:published", stated[1], 0.3, context)


def _lead(element: Any) -> str:
    """The words right before an element, as a label."""
    before = element.getprevious()
    text = (
        before.tail if before is not None else (element.getparent().text if element.getparent() is not None else "")
    ) or ""
    return text[-40:] + " " + ((before.text or "")[-40:] if before is not None and isinstance(before.tag, str) else "")


def _unlike(published: list[_Candidate], modified: list[_Candidate]) -> list[_Candidate]:
    """Trust a vague publication date less that is the date of the last change, if others tell them apart."""
    changed = {candidate.finding.value for candidate in modified}
    firm = [c for c in published if c.finding.value not in changed and c.finding.confidence >= 0.55]
    if not firm:
        return published
    return [_trusted(c, -0.3) if c.finding.value in changed and c.finding.confidence < 0.7 else c for c in published]


def _trusted(candidate: _Candidate, change: float) -> _Candidate:
    finding = candidate.finding
    trust = round(min(1.0, max(0.05, finding.confidence + change)), 2)
    return _Candidate(
        Finding(value=finding.value, source=finding.source, raw=finding.raw, confidence=trust), candidate.precision
    )


def _ranked(candidates: list[_Candidate]) -> list[_Candidate]:
    """Best first; of those that name the best's day, one with a clock time goes before a bare day."""
    best = sorted((_supported(c, candidates) for c in candidates), key=lambda c: -c.finding.confidence)
    if best and best[0].precision is Precision.DAY:
        day = best[0].finding.value
        finer = [
            c
            for c in best
            if c.precision is not Precision.DAY
            and timedelta() <= c.finding.value - day < timedelta(days=1)
            and c.finding.confidence >= 0.55
        ]
        best = [*finer[:1], *(c for c in best if c not in finer[:1])]
    return best


def _supported(candidate: _Candidate, all_of_them: list[_Candidate]) -> _Candidate:
    """A candidate of a visible or loose place gains by each other kind of place that names its day."""
    finding = candidate.finding
    if finding.confidence >= _FIRM:
        return _trusted(candidate, 0.0)
    day = finding.value.date()
    kind = finding.source.partition(":")[0]
    kinds = {c.finding.source.partition(":")[0] for c in all_of_them if c.finding.value.date() == day} - {kind}
    return _trusted(candidate, min(0.08 * len(kinds), _FIRM - 0.01 - finding.confidence))


_FIRM = 0.85
"""Confidence from which a place needs no other to agree."""
