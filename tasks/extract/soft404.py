"""Pages that are no article whatever their status says: error pages, consent and block pages, lists and calendars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from storage.records import Block, BlockKind, Rejection
from tasks.extract import blocks as block_text
from tasks.extract.document import Document, text_of
from tasks.extract.jsonld import is_article
from tasks.extract.lexicon import fold, lexicon

_NUMBER = re.compile(r"^\W*(?:error|fehler|erreur|errore|erro|http)?\W*(?:404|410)\b", re.IGNORECASE)
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SHORT = 700
"""Characters below which a text may be an error page's."""
_FEWEST_WORDS = 25
_MOST_LINKS = 1_000
_SAMPLE = 100_000
_FEWEST_DECLARED = 6
_A_PHRASE = 12
"""Characters above which words for a missing page are no chance find."""


def is_declared(document: Document, node: dict[str, Any] | None) -> bool:
    """Whether the page says of itself that it is an article."""
    if node is not None and is_article(node):
        return True
    meta = document.meta
    return (
        "article" in meta.get("og:type", ())
        or "article:published_time" in meta
        or bool(document.tree.xpath("boolean(//*[@itemprop='articleBody'])"))
    )


def refusal(document: Document, titles: Sequence[str], body: Sequence[Block], declared: bool) -> Rejection | None:
    """The rejection of a page that is no article; None for one that may be."""
    for check in (_not_found, _blocked, _consent):
        rejection = check(document, titles, body, declared)
        if rejection:
            return rejection
    return _no_article(document, body, declared)


def word_count(text: str) -> int:
    """Words of a text; in scripts without spaces two characters count as a word."""
    spaced = unspaced = 0
    for line in text.splitlines():  # a list of all words of a long text would take many times its size
        if line.isascii():
            spaced += len(line.split())
        else:
            rest, single = _UNSPACED.subn(" ", line)
            spaced += len(rest.split())
            unspaced += single
    return spaced + unspaced // 2


def _reject(reason: str, detail: str) -> Rejection:
    return Rejection(stage="extract", reason=reason, detail=detail)


def _not_found(document: Document, titles: Sequence[str], body: Sequence[Block], declared: bool) -> Rejection | None:
    words, text = lexicon(), block_text.plain(body)
    for title in titles:
        folded = fold(title)
        match = words.not_found.search(folded)
        # A headline may speak of missing pages; an error page's title says little else, or its text says it again.
        covers = bool(_NUMBER.match(folded)) or (match is not None and len(match[0]) >= len(folded) * 0.55)
        repeats = match is not None and len(text) < _SHORT and words.not_found.search(fold(_opening(document, text)))
        if (covers and not (declared and len(text) > _SHORT)) or (repeats and not declared):
            return _reject("soft_404", title)
    if declared or len(text) >= _SHORT // 2:
        return None
    found = words.not_found.search(fold(_opening(document, text)))
    return _reject("soft_404", found[0]) if found and len(found[0]) > _A_PHRASE else None


def _opening(document: Document, text: str) -> str:
    heading = document.tree.xpath("//h1/following::p[position() <= 2]")
    return (" ".join(text_of(element) for element in heading) + " " + text)[:400]


def _blocked(document: Document, titles: Sequence[str], body: Sequence[Block], declared: bool) -> Rejection | None:
    text = block_text.plain(body)
    if declared or len(text) > _SHORT:
        return None
    words = lexicon()
    whole = text_of(document.tree)
    for title in [*titles[:3], whole[:300] if len(whole) < _SHORT else ""]:
        match = words.blocked.search(fold(title))
        if match and (len(match[0]) >= len(fold(title)) * 0.4 or words.blocked.search(fold(text))):
            return _reject("blocked_page", title)
    return None


def _consent(document: Document, titles: Sequence[str], body: Sequence[Block], declared: bool) -> Rejection | None:
    if declared:
        return None
    words, text = lexicon(), block_text.plain(body)
    whole = fold(text_of(document.tree)) if len(text) < 3 * _SHORT else ""
    marks = {match[0] for match in words.consent.finditer(whole)}
    mine = {match[0] for match in words.consent.finditer(fold(text))}
    titled = any(words.consent.search(fold(title)) for title in titles)
    if (titled and marks) or len(mine) >= 2 or (len(marks) >= 2 and word_count(text) < _FEWEST_WORDS):
        return _reject("consent_wall", ", ".join(sorted(marks | mine))[:200])
    return None


def _no_article(document: Document, body: Sequence[Block], declared: bool) -> Rejection | None:
    text = block_text.plain(body)
    words = word_count(text)
    if declared:
        return _reject("too_short", f"{words} words") if words < _FEWEST_DECLARED else None
    if words < _FEWEST_WORDS:
        return _reject("not_an_article", f"{words} words of text")
    linked = _linked_share(document, body)
    if linked > 0.5:
        return _reject("not_an_article", f"{linked:.0%} of the text are links")
    if (
        urlsplit(document.url).path in ("", "/")
        and urlsplit(document.url).scheme.startswith("http")
        and (linked > 0.2 or _teasers(document) > 4)
    ):
        return _reject("not_an_article", "a home page")
    if _teasers(document) >= 5 and _is_list_of_teasers(body):
        return _reject("not_an_article", "a list of teasers")
    return None


def _linked_share(document: Document, body: Sequence[Block]) -> float:
    """How much of the text stands in links; names and single words linked in a sentence do not count."""
    text = fold(block_text.plain(body))[:_SAMPLE]
    anchors = {fold(anchor.text_content()) for anchor in document.elements.tagged("a") if anchor.get("href")}
    phrases = sorted((anchor for anchor in anchors if len(anchor) >= 15), key=len, reverse=True)
    rest = text
    for phrase in phrases[:_MOST_LINKS]:
        rest = rest.replace(phrase, "")
    return 1 - len(rest) / len(text) if text else 0.0


def _teasers(document: Document) -> int:
    return int(
        document.tree.xpath(
            "count(//*[self::h2 or self::h3][.//a[@href] or parent::a]"
            "[not(ancestor::aside or ancestor::footer or ancestor::nav)])"
        )
    )


def _is_list_of_teasers(body: Sequence[Block]) -> bool:
    """Whether the text is short pieces under as many headings."""
    prose = [block for block in body if block.kind is not BlockKind.HEADING]
    headings = len(body) - len(prose)
    longest = max((len(block.text) for block in prose), default=0)
    return longest < 400 and headings * 2 >= len(prose) - 1
