"""Extraction: what a page says of its article, each field with where it stands and how far it is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from storage.records import Extracted, Finding, Rejection
from tasks.decode import decode
from tasks.extract import blocks, jsonld, plaintext
from tasks.extract.access import find_access
from tasks.extract.body import bodies, selected_texts
from tasks.extract.dateline import datelines
from tasks.extract.dates import Dates, find_dates
from tasks.extract.document import Document, join, parse, text_of
from tasks.extract.headline import overlap, page_headline
from tasks.extract.language import declared, languages
from tasks.extract.lexicon import fold, squash
from tasks.extract.links import canonical, next_page, previous_page, refresh_target
from tasks.extract.material import Material
from tasks.extract.meta import values
from tasks.extract.people import bylines
from tasks.extract.recipes import Recipe, without
from tasks.extract.rights import reservations
from tasks.extract.soft404 import is_declared, refusal, word_count
from tasks.extract.titles import above_headline, find_titles, headings, site_names

__all__ = ["Material", "extract"]

_SAME_HEADLINE = 0.6
"""Share of its words above which a finding is the headline in another form."""
_MARKUP = re.compile(r"<(?:!doctype html|html|head|body|article|div|p|h1|meta|title)\b", re.IGNORECASE)
_STANDFIRST = re.compile(
    r"(?:^|[\s_-])(?:standfirst|subtitle|sub-title|subheadline|subhead|subheading|dek|deck|strapline|chapo|sottotitolo|bajada|untertitel)(?:$|[\s_-])"
)
_STANDFIRST_HINTS = ("standfirst", "title", "subhead", "de", "strapline", "chapo", "sottotitolo", "bajada")


def extract(material: Material) -> Extracted | Rejection:
    """Say what the page says. Never raises for anything that a server may send.

    Rejection reasons: `empty`, `not_html`, `http_error`, `soft_404`, `blocked_page`, `consent_wall`,
    `not_an_article`, `too_short`.
    """
    if material.status >= 400:
        return Rejection(stage="extract", reason="http_error", detail=str(material.status))
    if not material.body.strip():
        return Rejection(stage="extract", reason="empty")
    read = _read(material)
    if isinstance(read, Document):
        return _page(read, material)
    return _plain(read, material) if isinstance(read, str) else read


def _read(material: Material) -> Document | str | Rejection:
    """The page parsed, or the text of an answer that has no markup. The text of a page is let go: it may be large."""
    content_type = material.header("Content-Type")
    kind = (content_type or "").split(";")[0].strip().lower()
    text = decode(material.body, content_type).text
    if kind in ("text/html", "application/xhtml+xml") or _MARKUP.search(text[:2000]):
        removed = material.recipe.remove if material.recipe else ()
        return parse(without(text, removed) if removed else text, material.url)
    if kind in ("", "text/plain", "text/markdown", "application/octet-stream") and _is_text(text):
        return text
    return Rejection(stage="extract", reason="not_html", detail=kind or "unknown")


def _page(document: Document, material: Material) -> Extracted | Rejection:
    recipe = material.recipe or Recipe(name="")
    heads = headings(document)
    node = article_node(document, heads)
    title = find_titles(document, node, material.hints.title, _selected(document, recipe.title)[:1])
    subtitle = _subtitle(document, node, title)
    elsewhere = [*_headlines(title), *above_headline(document)]
    body = bodies(document, node, material, elsewhere)
    best = body[0].value if body else ()
    rejection = refusal(document, _labels(document, title, heads), best, is_declared(document, node))
    if rejection:
        return replace(rejection, target=refresh_target(document, material.headers))
    language = languages(document, material, blocks.plain(best))
    headline = page_headline(document, node)
    when = find_dates(
        document,
        node,
        material,
        declared(document, material) or (language[0].value if language else ""),
        _selected(document, recipe.published),
        headline,
    )
    who = bylines(document, node, material, _selected(document, recipe.authors), site_names(document, node), headline)
    return Extracted(
        title=title,
        subtitle=subtitle,
        description=_texts(
            document,
            node,
            ("description",),
            ("og:description", "description", "twitter:description", "dc.description"),
            material.hints.summary,
        ),
        authors=who.authors,
        credit=who.credit,
        dateline=datelines(node, best),
        published_at=when.published,
        published_precision=when.precision,
        modified_at=when.modified,
        language=language,
        section=_texts(
            document,
            node,
            ("articleSection",),
            ("article:section", "section", "parsely-section"),
            material.hints.section,
        ),
        keywords=_keywords(document, node, material),
        image=_image(document, node),
        publisher=_publisher(document, node, material),
        canonical_url=canonical(document, node, material.headers),
        license=_license(document, node),
        tdm=reservations(material.headers, document.meta),
        access=find_access(document, node, blocks.plain(best)),
        blocks=body,
        next_page=next_page(document),
        previous_page=previous_page(document),
    )


def article_node(document: Document, heads: list[str] | None = None) -> dict[str, Any] | None:
    """The JSON-LD node of the page's own article; `heads` are its headings, if they are known already."""
    addresses = [
        document.url,
        *(f.value for f in canonical(document, None)[:1] if urlsplit(f.value).path not in ("", "/")),
    ]
    shown = (headings(document) if heads is None else heads) + [
        text for _, text in values(document.meta, ("og:title", "twitter:title"))
    ]
    return jsonld.article(document.jsonld, addresses, [*shown, *_title_texts(document)])


