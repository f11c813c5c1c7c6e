"""Describes each block of a page in numbers: its words, its elements, its place, its neighbours and its surroundings.

Contains no judgement: what the numbers mean is learnt (`benchmarks/train_blocks.py`) and kept in the model's file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from storage.records import BlockKind
from tasks.extract.boxes import Boxes, TokenScore, tokens
from tasks.extract.lexicon import fold
from tasks.extract.segments import FLAGS, Segment, Segments
from tasks.extract.wordings import Columns, Words

_TAGS = {
    tag: number
    for number, tag in enumerate(
        ("p", "h1", "h2", "h3", "h4", "li", "div", "blockquote", "td", "tr", "figcaption", "dd", "pre", "span", "a")
    )
}
_KINDS = {kind: number for number, kind in enumerate(BlockKind)}
_SAYS = 12
"""Characters up to which being part of a title says nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """What else the page says that its blocks may be compared with."""

    titles: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    body: str = ""
    """The article's text in the page's own data, empty if there is none."""


def describe(page: Segments, context: Context, score: TokenScore) -> Any:
    """The features of each block: a float32 matrix with a row for each block and a column for each of `names()`."""
    import numpy as np  # noqa: PLC0415  (a tenth of a second of imports)

    columns = _columns(np, page, context, score)
    table = np.empty((len(columns), len(page.blocks)), dtype=np.float32)
    for at, (_, column) in enumerate(columns):
        table[at] = column
    return table.T


@cache
def names() -> tuple[str, ...]:
    """The names of the columns."""
    import numpy as np  # noqa: PLC0415

    from tasks.extract.segments import Container  # noqa: PLC0415

    segment = Segment("a", BlockKind.PARAGRAPH, 0, 0, 0, 0, 0, "")
    page = Segments([segment], [Container("body", "", -1, 0, 0, 0, 1)])
    return tuple(name for name, _ in _columns(np, page, Context(), lambda _, none: none))


def _columns(np: Any, page: Segments, context: Context, score: TokenScore) -> Columns:
    words = Words(np, page.blocks)
    boxes = Boxes(np, page, words, score)
    found = words.columns()
    found += _element_columns(np, page, score)
    found += _place_columns(np, page, words)
    found += boxes.columns()
    found += _likeness_columns(np, page, context)
    found += _neighbour_columns(np, words, boxes)
    return found


def _element_columns(np: Any, page: Segments, score: TokenScore) -> Columns:
    holders = [page.containers[block.container] for block in page.blocks]
    flags = np.array([holder.flags for holder in holders])
    tags = np.array([_TAGS.get(holder.tag, -1) for holder in holders])
    kinds = np.array([_KINDS[block.kind] for block in page.blocks])
    found = [(f"tag_{tag}", tags == number) for tag, number in _TAGS.items()]
    found += [(f"in_{name}", (flags & bit) > 0) for name, bit in FLAGS.items()]
    found += [(f"kind_{kind}", kinds == number) for kind, number in _KINDS.items()]
    found.append(("depth", np.array([holder.depth for holder in holders])))
    known = {lead: [score(token, 0.0) for token in tokens("span", lead)] for lead in {b.lead for b in page.blocks}}
    known[""] = [0.0]
    high, low = ({lead: pick(row) for lead, row in known.items()} for pick in (max, min))
    leads, lows = ([of[b.lead] for b in page.blocks] for of in (high, low))
    return [*found, ("lead_high", np.array(leads)), ("lead_low", np.array(lows))]


def _place_columns(np: Any, page: Segments, words: Words) -> Columns:
    count = len(page.blocks)
    place = np.arange(count, dtype=float)
    chars = np.cumsum(words.chars) - words.chars
    prose = np.cumsum(words.prose_chars) - words.prose_chars
    total, all_prose = max(1.0, float(words.chars.sum())), max(1.0, float(words.prose_chars.sum()))
    level = np.array([block.level for block in page.blocks])
    tops = np.flatnonzero(level == 1)
    # A page's first h1 may be its masthead: the headline is the last one before the first prose, or else the first.
    first_prose = int(np.argmax(words.prose)) if words.prose.any() else count
    before = tops[tops <= first_prose]
    head = int(before[-1]) if len(before) else int(tops[0]) if len(tops) else -1
    after = np.clip(place - head, -60, 200) if head >= 0 else np.full(count, -99.0)
    since = np.where(place > head, chars - chars[max(head, 0)], -1.0) if head >= 0 else np.full(count, -99.0)
    found = [("place", place), ("place_share", place / count), ("chars_before", chars / total)]
    found += [
        ("prose_before", prose / all_prose),
        ("prose_before_chars", np.log1p(prose)),
        ("blocks", np.full(count, float(count))),
    ]
    found += [("page_chars", np.full(count, np.log1p(total))), ("page_prose", np.full(count, np.log1p(all_prose)))]
    found += [("page_linked", np.full(count, float((words.linked * words.chars).sum()) / total))]
    found += [("after_h1", after), ("chars_since_h1", np.log1p(np.maximum(-0.9, since)))]
    found += _nearest(np, words.prose, words.chars, "prose")
    found += _nearest(np, words.heading, words.chars, "heading")
    return found


