"""Tells the article's blocks from the page's other blocks by what was learnt from labelled pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.records import Block
from tasks.extract import jsonld
from tasks.extract.blocks import joined
from tasks.extract.document import Document
from tasks.extract.features import Context, describe
from tasks.extract.forest import Model
from tasks.extract.junk import is_junk
from tasks.extract.lexicon import squash
from tasks.extract.meta import values
from tasks.extract.pleas import pleas
from tasks.extract.segments import Segment, Segments, segment
from tasks.extract.threads import comments
from tasks.notes import is_note

_MOST_BLOCKS = 20_000
_SURE = 0.97
_LINKED = 0.5
_AN_ARTICLE = 400
"""Characters above which the blocks outside of comments are an article."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The blocks of a page, each with the probability that it is the article's."""

    page: Segments
    shares: Any
    """The probabilities, in the order of the blocks."""

    def doubt(self) -> float:
        """How unsure the judgement is: expected wrong characters for each character chosen."""
        sizes = [len(block.text) for block in self.page.blocks]
        wrong = sum(size * min(share, 1 - share) for size, share in zip(sizes, self.shares, strict=True))
        return float(wrong) / max(1, sum(s for s, share in zip(sizes, self.shares, strict=True) if share > 0.5))

    def chosen(self, threshold: float) -> tuple[Block, ...]:
        """The blocks that are more likely the article's than `threshold`.

        A block that reads like a call or a pointer is taken only if that is beyond doubt; a newsroom's note on its
        article is taken wherever it touches the article, readers' comments only where there is hardly anything else.
        """
        found = self.page.blocks
        judged = zip(found, self.shares, strict=True)
        taken = {
            at
            for at, (block, share) in enumerate(judged)
            if share > threshold and ((share > _SURE and not _leads_away(block)) or not is_junk(block.text))
        }
        for marked in (comments(self.page), pleas(self.page)):
            taken = _without(self.page, taken, marked)
        beside = {at + step for at in taken for step in (-1, 1)} - taken
        taken |= {at for at in beside if 0 <= at < len(found) and is_note(found[at].text)}
        return joined(found[at].block for at in sorted(taken))


def _leads_away(block: Segment) -> bool:
    """Whether a block is a link, most of it."""
    return block.linked > len(block.text) * _LINKED


def _without(page: Segments, taken: set[int], marked: Sequence[bool]) -> set[int]:
    """A forum's page is its thread; where an article stands above one, the thread is no part of it. So with pleas."""
    rest = {at for at in taken if not marked[at]}
    return rest if sum(len(page.blocks[at].text) for at in rest) > _AN_ARTICLE else taken


def context(document: Document, node: dict[str, Any] | None) -> Context:
    """What the page's own data says of its article, for comparison with the blocks."""
    titles = [text for _, text in values(document.meta, ("og:title", "twitter:title"))]
    titles += jsonld.strings((node or {}).get("headline"))[:1]
    titles += [squash(element.text_content()) for element in document.tree.xpath("//head/title | //h1")[:3]]
    about = [text for _, text in values(document.meta, ("og:description", "description", "twitter:description"))]
    about += jsonld.strings((node or {}).get("description"))[:1]
    body = (node or {}).get("articleBody")
    told = jsonld.plain(body) if isinstance(body, str) else ""
    return Context(titles=tuple(titles), descriptions=tuple(about), body=told)


def judge(document: Document, node: dict[str, Any] | None, model: Model) -> Judged | None:
    """Judge each block of a page; None if it has no text, or more blocks than an article's page has."""
    page = segment(document)
    if not page.blocks or len(page.blocks) > _MOST_BLOCKS:
        return None
    table = describe(page, context(document, node), model.tokens.get)
    return Judged(page=page, shares=model.forest.judge(table))
