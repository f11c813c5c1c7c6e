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
_MOST_TOKENS = 12


@lru_cache(maxsize=1_000)
def tokens(tag: str, names: str) -> tuple[str, ...]:
    """The words in an element's names: parts, pairs of parts and its tag; digits do not count."""
    found = {f"<{tag}>"}
    for name in names.split()[:8]:
        found.update(_name_tokens(name))
    return tuple(sorted(found))[: _MOST_TOKENS * 2]


@lru_cache(maxsize=8_000)
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
        known: dict[tuple[str, str], tuple[float, float]] = {}
        rows: list[tuple[float, float, float, float, float]] = []
        for at, box in enumerate(self.page.containers):
            key = (box.tag, box.names)
            if box.tag in ("html", "body"):  # their names tell of the page, not of what stands in it
                rows.append((0.0, 0.0, 0.0, 0.0, 0.0))
                continue
            if key not in known:
                scores = [score(token, 0.0) for token in tokens(box.tag, box.names)]
                known[key] = (max(scores), min(scores))
            high, low = known[key]
            around = rows[box.parent] if box.parent >= 0 else (0.0, 0.0, 0.0, 0.0, 0.0)
            # An element that holds most of the page's prose is the article's or holds it, whatever it is called.
            part = min(low, around[3]) if self.minor[at] else around[3]
            rows.append((high, low, max(high, around[2]), part, around[4] + high + low))
        return tuple(self.np.array(rows).T)

    def _furniture(self) -> Any:
        """How near an element named like a page's furniture is around each container, 0 for none."""
        rows: list[tuple[float, float]] = []
        for at, box in enumerate(self.page.containers):
            near, strong = rows[box.parent] if box.parent >= 0 else (0.0, 0.0)
            word = named(box.names) if box.names and self.minor[at] else None
            near = 1.0 if word else near * 0.8
            rows.append((near, 1.0 if word in STRONG else strong * 0.8))
        return self.np.array(rows)

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
