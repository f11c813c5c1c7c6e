"""Describes the containers around each block: their names, and sums over what stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any

from tasks.extract.prune import STRONG, named
from tasks.extract.segments import Segments
from tasks.extract.wordings import Columns, Words

TokenScore = Callable[[str, float], float]
"""How much more often than not text under an element with this word in its names is the article's (log odds).

The second argument is the answer for a word of which nothing is known.
"""

_PARTS = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")
_MOST_PROSE = 0.6
"""Share of a page's prose above which a container is the article's or holds it, whatever it is called."""
_LEVELS = 4
"""Containers around a block that are described one by one."""
_MOST_TOKENS = 24


def tokens(tag: str, names: str) -> tuple[str, ...]:
    """The words in an element's names: parts, pairs of parts and its tag; digits do not count."""
    found = {f"<{tag}>"}
    for name in names.split()[:8]:
        found.update(_name_tokens(name))
    return tuple(found) if len(found) <= _MOST_TOKENS else tuple(sorted(found)[:_MOST_TOKENS])


@lru_cache(maxsize=2_000)
def _extremes(score: TokenScore, tag: str, names: str) -> tuple[float, float]:
    """The scores of an element's best and worst word; names come again, on the page and on its site's other pages."""
    scores = [score(token, 0.0) for token in tokens(tag, names)]
    return max(scores), min(scores)


@lru_cache(maxsize=2_000)
def _name_tokens(name: str) -> tuple[str, ...]:
    parts = [part.lower() for part in _PARTS.findall(name) if len(part) > 1][:6]
    return (*parts, *(f"{one}-{other}" for one, other in pairwise(parts)))