def _headlines(found: tuple[Finding[str], ...]) -> list[str]:
    """The title in its several forms; other findings may be headings of sections, which belong in the body."""
    best = fold(found[0].value) if found else ""
    return [one.value for one in found[:6] if overlap(fold(one.value), best) > _SAME_HEADLINE]


def _labels(document: Document, title: Iterable[Finding[str]], heads: list[str]) -> list[str]:
    """The texts by which an error page gives itself away."""
    return list(
        dict.fromkeys([f.value for f in title if f.source != "feed:title"] + heads[:1] + _title_texts(document))
    )


def _title_texts(document: Document) -> list[str]:
    return [text] if (text := squash(document.title)) else []


def _selected(document: Document, selectors: tuple[str, ...]) -> list[str]:
    return selected_texts(document, selectors) if selectors else []


def _subtitle(
    document: Document, node: dict[str, Any] | None, title: tuple[Finding[str], ...]
) -> tuple[Finding[str], ...]:
    named = (e for e in document.elements.called(_is_standfirst) if _is_shown(e) and not _below_prose(e))
    shown = [("dom:standfirst", text_of(element), 0.8) for element in islice(named, 1)]
    shown += [
        ("jsonld:alternativeHeadline", text, 0.8) for text in jsonld.strings((node or {}).get("alternativeHeadline"))
    ]
    best = fold(title[0].value) if title else ""
    return tuple(
        Finding(value=text, source=source, raw=raw, confidence=trust)
        for source, raw, trust in shown
        if 10 < len(text := squash(raw)) <= 500 and fold(text) != best
    )


@lru_cache(maxsize=2_000)
def _is_standfirst(names: str) -> bool:
    lower = names.lower()
    return any(hint in lower for hint in _STANDFIRST_HINTS) and bool(_STANDFIRST.search(lower))


def _is_shown(element: Any) -> bool:
    """Whether an element stands in the body and in no aside, and it is its class that names it."""
    around = {parent.tag for parent in element.iterancestors()}
    return "body" in around and "aside" not in around and _is_standfirst(element.get("class") or "")


def _below_prose(element: Any) -> bool:
    """Whether a long paragraph stands before an element: then it heads a section, whatever its class says."""
    return bool(element.xpath("boolean(preceding::p[string-length(normalize-space()) > 200])"))


def _texts(
    document: Document, node: dict[str, Any] | None, keys: tuple[str, ...], names: tuple[str, ...], hint: str | None
) -> tuple[Finding[str], ...]:
    listed = [(f"jsonld:{key}", text, 0.85) for key in keys for text in jsonld.strings((node or {}).get(key))[:1]]
    listed += [(f"meta:{name}", text, 0.8) for name, text in values(document.meta, names)]
    listed += [("feed", hint, 0.6)] if hint else []
    return tuple(
        Finding(value=text, source=source, raw=raw, confidence=trust)
        for source, raw, trust in listed
        if (text := squash(jsonld.plain(raw)))
    )


