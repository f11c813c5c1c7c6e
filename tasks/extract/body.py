"""The article's text: several voices read the page, each gives its blocks, and the most believable goes first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from storage.records import Block, Finding
from tasks.extract import blocks, jsonld
from tasks.extract.document import Document
from tasks.extract.junk import without_junk
from tasks.extract.material import Material
from tasks.extract.prune import pruned

Blocks = tuple[Block, ...]

_DECLARED = (
    "//*[@itemprop='articleBody']",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' article-body ') or contains(@class, 'story-body') "
    "or contains(@class, 'entry-content') or contains(@class, 'article__body') or contains(@class, 'articleBody') "
    "or contains(@class, 'post-content')]",
)
_GENERIC = ("//article", "//main")


_LITTLE = 1_000
"""Characters of the extractor's text below which even an article element without a name may hold more of the text."""
_MOST_ELEMENTS = 20_000
"""Elements above which trafilatura's heuristics, which look at each many times, take too long."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the voices read from."""

    document: Document
    tree: Any
    """The pruned copy of the page's tree."""
    node: dict[str, Any] | None
    material: Material


def bodies(
    document: Document, node: dict[str, Any] | None, material: Material, repeated: Iterable[str]
) -> tuple[Finding[Blocks], ...]:
    """What each voice takes for the text, best first, boilerplate and `repeated` texts taken out."""
    page = Page(document=document, tree=pruned(document.tree), node=node, material=material)
    texts = tuple(repeated)
    found: list[Finding[Blocks]] = []
    for source, trust, voice in _VOICES:
        cleaned = without_junk(voice(page), texts)
        if cleaned:
            found.append(Finding(value=cleaned, source=source, raw=f"{_size(cleaned)} characters", confidence=trust))
    return tuple(sorted(_weighed(found), key=lambda finding: -finding.confidence))


def _recipe(page: Page) -> Blocks:
    recipe = page.material.recipe
    if recipe is None or not recipe.body:
        return ()
    return blocks.from_markup(selected_markup(page.document, recipe.body, recipe.remove))


def selected_markup(document: Document, selectors: Iterable[str], remove: Iterable[str] = ()) -> str:
    """The markup of the first selector that finds anything, without what `remove` selects."""
    from bs4 import BeautifulSoup  # noqa: PLC0415  (costs start-up, and few sources have a recipe)

    soup = BeautifulSoup(etree.tostring(document.tree, encoding="unicode", method="html"), "lxml")
    for unwanted in (element for selector in remove for element in soup.select(selector)):
        unwanted.decompose()
    for selector in selectors:
        elements = soup.select(selector)
        if elements:
            return "".join(str(element) for element in elements)
    return ""


def selected_texts(document: Document, selectors: Iterable[str]) -> list[str]:
    """The texts that the first finding selector selects; a `datetime` or `content` attribute speaks for its element."""
    from bs4 import BeautifulSoup  # noqa: PLC0415

    soup = BeautifulSoup(etree.tostring(document.tree, encoding="unicode", method="html"), "lxml")
    for selector in selectors:
        elements = soup.select(selector)
        if elements:
            return [str(e.get("datetime") or e.get("content") or e.get_text(" ", strip=True)) for e in elements]
    return []


def _trafilatura(page: Page) -> Blocks:
    if page.tree.xpath("count(//*)") > _MOST_ELEMENTS:
        return ()
    from trafilatura import bare_extraction  # noqa: PLC0415  (a third of a second of imports)

    try:
        result = bare_extraction(
            page.tree, url=page.document.url, include_comments=False, include_tables=True, with_metadata=False
        )
    except (AttributeError, TypeError, ValueError, RecursionError, etree.LxmlError):
        return ()  # markup that its heuristics did not foresee: the other voices read it
    body = getattr(result, "body", None)
    return blocks.from_trafilatura(body) if body is not None else ()