class Boxes:
    """The containers around each block: sums over what stands in them."""

    def __init__(self, np: Any, page: Segments, words: Words, score: TokenScore) -> None:
        self.np, self.page, self.words = np, page, words
        boxes = page.containers
        self.first = np.array([box.first for box in boxes])
        self.end = np.array([box.end for box in boxes])
        self.parent = np.array([box.parent for box in boxes])
        self.depth = np.array([box.depth for box in boxes])
        self.own = np.array([block.container for block in page.blocks])
        self.chars = self._sums(words.chars)
        self.linked = self._sums(words.linked * words.chars)
        self.prose = self._sums(words.prose_chars)
        self.prose_count = self._sums(words.prose)
        self.blocks = self.end - self.first
        self.minor = (self.prose < _MOST_PROSE * max(1.0, float(words.prose_chars.sum()))).tolist()
        """Whether each container holds little enough of the page's prose to be what it is called."""
        self.high, self.low, self.chain_high, self.chain_low, self.chain_sum = self._names(score)
        self.furniture = self._furniture()
        self.chain = self._chain()

    def _sums(self, values: Any) -> Any:
        total = self.np.concatenate([[0.0], self.np.cumsum(values)])
        return total[self.end] - total[self.first]

    def _names(self, score: TokenScore) -> tuple[Any, ...]:
        """The names of each container and of all around it, by their best and their worst word."""
        highs, lows, best, worst, sums = ([0.0] * len(self.minor) for _ in range(5))
        for at, (box, minor) in enumerate(zip(self.page.containers, self.minor, strict=True)):
            if box.tag in ("html", "body"):  # their names tell of the page, not of what stands in it
                continue
            highs[at], lows[at] = high, low = _extremes(score, box.tag, box.names)
            up = box.parent  # the root's is -1: the last element, which is still 0
            # An element that holds most of the page's prose is the article's or holds it, whatever it is called.
            best[at], worst[at] = max(high, best[up]), min(low, worst[up]) if minor else worst[up]
            sums[at] = sums[up] + high + low
        return tuple(map(self.np.array, (highs, lows, best, worst, sums)))

    def _furniture(self) -> Any:
        """How near an element named like a page's furniture is around each container, 0 for none."""
        near, strong = ([0.0] * len(self.minor) for _ in range(2))
        for at, (box, minor) in enumerate(zip(self.page.containers, self.minor, strict=True)):
            word = named(box.names) if minor and box.names else None
            near[at] = 1.0 if word else near[box.parent] * 0.8
            strong[at] = 1.0 if word in STRONG else strong[box.parent] * 0.8
        return self.np.array([near, strong]).T

    def _chain(self) -> list[Any]:
        """The nearest containers of each block that hold more than the one before: index per level."""
        np = self.np
        # A container that holds no more than its only child says nothing new: skip to the first that does.
        up = self.parent.tolist()
        grown = list(up)
        size = self.blocks.tolist()
        for at in range(len(up)):
            above = up[at]
            while above >= 0 and size[above] == size[at]:
                above = up[above]
            grown[at] = above
        grown_array = np.array(grown)
        chain = [self.own]
        for _ in range(_LEVELS - 1):
            last = chain[-1]
            step = grown_array[last]
            chain.append(np.where(step >= 0, step, last))
        return chain

    def columns(self) -> Columns:
        """What stands around each block, near to far."""
        np, words = self.np, self.words
        total = max(1.0, float(words.chars.sum()))
        all_prose = max(1.0, float(words.prose_chars.sum()))
        place = np.arange(len(self.own))
        found: Columns = []
        for level, index in enumerate(self.chain):
            chars = np.maximum(1.0, self.chars[index])
            found += [
                (f"box{level}_chars", np.log1p(chars)),
                (f"box{level}_share", chars / total),
                (f"box{level}_linked", self.linked[index] / chars),
                (f"box{level}_blocks", np.log1p(self.blocks[index])),
                (f"box{level}_prose", self.prose[index] / chars),
                (f"box{level}_prose_share", self.prose[index] / all_prose),
                (f"box{level}_prose_count", self.prose_count[index]),
                (f"box{level}_high", self.high[index]),
                (f"box{level}_low", self.low[index]),
                (f"box{level}_place", (place - self.first[index]) / np.maximum(1, self.blocks[index])),
            ]
        found += [
            ("chain_high", self.chain_high[self.own]),
            ("chain_low", self.chain_low[self.own]),
            ("chain_sum", self.chain_sum[self.own]),
            ("furniture", self.furniture[self.own, 0]),
            ("furniture_strong", self.furniture[self.own, 1]),
        ]
        return found + self._core_columns() + self._twin_columns()

    def _core_columns(self) -> Columns:
        """Where the block stands to the container in which, by paragraphs of its own, the article is likely to be."""
        np, words = self.np, self.words
        score = words.prose * (1 + words.table[3] + np.minimum(3, words.chars / 100))
        holder = self.parent[self.own]
        above = self.parent[np.maximum(holder, 0)]
        points = np.bincount(np.maximum(holder, 0), score, len(self.parent))
        points += np.bincount(np.maximum(above, 0), score / 2, len(self.parent))
        points = points * (1 - self.linked / np.maximum(1, self.chars))
        core = int(np.argmax(points))
        place = np.arange(len(self.own))
        found: Columns = []
        for name, box in (("core", core), ("core_up", int(self.parent[core]) if self.parent[core] >= 0 else core)):
            first, end = self.first[box], self.end[box]
            away = np.where(place < first, place - first, np.where(place >= end, place - end + 1, 0))
            found += [
                (f"{name}_away", np.clip(away, -50, 50)),
                (f"{name}_place", np.clip((place - first) / max(1, end - first), -1, 2)),
                (f"{name}_left", np.clip(end - place, -30, 60)),
                (f"{name}_share", np.full(len(place), self.prose[box] / max(1.0, float(words.prose_chars.sum())))),
                (f"{name}_depth", self.depth[self.own] - self.depth[box]),
            ]
        best = points[core] or 1.0
        return [*found, ("holder_points", points[np.maximum(holder, 0)] / best), ("core_child", (holder == core) * 1.0)]

    def _twin_columns(self) -> Columns:
        """How much else is written in elements with the same names: a template's parts come in numbers."""
        np, boxes = self.np, self.page.containers
        keys: dict[tuple[str, ...], int] = {}
        ids = []
        for block in self.page.blocks:
            box = boxes[block.container]
            up = boxes[box.parent] if box.parent >= 0 else box
            key = (box.tag, box.names, up.tag, up.names)
            ids.append(keys.setdefault(key, len(keys)))
        index = np.array(ids)
        chars = np.bincount(index, self.words.chars)
        count = np.bincount(index)
        linked = np.bincount(index, self.words.linked * self.words.chars)
        prose = np.bincount(index, self.words.prose_chars)
        total = max(1.0, float(self.words.prose_chars.sum()))
        return [
            ("twins", np.log1p(count[index])),
            ("twin_mean", np.log1p(chars[index] / count[index])),
            ("twin_linked", linked[index] / np.maximum(1, chars[index])),
            ("twin_prose", prose[index] / total),
        ]