def _keywords(
    document: Document, node: dict[str, Any] | None, material: Material
) -> tuple[Finding[tuple[str, ...]], ...]:
    listed = [("jsonld:keywords", jsonld.strings((node or {}).get("keywords")), 0.85)]
    listed += [
        (f"meta:{name}", list(document.meta.get(name, ())), trust)
        for name, trust in (("article:tag", 0.85), ("news_keywords", 0.85), ("keywords", 0.7))
    ]
    listed.append(("feed:category", list(material.hints.keywords), 0.6))
    found = []
    for source, texts, trust in listed:
        words = tuple(
            dict.fromkeys(
                word for text in texts for part in re.split(r"[,;،、]", text) if (word := squash(jsonld.plain(part)))
            )
        )
        if words:
            found.append(Finding(value=words, source=source, raw=", ".join(texts), confidence=trust))
    return tuple(sorted(found, key=lambda finding: -finding.confidence))


def _image(document: Document, node: dict[str, Any] | None) -> tuple[Finding[str], ...]:
    listed = [
        (f"meta:{name}", text, 0.85)
        for name, text in values(document.meta, ("og:image", "og:image:url", "twitter:image"))
    ]
    listed += [("jsonld:image", text, 0.8) for text in jsonld.links((node or {}).get("image"))[:1]]
    return tuple(
        Finding(value=link, source=source, raw=raw, confidence=trust)
        for source, raw, trust in listed
        if (link := join(document.base, raw))
    )


def _publisher(document: Document, node: dict[str, Any] | None, material: Material) -> tuple[Finding[str], ...]:
    listed = [("source:publisher", material.publisher or "", 0.95)]
    listed += [("jsonld:publisher", text, 0.9) for text in jsonld.strings((node or {}).get("publisher"))[:1]]
    listed += [
        (f"meta:{name}", text, 0.8)
        for name, text in values(document.meta, ("og:site_name", "application-name", "dc.publisher"))
    ]
    listed.append(("feed:publisher", material.hints.publisher or "", 0.7))
    return tuple(
        Finding(value=text, source=source, raw=raw, confidence=trust)
        for source, raw, trust in listed
        if (text := squash(raw))
    )


def _license(document: Document, node: dict[str, Any] | None) -> tuple[Finding[str], ...]:
    listed = [
        ("link:license", href, 0.9)
        for link in document.elements.tagged("link")
        if link.get("rel") == "license" and (href := link.get("href"))
    ]
    listed += [("jsonld:license", link, 0.9) for link in jsonld.links((node or {}).get("license"))]
    return tuple(
        Finding(value=link, source=source, raw=raw, confidence=trust)
        for source, raw, trust in listed
        if (link := join(document.base, raw))
    )


def _plain(text: str, material: Material) -> Extracted | Rejection:
    headline, body = plaintext.read(text)
    words = word_count(blocks.plain(body))
    if not body or words < 6:
        return Rejection(stage="extract", reason="too_short", detail=f"{words} words")
    empty = parse("", material.url)
    when: Dates = find_dates(empty, None, material, material.language or "", ())
    hint = material.hints.title
    listed = [("text:first-line", headline, 0.8), ("feed:title", hint, 0.6)]
    return Extracted(
        title=tuple(
            Finding(value=squash(raw), source=source, raw=raw, confidence=trust) for source, raw, trust in listed if raw
        ),
        authors=bylines(empty, None, material, (), frozenset()).authors,
        published_at=when.published,
        published_precision=when.precision,
        modified_at=when.modified,
        language=languages(empty, material, blocks.plain(body)),
        publisher=_publisher(empty, None, material),
        blocks=(Finding(value=body, source="text", raw=f"{words} words", confidence=0.9),),
    )


def _is_text(text: str) -> bool:
    """Whether decoded bytes are prose and not a picture or an archive."""
    sample = text[:4000]
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\r\n\f") for char in sample)
    return odd * 50 <= len(sample)