def _nearest(np: Any, marks: Any, chars: Any, name: str) -> Columns:
    """Blocks and characters back to the last marked block and on to the next one."""
    count = len(marks)
    place = np.arange(count)
    at = np.cumsum(chars)
    last = np.maximum.accumulate(np.where(marks > 0, place, -1))
    last = np.concatenate([[-1], last[:-1]])
    onward = np.minimum.accumulate(np.where(marks > 0, place, count)[::-1])[::-1]
    onward = np.concatenate([onward[1:], [count]])
    back = np.where(last >= 0, np.minimum(place - last, 50), 99)
    ahead = np.where(onward < count, np.minimum(onward - place, 50), 99)
    between = np.where(
        onward < count, at[np.minimum(onward, count - 1)] - at - chars[np.minimum(onward, count - 1)], 9e3
    )
    return [(f"{name}_back", back), (f"{name}_ahead", ahead), (f"{name}_ahead_chars", np.log1p(np.maximum(0, between)))]


def _likeness_columns(np: Any, page: Segments, context: Context) -> Columns:
    texts = [block.text[:400].casefold().replace("’", "'") for block in page.blocks]
    titles = {fold(text) for text in context.titles if text}
    descriptions = {fold(text) for text in context.descriptions if text}
    about, saying = (
        [other.rstrip(".… ") for other in others if len(other) > _SAYS] for others in (titles, descriptions)
    )
    seen: dict[str, int] = {}
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
    body = fold(context.body) if len(context.body) > 300 else ""
    told = [_told(text, body) for text in texts]
    share = sum(len(t) for t, known in zip(texts, told, strict=True) if known > 0) / max(1, len(body))
    return [
        ("is_title", np.array([float(text in titles) for text in texts])),
        ("like_title", np.array([_alike(text, about) for text in texts])),
        ("like_description", np.array([_alike(text, saying) for text in texts])),
        ("repeats", np.array([float(min(9, seen[text])) for text in texts])),
        ("told", np.array(told)),
        ("told_share", np.full(len(texts), min(2.0, share) if body else -1.0)),
    ]


def _told(text: str, body: str) -> float:
    if not body:
        return -1.0
    return float(text[:60] in body or (len(text) > 80 and text[-50:] in body))


def _alike(text: str, others: Iterable[str]) -> float:
    """How much of the longer of two texts the shorter one covers, if it is a part of it."""
    best = 0.0
    if len(text) > _SAYS:
        for other in others:
            if len(text) <= len(other):
                if text in other:
                    best = max(best, len(text) / len(other))
            elif other in text:
                best = max(best, len(other) / len(text))
    return best


def _neighbour_columns(np: Any, words: Words, boxes: Boxes) -> Columns:
    found: Columns = []
    logs = np.log1p(words.chars)
    for step in (-3, -2, -1, 1, 2, 3):
        for name, values in (("log_chars", logs), ("linked", words.linked), ("prose", words.prose)):
            found.append((f"{name}{step:+d}", _shifted(np, values, step)))
    for step in (-1, 1):
        shifts = (
            ("heading", words.heading),
            ("junk", words.table[16]),
            ("terminal", words.table[7]),
            ("low", boxes.chain_low[boxes.own]),
        )
        found += [(f"{name}{step:+d}", _shifted(np, values, step)) for name, values in shifts]
        same = _shifted(np, boxes.parent[boxes.own].astype(float), step) == boxes.parent[boxes.own]
        found.append((f"sibling{step:+d}", same.astype(float)))
    for width in (4, 12):
        found.append((f"window{width}_chars", np.log1p(_window(np, words.chars, width))))
        found.append((f"window{width}_prose", _window(np, words.prose, width)))
        part = _window(np, words.linked * words.chars, width) / np.maximum(1, _window(np, words.chars, width))
        found.append((f"window{width}_linked", part))
    return found


def _shifted(np: Any, values: Any, step: int) -> Any:
    """The values of the blocks `step` further on; -1 beyond the ends."""
    moved = np.full(len(values), -1.0)
    if step > 0:
        moved[:-step] = values[step:]
    else:
        moved[-step:] = values[:step]
    return moved


def _window(np: Any, values: Any, width: int) -> Any:
    """The mean over `width` blocks to each side."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first, end = np.maximum(0, place - width), np.minimum(len(values), place + width + 1)
    return (total[end] - total[first]) / (end - first)
