"""The language of an article: what the page declares against what its text is in."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Any

from storage.records import Finding
from tasks.extract.document import Document, join
from tasks.extract.material import Material
from tasks.extract.meta import values

_TAG = re.compile(r"^([a-zA-Z]{2,3})(?:[-_]([a-zA-Z0-9]+))*$")
_ENOUGH = 200
"""Characters of text from which statistics beat a label."""
_READ = 600
"""Characters that are read for their language."""
_SURE = 0.9
_NEVER = 1e-6
"""Chance of a language below which a long text is not in it, even if it is not clear which one it is in."""
# Macrolanguages and old codes (BCP 47 registry), and the two written forms of Norwegian.
_SAME = {"iw": "he", "in": "id", "ji": "yi", "nb": "no", "nn": "no", "cmn": "zh", "fil": "tl", "mo": "ro"}


def declared(document: Document, material: Material) -> str:
    """The declared language tag in lower case, for reading dates; empty where nothing is declared."""
    tags = [
        document.tree.get("lang"),
        document.tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        material.language,
    ]
    return next((tag.strip().replace("_", "-").lower() for tag in tags if tag and _TAG.match(tag.strip())), "")


def languages(document: Document, material: Material, text: str) -> tuple[Finding[str], ...]:
    """The findings as primary subtags, best first: a label that the text contradicts is a template's."""
    found = list(_labels(document, material))
    guess = _guess(text)
    if guess:
        value, sure = guess
        agreed = any(label.value == value for label in found)
        long = len(text) >= _ENOUGH
        clear = agreed or sure > _SURE or (long and _rules_out(text, [label.value for label in found]))
        trust = 0.95 if long and clear else 0.6 if sure > _SURE else 0.4
        found.append(Finding(value=value, source="text:langid", raw=f"{value} {sure:.2f}", confidence=trust))
    found.sort(key=lambda finding: -finding.confidence)
    return tuple(found)


def _labels(document: Document, material: Material) -> Iterator[Finding[str]]:
    for source, tag, trust in _tags(document, material):
        match = _TAG.match(tag.strip())
        if match:
            primary = match[1].lower()
            yield Finding(value=_SAME.get(primary, primary), source=source, raw=tag, confidence=trust)


def _tags(document: Document, material: Material) -> Iterator[tuple[str, str, float]]:
    last = document.url.rsplit("/", 1)[-1]
    for link in document.elements.tagged("link"):
        href = link.get("href") if link.get("hreflang") else None
        if href and href.strip().endswith(last) and join(document.base, href) == document.url:
            yield "link:hreflang", link.get("hreflang"), 0.85
    for attribute in ("lang", "{http://www.w3.org/XML/1998/namespace}lang"):
        if document.tree.get(attribute):
            yield "html:lang", document.tree.get(attribute), 0.8
    for name, tag in values(document.meta, ("og:locale", "language", "dc.language", "inlanguage")):
        yield f"meta:{name}", tag, 0.7
    for source, value, trust in (
        ("header:content-language", material.header("Content-Language"), 0.6),
        ("feed:language", material.hints.language, 0.6),
        ("source:language", material.language, 0.65),
    ):
        if value:
            yield source, value.split(",")[0], trust


def _guess(text: str) -> tuple[str, float] | None:
    if len(text) < 40:
        return None
    code, sure = _identifier().classify(_sample(text))
    return _SAME.get(str(code), str(code)), float(sure)


def _rules_out(text: str, labels: list[str]) -> bool:
    """Whether a text is in none of the languages that its page declares, if it may be in one of two close ones."""
    chances = {_SAME.get(code, code): chance for code, chance in _identifier().rank(_sample(text))[::-1]}
    return bool(labels) and all(chances.get(label, 1.0) < _NEVER for label in labels)


def _sample(text: str) -> str:
    """The beginning, the middle and the end: they name the same language as the whole, in a quarter of the time."""
    if len(text) <= _READ:
        return text
    size, middle = _READ // 3, len(text) // 2
    return " ".join((text[:size], text[middle : middle + size], text[-size:]))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  (loads numpy and the model)

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.tk_output = array("i", identifier.tk_output)  # in a list each of 100,000 numbers is an object
    return identifier
