"""When an article was published and changed: candidates from the whole page, each with source and confidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crawler.dates import parse_date
from storage.records import Finding, Precision
from tasks.extract import jsonld
from tasks.extract.datetext import Context, folded, order_evidence, spot
from tasks.extract.document import Document, text_of
from tasks.extract.lexicon import lexicon
from tasks.extract.material import Material
from tasks.extract.meta import trusted_names, values

_DATED = re.compile(
    r"date|time(?!line)|publi|posted|dateline|byline|meta|zeit|datum|fecha|veroeff|stamp|info|erstellt|created|updated|submitted|entry-header|article-header",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|teasers?|ticker|most|popular|trending|sidebar|comments?|widget|footer|nav|menu|event|calendar|latest|newest|"
    r"promo|live-update|liveblog-entry|slider|carousel|more-?\w*)(?:$|[\s_-])",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(r"©|\(c\)|copyright", re.IGNORECASE)
_URL_DAY = re.compile(r"[/_-]((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_NO_DATE_LINE = frozenset(("script", "style", "meta", "link", "h2", "h3"))
_FEW = 3
"""Dates on a page that names none as its own, above which none can be told to be the article's."""
_LONGEST = 220
"""Characters of an element that may be a date line; more is a text that mentions a date."""


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
    document: Document, node: dict[str, Any] | None, material: Material, language: str, recipe: Iterable[str]
) -> Dates:
    """Collect all candidates. A date after the fetch is none; no date is taken from the clock or a copyright line."""
    context = _context(document, material, language)
    published = [c for text in recipe for c in _read("recipe:published", text, 1.0, context)]
    modified: list[_Candidate] = []
    _from_jsonld(node, context, published, modified)
    for field, into in (("published", published), ("modified", modified)):
        for name, trust in trusted_names(field):
            into += [
                c for _, text in values(document.meta, (name,))[:1] for c in _read(f"meta:{name}", text, trust, context)
            ]
    _from_dom(document, context, published, modified)
    _from_hints(material, context, published, modified)
    published += _from_url(document.url, context)
    if not published:
        published += _from_text(document, context)
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
        spotted = next(spot(text, context), None) if len(text) <= _LONGEST else None
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
    found = _URL_DAY.search(url)
    if found:
        yield from _read("url", f"{found[1]}-{found[2]}-{found[3]}", 0.5, context)


def _from_dom(document: Document, context: Context, published: list[_Candidate], modified: list[_Candidate]) -> None:
    seen: set[str] = set()
    for element, trust in _date_lines(document):
        stamp = element.get("datetime") or element.get("content") or element.get("data-ts") or ""
        text = text_of(element)
        if len(text) > _LONGEST or _COPYRIGHT.search(text) or (stamp + text) in seen:
            continue
        seen.add(stamp + text)
        words = lexicon()
        labels = (
            folded(f"{element.get('class') or ''} {element.get('itemprop') or ''} {_lead(element)} {text}")
            if stamp
            else ""
        )
        if stamp:
            late = bool(re.search(r"updat|modif", labels) or words.updated.search(labels))
            named = element.get("pubdate") is not None or "publish" in labels or bool(words.published.search(labels))
            (modified if late and not named else published).extend(
                _read(f"dom:{element.tag}", stamp, trust + (0.15 if named else 0), context)
            )
            continue
        _from_line(text, trust, context, published, modified)


def _from_line(
    text: str, trust: float, context: Context, published: list[_Candidate], modified: list[_Candidate]
) -> None:
    """Sort the dates of one line by the label before each ("Updated: …, first published: …")."""
    line, at, words = folded(text), 0, lexicon()
    for spotted in spot(text, context):
        label = line[at : spotted.start]
        at = spotted.end
        late = max((m.end() for m in words.updated.finditer(label)), default=-1)
        early = max((m.end() for m in words.published.finditer(label)), default=-1)
        named = max(late, early) >= 0
        finding = Finding(
            value=spotted.at, source="dom:date-line", raw=text, confidence=trust + (0.15 if named else 0.0)
        )
        (modified if late > early else published).append(_Candidate(finding, spotted.precision))


def _from_text(document: Document, context: Context) -> Iterator[_Candidate]:
    """The last resort: a short line with a date that stands nowhere in particular, if the page has few of them."""
    times = document.tree.xpath("//time[@datetime]")
    stamps = {element.get("datetime") for element in times}
    if len(stamps) == 1 and not times[0].xpath(
        "boolean(ancestor::aside | ancestor::footer | ancestor::nav | ancestor::li)"
    ):
        yield from () if _in_sentence(times[0]) else _read("dom:time", times[0].get("datetime"), 0.4, context)
    found: dict[datetime, _Candidate] = {}
    for node in document.tree.xpath("//body//text()[string-length(.) < 120 and string-length(.) > 7]"):
        parent = node.getparent() if not node.is_tail else node.getparent().getparent()
        if (
            parent is None
            or not re.search(r"\d", node)
            or parent.tag in ("script", "style")
            or _COPYRIGHT.search(node)
            or (node.is_tail and len(node) > 60)
        ):
            continue
        if _foreign(parent) or _in_sentence(parent) or (parent.tag == "p" and len(text_of(parent)) > _LONGEST):
            continue
        for spotted in spot(node, context):
            finding = Finding(value=spotted.at, source="text:line", raw=node.strip(), confidence=0.35)
            found.setdefault(spotted.at, _Candidate(finding, spotted.precision))
    yield from list(found.values())[:1] if len(found) <= _FEW else []


def _date_lines(document: Document) -> Iterator[tuple[Any, float]]:
    """Elements that may hold this article's date, with the trust they start from: near the headline first."""
    headings = document.tree.xpath("//h1")
    for heading in headings[-1:] if len(headings) == 1 else headings[:2]:
        for sibling in [*heading.itersiblings(preceding=True), *heading.itersiblings()][:8]:
            if isinstance(sibling.tag, str) and sibling.tag not in _NO_DATE_LINE and not _foreign(sibling):
                yield sibling, 0.62
    for element in document.tree.xpath("//body//*[self::time or @itemprop or @class or @id or @datetime]"):
        named = f"{element.get('itemprop') or ''} {element.get('class') or ''} {element.get('id') or ''}"
        if (element.tag == "time" or _DATED.search(named)) and not _foreign(element) and not _in_sentence(element):
            inside = any(parent.tag in ("article", "main") for parent in element.iterancestors())
            exact = "datepublished" in (element.get("itemprop") or "").lower()
            yield element, 0.85 if exact else 0.55 if inside else 0.45


def _foreign(element: Any) -> bool:
    """Whether an element belongs to a list of other stories, the comments or the frame of the page."""
    for parent in (element, *element.iterancestors()):
        if parent.tag in ("aside", "nav", "footer") or (
            parent.tag == "li" and parent.xpath("boolean(.//a[@href])") and parent is not element
        ):
            return True
        if parent.tag not in ("body", "html", "main") and _FOREIGN.search(
            f"{parent.get('class') or ''} {parent.get('id') or ''}"
        ):
            return True
    return False


def _in_sentence(element: Any) -> bool:
    """Whether a time element is a word of a paragraph: then it says when something happens."""
    paragraph = next((parent for parent in element.iterancestors("p")), None)
    return paragraph is not None and len(text_of(paragraph)) > len(text_of(element)) + 60


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
    best = sorted((_trusted(candidate, 0.0) for candidate in candidates), key=lambda c: -c.finding.confidence)
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