def _declared(page: Page) -> Blocks:
    """The blocks of the element that is named as the article's body."""
    return _container(page, _DECLARED)


def _dom(page: Page) -> Blocks:
    """The blocks of the article or main element; without one, the paragraphs with a sentence in them."""
    found = _container(page, _GENERIC)
    return found or tuple(block for p in page.tree.iter("p") for block in blocks.from_html(p) if len(block.text) > 60)


def _container(page: Page, paths: Iterable[str]) -> Blocks:
    """The blocks of the first kind of container of which one holds most of the page's paragraphs."""
    total = _paragraphs(page.tree)
    for path in paths:
        best = max(page.tree.xpath(path), key=_paragraphs, default=None)
        if best is not None and _paragraphs(best) >= max(1, total * 0.5):
            return blocks.from_html(best)
    return ()


def _jsonld(page: Page) -> Blocks:
    text = next((item for item in [(page.node or {}).get("articleBody")] if isinstance(item, str)), "")
    updates = (page.node or {}).get("liveBlogUpdate")
    if not text and isinstance(updates, list):
        text = "\n".join(
            part
            for update in updates
            if isinstance(update, dict)
            for key in ("headline", "articleBody")
            for part in jsonld.strings(update.get(key))
        )
    return blocks.from_markup(text) if text.strip() else ()


def _feed(page: Page) -> Blocks:
    return feed_blocks(page.material.hints.content_html or "")


def feed_blocks(markup: str) -> Blocks:
    """The blocks of a feed entry's own content, whose markup may be cut anywhere."""
    if not markup.strip():
        return ()
    from bs4 import BeautifulSoup  # noqa: PLC0415

    soup = BeautifulSoup(markup, "lxml")
    for unwanted in soup.select("script, style, iframe, form, img[width='1'], .feedflare, .sharedaddy"):
        unwanted.decompose()
    return blocks.from_markup(str(soup.body.decode_contents() if soup.body else soup))


_VOICES: tuple[tuple[str, float, Callable[[Page], Blocks]], ...] = (
    ("recipe:body", 1.0, _recipe),
    ("trafilatura", 0.9, _trafilatura),
    ("dom:body", 0.82, _declared),
    ("dom:article", 0.8, _dom),
    ("jsonld:articleBody", 0.7, _jsonld),
    ("feed:content", 0.6, _feed),
)


def _size(found: Blocks) -> int:
    return sum(len(block.text) for block in found)


def _paragraphs(element: Any) -> int:
    return sum(len(p.xpath("normalize-space(string(.))")) for p in element.iter("p"))


def _weighed(found: list[Finding[Blocks]]) -> list[Finding[Blocks]]:
    """Lift a voice above the extractor where that plainly lost text: the declared container, own data, the feed."""
    sizes = {finding.source: _size(finding.value) for finding in found}
    base = sizes.get("trafilatura", 0)
    rescued = []
    for finding in found:
        trust = finding.confidence
        size = sizes[finding.source]
        more = size > base * 1.5 + 100 and _is_prose(finding.value)
        if (finding.source == "dom:body" and more) or (finding.source == "dom:article" and more and base < _LITTLE):
            trust = 0.93 if finding.source == "dom:body" else 0.92
        elif finding.source == "jsonld:articleBody" and size > 1.5 * max(base, 200):
            trust = 0.94
        elif finding.source == "feed:content" and size > 1.5 * max(
            base, sizes.get("dom:body", 0), sizes.get("dom:article", 0), 200
        ):
            trust = 0.91
        rescued.append(Finding(value=finding.value, source=finding.source, raw=finding.raw, confidence=trust))
    return rescued


def _is_prose(found: Blocks) -> bool:
    """Whether most of the text stands in sentences."""
    prose = sum(
        len(block.text) for block in found if len(block.text) > 60 and re.search(r"[.!?。！？؟।…”\"]", block.text)
    )
    return prose > _size(found) * 0.6
