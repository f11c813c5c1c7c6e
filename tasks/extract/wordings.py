"""Describes the text of each block in numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from storage.records import BlockKind
from tasks.extract.junk import is_junk, opens_junk
from tasks.extract.lexicon import fold, lexicon, read_data
from tasks.extract.segments import Segment

Columns = list[tuple[str, Any]]
"""Named columns with a value for each block."""

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[.!?。！？؟।…](?:[\s\"'”’»)\]]|$)")
_TERMINAL = re.compile(r"[.!?。！？؟।…][\"'”’»)\]]*$")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_LONG = 90
"""Characters from which a block with a sentence's end in it counts as prose."""


@cache
def _function_words() -> frozenset[str]:
    return frozenset(word for words in read_data("stopwords.toml").values() for word in words)


class Words:
    """The text of each block in numbers."""

    def __init__(self, np: Any, blocks: Sequence[Segment]) -> None:
        self.np = np
        rows = [_word_row(block) for block in blocks]
        self.table = np.array(rows, dtype=np.float64).T
        self.chars = self.table[0]
        self.linked = np.minimum(1.0, np.array([b.linked for b in blocks]) / np.maximum(1, self.chars))
        self.bold = np.minimum(1.0, np.array([b.bold for b in blocks]) / np.maximum(1, self.chars))
        self.links = np.array([float(b.links) for b in blocks])
        self.prose = ((self.chars >= _LONG) & (self.table[4] > 0) & (self.linked < 0.5)).astype(float)
        self.prose_chars = self.prose * self.chars
        self.heading = np.array([float(b.kind is BlockKind.HEADING) for b in blocks])

    def columns(self) -> Columns:
        """What each text looks like."""
        np, chars = self.np, self.table[0]
        words = np.maximum(1, self.table[1])
        found = [("log_chars", np.log1p(chars)), ("words", self.table[1]), ("word_length", chars / words)]
        found += [
            ("commas", self.table[3]),
            ("sentences", self.table[4]),
            ("words_a_sentence", self.table[1] / np.maximum(1, self.table[4])),
            ("function_words", self.table[2] / words),
            ("digits", self.table[5] / chars),
            ("capitals", self.table[6] / words),
        ]
        found += [(name, self.table[at]) for at, name in enumerate(_WORD_FLAGS, 7)]
        found += [("linked", self.linked), ("links", self.links), ("bold", self.bold), ("prose", self.prose)]
        return found


_WORD_FLAGS = (
    "terminal", "colon", "upper_start", "quote_start", "copyright", "at_sign", "address", "bar", "question",
    "junk", "junk_start", "byline", "date_word", "lower_start",
)  # fmt: skip


def _word_row(block: Segment) -> tuple[float, ...]:
    text = block.text
    sample = text[:600]
    words = _WORD.findall(sample)
    folded = sample.casefold()
    known = _function_words()
    function = sum(map(known.__contains__, _WORD.findall(folded))) * max(1, len(text) / 600)
    count = len(words) * max(1, len(text) / 600)
    if _UNSPACED.search(sample):
        count = max(count, len(text) / 2)
        function = max(function, count * 0.3)
    short = len(text) < 300
    lists = lexicon()
    line = fold(sample) if short else ""
    return (
        float(len(text)),
        float(count),
        float(function),
        float(text.count(",") + text.count("，") + text.count("、")),
        float(len(_SENTENCE.findall(text))),
        float(sum(map(str.isdigit, sample))) * max(1, len(text) / 600),
        float(sum([word[0].isupper() for word in words])) * max(1, len(text) / 600),
        float(bool(_TERMINAL.search(text))),
        float(text.endswith((":", "：", "...", "…"))),
        float(text[0].isupper()),
        float(text[0] in "\"'“„«»‘「『–—-"),
        float("©" in text or "all rights" in folded),
        float("@" in text),
        float("http" in folded or "www." in folded),
        float("|" in text or "›" in text or "»" in text or "•" in text),
        float(text.endswith(("?", "？"))),
        float(short and is_junk(text)),
        float(short and opens_junk(line)),
        float(short and bool(lists.byline.match(line))),
        float(short and bool(lists.published.search(line) or lists.updated.search(line))),
        float(text[0].islower()),
    )
