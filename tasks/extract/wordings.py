"""Describes the text of each block in numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from storage.records import BlockKind
from tasks.extract.junk import is_phrase, opens_junk
from tasks.extract.lexicon import UNSPACED, lexicon, read_data
from tasks.extract.segments import Segment

Columns = list[tuple[str, Any]]
"""Named columns with a value for each block."""

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[.!?。！？؟।…](?:[\s\"'”’»)\]]|$)")
_TERMINAL = re.compile(r"[.!?。！？؟।…][\"'”’»)\]]*$")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_DIGIT = re.compile(r"\d")
_BEYOND_LATIN_1 = re.compile("[^\x00-\xff\u2000-\u206f]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ](?<!\w.)")
"""The first letter of a word in Latin-1, where it is a capital."""
_SAMPLE = 600
"""Characters of a block in which words are counted; more of them are taken to be like these."""
_LABEL = 300
"""Characters of a block below which it may be a call, a label or a byline."""
_POINTER = 250
_LONG = 90
"""Characters from which a block with a sentence's end in it counts as prose."""


@cache
def _function_words() -> frozenset[str]:
    return frozenset(word for words in read_data("stopwords.toml").values() for word in words)


class Words:
    """The text of each block in numbers."""

    def __init__(self, np: Any, blocks: Sequence[Segment]) -> None:
        self.np = np
        rows = [_short_row(b.text) if len(b.text) < _BRIEF else _word_row(b.text) for b in blocks]
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


_BRIEF = 60


def _word_row(text: str) -> tuple[float, ...]:
    sample = text[:_SAMPLE]
    more = max(1.0, len(text) / _SAMPLE)
    folded = sample.casefold()
    found = _WORD.findall(folded)
    function = sum(map(_function_words().__contains__, found)) * more
    capitals, count = _capitals(sample) * more, len(found) * more
    if not sample.isascii() and _UNSPACED.search(sample):
        count = max(count, len(text) / 2)
        function = max(function, count * 0.3)
    return (
        len(text),
        count,
        function,
        text.count(",") + text.count("，") + text.count("、"),
        len(_SENTENCE.findall(text)),
        len(_DIGIT.findall(sample)) * more,
        capitals,
        _TERMINAL.search(text[-8:]) is not None,
        text.endswith((":", "：", "...", "…")),
        text[0].isupper(),
        text[0] in "\"'“„«»‘「『–—-",
        "©" in text or "all rights" in folded,
        "@" in text,
        "http" in folded or "www." in folded,
        "|" in text or "›" in text or "»" in text or "•" in text,
        text.endswith(("?", "？")),
        *(_label_row(folded.replace("’", "'"), found) if len(text) < _LABEL else (0, 0, 0, 0)),
        text[0].islower(),
    )


def _capitals(sample: str) -> int:
    """How many words begin with a capital; most texts need no list of them."""
    if _BEYOND_LATIN_1.search(sample):
        return sum([word[0].isupper() for word in _WORD.findall(sample)])
    return len(_CAPITAL.findall(sample))


_short_row = lru_cache(maxsize=2_000)(_word_row)
"""Menus, buttons and labels come again, on the page and on the other pages of a site."""


def _label_row(line: str, words: Sequence[str]) -> tuple[bool, bool, bool, bool]:
    """Whether a folded line is junk, begins like junk, is a byline, and holds the label of a date."""
    lists = lexicon()
    opens = opens_junk(line)
    labelled = not lists.date_labels.isdisjoint(words) or (not line.isascii() and bool(_UNSPACED.search(line)))
    dated = labelled and bool(lists.published.search(line) or lists.updated.search(line))
    return is_phrase(line) or (opens and len(line) < _POINTER), opens, lists.byline.match(line) is not None, dated
