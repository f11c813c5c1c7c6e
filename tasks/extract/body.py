"""The article's text: several voices read the page, each gives its blocks, and the most believable goes first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from storage.records import Block, Finding
from tasks.extract import blocks, forest, jsonld
from tasks.extract.classify import judge
from tasks.extract.document import Document
from tasks.extract.junk import without_junk, without_repeats
from tasks.extract.lexicon import squash
from tasks.extract.material import Material
from tasks.extract.medoid import medoid
from tasks.extract.prune import pruned
from tasks.extract.state import state_blocks

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
_MOST_ELEMENTS = 6_000
"""Elements above which trafilatura, which copies the tree and looks at each many times, costs more than it tells: one
labelled page in three hundred is so large."""


_DOUBT = 0.3
"""Expected wrong characters for each chosen one from which the classifier is wrong more often than trafilatura is
(cross-validated over sites, `benchmarks/extraction.py`)."""
_PROSE = 60
"""Characters above which a block with a sentence's end in it is prose."""
_SENTENCE_END = re.compile(r"[.!?。！？؟।…”\"]")
_A_FEW = 2
"""Paragraphs of prose that a page shows from which they must be the article's: a single one may be its standfirst."""
_SHORT = 400
"""Characters of a text that may be all of a short notice, or all that was found of a long article."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the voices read from."""

    document: Document
    node: dict[str, Any] | None
    material: Material
    pruned: list[Any]
    """The pruned copy of the page's tree, once one of the voices needed it."""

    @property
    def tree(self) -> Any:
        """The page's tree without furniture."""
        if not self.pruned:
            self.pruned.append(pruned(self.document.tree))
        return self.pruned[0]


Voice = tuple[str, float, Callable[[Page], Blocks]]
"""A source's name, its trust, and how it reads the page."""


def bodies(
    document: Document, node: dict[str, Any] | None, material: Material, repeated: Iterable[str]
) -> tuple[Finding[Blocks], ...]:
    """What each voice takes for the text, best first, boilerplate and `repeated` texts taken out."""
    page = Page(document=document, node=node, material=material, pruned=[])
    texts = tuple(repeated)
    learnt = forest.model()
    judged = judge(document, node, learnt)
    chosen = judged.chosen(learnt.threshold) if judged else ()
    found = [*_learnt(chosen, texts), *_heard(page, _CHEAP, texts)]
    doubt = judged.doubt() if judged else 1.0
    if doubt > _DOUBT or _size(chosen) < _SHORT:
        found += _heard(page, _DEAR, texts)
        found = _weighed(found)
    if max(map(_size, (finding.value for finding in found)), default=0) < _LITTLE:
        found += _hidden(page, found, texts)
    return tuple(sorted(found, key=lambda finding: -finding.confidence))


def _hidden(page: Page, found: list[Finding[Blocks]], repeated: tuple[str, ...]) -> list[Finding[Blocks]]:
    """What the page's script data holds, where that is plainly more than all that it shows and tells it as well."""
    most = max((finding.value for finding in found), key=_size, default=())
    heard = _heard(page, (("script:state", 0.95, _state),), repeated)
    return [
        finding
        for finding in heard
        if _size(finding.value) > 1.5 * max(_size(most), 200) and not _is_of_another(finding.value, most)
    ]


def _is_of_another(told: Blocks, shown: Blocks) -> bool:
    """Whether a text has none of the paragraphs of another one: house rules, say, or the next article."""
    prose = [block.text for block in shown if len(block.text) > _PROSE and _SENTENCE_END.search(block.text)]
    text = blocks.plain(told)
    return len(prose) >= _A_FEW and not any(paragraph in text for paragraph in prose)


def _state(page: Page) -> Blocks:
    return state_blocks(page.document)


def _learnt(chosen: Blocks, repeated: tuple[str, ...]) -> list[Finding[Blocks]]:
    """The classifier's blocks. It has learnt what is boilerplate, so only what stands elsewhere in the record goes."""
    kept = without_repeats(chosen, repeated)
    raw = f"{_size(kept)} characters"
    return [Finding(value=kept, source="blocks", raw=raw, confidence=_CLASSIFIER)] if kept else []


def _heard(page: Page, voices: Iterable[Voice], repeated: tuple[str, ...]) -> list[Finding[Blocks]]:
    found: list[Finding[Blocks]] = []
    for source, trust, voice in voices:
        cleaned = without_junk(voice(page), repeated)
        if cleaned:
            found.append(Finding(value=cleaned, source=source, raw=f"{_size(cleaned)} characters", confidence=trust))
    return found


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
            page.tree,
            url=page.document.url,
            fast=True,  # its own second opinions would cost as much again: the other voices are these
            include_comments=False,
            include_tables=True,
            with_metadata=False,
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
    sizes = {p: len(squash("".join(p.itertext()))) for p in page.tree.iter("p")}

    def held(element: Any) -> int:
        return sum(sizes[p] for p in element.iter("p"))

    for path in paths:
        best = max(page.tree.xpath(path), key=held, default=None)
        if best is not None and held(best) >= max(1, sum(sizes.values()) * 0.5):
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


_CLASSIFIER = 0.9
_TRUST = {"blocks": 1.3, "trafilatura": 1.0, "dom:body": 0.6, "dom:article": 0.6}
"""How much each voice counts where they are compared; flat between 1.0 and 1.6 for the classifier (cross-validated)."""
_CHEAP: tuple[Voice, ...] = (
    ("recipe:body", 1.0, _recipe),
    ("feed:content", 0.6, _feed),
)
_DEAR: tuple[Voice, ...] = (
    ("trafilatura", 0.85, _trafilatura),
    ("dom:body", 0.82, _declared),
    ("dom:article", 0.8, _dom),
    ("jsonld:articleBody", 0.7, _jsonld),
)
"""Voices that are asked where the classifier is in doubt: they cost several times what it costs."""


def _size(found: Blocks) -> int:
    return sum(len(block.text) for block in found)


def _weighed(found: list[Finding[Blocks]]) -> list[Finding[Blocks]]:
    """Lift the voice that agrees most with the others, or one that plainly found more text than the classifier."""
    sizes = {finding.source: _size(finding.value) for finding in found}
    base = max(sizes.get("blocks", 0), sizes.get("trafilatura", 0))
    chosen = medoid({finding.source: blocks.plain(finding.value) for finding in found}, _TRUST)
    lifted = []
    for finding in found:
        trust = 0.92 if finding.source == chosen else finding.confidence
        more = sizes[finding.source] > base * 1.5 + 100 and _is_prose(finding.value)
        if finding.source == "dom:body" and more:
            trust = 0.93
        elif finding.source == "dom:article" and more and base < _LITTLE:
            trust = 0.925
        lifted.append(replace(finding, confidence=trust))
    return _rescued(lifted, max(base, sizes.get("dom:body", 0), sizes.get("dom:article", 0)))


def _rescued(found: list[Finding[Blocks]], base: int) -> list[Finding[Blocks]]:
    """Lift the page's own data or the feed's where the page's elements plainly hold less than these."""
    lifted = []
    for finding in found:
        more = _size(finding.value) > 1.5 * max(base, 200)
        trust = {"jsonld:articleBody": 0.94, "feed:content": 0.93}.get(finding.source, 0.0) if more else 0.0
        lifted.append(replace(finding, confidence=max(trust, finding.confidence)))
    return lifted


def _is_prose(found: Blocks) -> bool:
    """Whether most of the text stands in sentences."""
    prose = sum(len(block.text) for block in found if len(block.text) > _PROSE and _SENTENCE_END.search(block.text))
    return prose > _size(found) * 0.6
