"""Invents articles: words as unevenly frequent as in a language, copies with the marks of editing, and templates."""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

_VOCABULARY = 60_000
_RECENT = 20_000
_COPIES, _TEMPLATES = 0.25, 0.10
_NOTICES = [
    f"Sign up for our letter number {n} and get the stories of the day in your mailbox each morning." for n in range(40)
]
_FRAMES = (
    "{a} {b} of {c} said on {d} that its net profit for the quarter rose to {x} million from {y} million a year ago, "
    "or {z} cents a share, on sales of {v} million. The company expects demand for its products to stay strong in the "
    "second half of the year, although the prices of energy are high. The board of {a} will pay {w} cents a share.",
    "{c} will see sunny spells on {d}, with a high of {x} degrees and a low of {y}, according to the weather service. "
    "Winds from the west reach {z} kilometres an hour, and the chance of rain is {w} percent. The outlook for the "
    "following day is cloudy with showers towards the evening, and a high of {v} degrees, said {a} {b} of the service.",
    "{a} scored {x} points as {c} beat {b} by {y} to {z} on {d} night. The home side led at the half and held off a "
    "late rally in the last quarter to take its third win in a row, in front of a crowd of {v}. It was the first "
    "meeting of the two this season. {b} had {w} rebounds and shot poorly from the line for the second game running.",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """An article and the story that it truly tells."""

    story: int
    title: str
    text: str


class Press:
    """An endless row of articles, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._numbers = np.random.default_rng(seed)
        self._words = [self._word() for _ in range(_VOCABULARY)]
        self._shares = np.cumsum(1 / (np.arange(_VOCABULARY) + 2.7))
        self._places = self._drawn()
        self._recent: deque[Piece] = deque(maxlen=_RECENT)
        self._stories = 0

    def speak(self, words: Sequence[str]) -> None:
        """Use these in place of the most frequent invented words."""
        self._words[: len(words)] = words

    def next(self) -> Piece:
        """The next article."""
        chance = self._random.random()
        if self._recent and chance < _COPIES:
            piece = self._copy(self._random.choice(self._recent))
        else:
            self._stories += 1
            piece = self._report() if chance < _COPIES + _TEMPLATES else self._story()
        self._recent.append(piece)
        return piece

    def _story(self) -> Piece:
        count = int(min(max(self._random.lognormvariate(5.3, 0.5), 60), 1500))
        paragraphs = [self._sentence() for _ in range(count // 15)]
        text = "\n\n".join(" ".join(paragraphs[at : at + 3]) for at in range(0, len(paragraphs), 3))
        return Piece(self._stories, self._sentence()[:60], self._with_notice(text))

    def _report(self) -> Piece:
        names = {letter: self._words[self._random.randrange(2000, _VOCABULARY)].title() for letter in "abcd"}
        numbers = {letter: self._random.randrange(3, 990) for letter in "vwxyz"}
        text = self._random.choice(_FRAMES).format(**names, **numbers)
        return Piece(self._stories, f"{names['a']} {names['c']} {numbers['x']}", text)

    def _copy(self, of: Piece) -> Piece:
        words = of.text.split(" ")
        way = self._random.randrange(4)
        if way == 1 and len(words) > 120:
            words = words[: len(words) * self._random.randrange(50, 95) // 100]
        if way == 2:
            for _ in range(max(len(words) // 60, 1)):
                words[self._random.randrange(len(words))] = self._random.choice(self._words)
        title = self._sentence()[:50] if way == 3 else of.title
        return replace(of, title=title, text=self._with_notice(" ".join(words)))

    def _with_notice(self, text: str) -> str:
        return f"{text}\n\n{self._random.choice(_NOTICES)}" if self._random.random() < 0.3 else text

    def _sentence(self) -> str:
        words = [self._words[place] for place in islice(self._places, 15)]
        words[self._random.randrange(1, 15)] = self._words[self._random.randrange(2000, _VOCABULARY)].title()
        if self._random.random() < 0.3:
            words[self._random.randrange(1, 15)] = str(self._random.randrange(2, 5000))
        return " ".join(words).capitalize() + "."

    def _drawn(self) -> Iterator[int]:
        """Places of words, the common ones most often: many drawn at once, which is much faster than a few."""
        while True:
            yield from np.searchsorted(self._shares, self._numbers.random(60_000) * self._shares[-1]).tolist()

    def _word(self) -> str:
        parts = ("ba", "den", "ko", "li", "mar", "no", "per", "ri", "sto", "ta", "ven", "wick", "el", "um", "sa", "gor")
        return "".join(self._random.choice(parts) for _ in range(self._random.randrange(1, 5)))
