"""How much of an article a page gives away: what it declares (schema.org) and what its offers say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from storage.records import Access, Finding
from tasks.extract import jsonld
from tasks.extract.document import Document, is_brief, text_of
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.meta import values
from tasks.extract.soft404 import word_count

_TIERS = {
    "free": Access.FREE,
    "metered": Access.METERED,
    "locked": Access.PAYWALL,
    "premium": Access.PAYWALL,
    "paid": Access.PAYWALL,
    "subscription": Access.PAYWALL,
}
_WALL = ("paywall", "regwall", "piano", "subscri", "offer", "premium", "abo-", "plus-", "login-wall", "barrier")
_GATE = re.compile(r"gate\b")

_CUT = 1_500
"""Characters from which a text is no teaser."""
_LEAST_TOLD = 100
_ELLIPSIS = re.compile(r"[^\W\d_][,;]? ?(?:…|\.\.\.)[\])]?$|\[(?:…|\.\.\.)\]$")
_TAIL, _NEAR = 40, 200
"""Characters by which the end of a text is found in its page, and behind it within which such a line stands."""
_OFFER = 600
"""Characters above which an element named as a wall holds more than an offer."""


def find_access(document: Document, node: dict[str, Any] | None, text: str = "") -> tuple[Finding[Access], ...]:
    """The findings, best first; none where the page says nothing, which means free. `text` is what it gave away."""
    found = [*_findings(document, node), *_withheld(node, text), *_gated(document, text)]
    return tuple(sorted(found, key=lambda finding: -finding.confidence))


def walled(document: Document, selectors: list[str]) -> bool:
    """Whether the elements that hold the paid part are missing or empty in the page as served."""
    for selector in selectors:
        name = re.fullmatch(r"\s*[.#]?([\w-]+)\s*", selector)
        if name:
            attribute = "id" if selector.strip().startswith("#") else "class"
            elements = document.tree.xpath(
                f"//*[contains(concat(' ', normalize-space(@{attribute}), ' '), $name)]", name=f" {name[1]} "
            )
            if sum(len(text_of(element)) for element in elements) > 500:
                return False
    return True


def _findings(document: Document, node: dict[str, Any] | None) -> Iterator[Finding[Access]]:
    free = _truth((node or {}).get("isAccessibleForFree"))
    parts = [part for part in _parts(node) if _truth(part.get("isAccessibleForFree")) is False]
    if free is False or parts:
        selectors = [selector for part in parts for selector in jsonld.strings(part.get("cssSelector"))]
        # The paid part is in the page after all: search engines and readers with a meter left get it.
        state = Access.PAYWALL if walled(document, selectors) else Access.METERED
        yield Finding(
            value=state,
            source="jsonld:isAccessibleForFree",
            raw=str((node or {}).get("isAccessibleForFree")),
            confidence=0.95,
        )
    elif free is True:
        yield Finding(value=Access.FREE, source="jsonld:isAccessibleForFree", raw="true", confidence=0.9)
    for name, text in values(document.meta, ("article:content_tier", "content_tier", "og:article:content_tier")):
        if text.lower() in _TIERS:
            yield Finding(value=_TIERS[text.lower()], source=f"meta:{name}", raw=text, confidence=0.85)
    offer = _offer(document)
    if offer:
        yield Finding(value=Access.PAYWALL, source="dom:offer", raw=offer, confidence=0.7)


def _withheld(node: dict[str, Any] | None, text: str) -> Iterator[Finding[Access]]:
    """What a text says of itself: that it stands behind a question for consent, or breaks off."""
    brief = len(text) < _CUT
    marks = {match[0] for match in lexicon().consent.finditer(fold(text))} if brief else set()
    if len(marks) > 1:
        yield Finding(value=Access.CONSENT, source="text:consent", raw=", ".join(sorted(marks)), confidence=0.93)
    told, words = _number((node or {}).get("wordCount")), word_count(text)
    if words and told >= _LEAST_TOLD and words * 2 < told:
        raw = f"{words} of {told} words"
        yield Finding(value=Access.PARTIAL, source="jsonld:wordCount", raw=raw, confidence=0.65)
    if brief and _ELLIPSIS.search(text):
        yield Finding(value=Access.PARTIAL, source="text:ellipsis", raw=text[-80:], confidence=0.6)


def _gated(document: Document, text: str) -> Iterator[Finding[Access]]:
    """A line that asks for a subscription where a short text breaks off; elsewhere it is a label of other stories."""
    if len(text) >= _CUT or not (end := squash(text)[-_TAIL:]):
        return
    _, is_shown, after = squash(text_of(document.tree)).rpartition(end)
    found = lexicon().gate.search(fold(after[:_NEAR])) if is_shown else None
    if found:
        yield Finding(value=Access.PAYWALL, source="text:gate", raw=found[0], confidence=0.62)


def _number(value: Any) -> int:
    digits = str(value).strip()
    return int(digits) if digits.isdecimal() and len(digits) < 7 else 0


def _parts(node: dict[str, Any] | None) -> list[dict[str, Any]]:
    parts = (node or {}).get("hasPart")
    return [part for part in (parts if isinstance(parts, list) else [parts]) if isinstance(part, dict)]


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower().rsplit("/", 1)[-1]
    return True if text in ("true", "yes", "1") else False if text in ("false", "no", "0") else None


def _offer(document: Document) -> str | None:
    """An element named as a wall, inside the article, that offers a subscription in few words."""
    for element in document.elements.called(_names_wall):
        if next(element.iterancestors("article", "main"), None) is not None:
            text = text_of(element) if is_brief(element, _OFFER) else ""
            if 0 < len(text) < _OFFER and lexicon().paywall.search(fold(text)):
                return text[:200]
    return None


@lru_cache(maxsize=2_000)
def _names_wall(names: str) -> bool:
    lower = names.lower()
    return any(word in lower for word in _WALL) or ("gate" in lower and bool(_GATE.search(lower)))
