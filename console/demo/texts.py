"""Writes the newsroom's articles from a bank of sentence frames: the same seed gives the same text.

An article draws about fifteen of some two hundred frames, and each frame has alternatives and facts in it, so that
two articles share few word sequences: none looks like a copy of another.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")

# The kinds of sentence in each paragraph; `sentence` stands for one of the topic's own.
_PLAN = (
    ("lead", "detail"),
    ("quote", "number"),
    ("sentence", "detail", "background"),
    ("reaction", "quote"),
    ("number", "sentence"),
    ("background", "detail", "quote"),
    ("outlook", "reaction"),
    ("sentence", "outlook"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An article's words, before it has a place and a time."""

    title: str
    subtitle: str
    section: str
    authors: tuple[str, ...]
    keywords: tuple[str, ...]
    paragraphs: tuple[str, ...]
    language: str = "en"


@cache
def load(name: str) -> Mapping[str, Any]:
    """A data file of sentences by its name without suffix."""
    return tomllib.loads((files("console.demo") / "sentences" / f"{name}.toml").read_text("utf-8"))


def paragraphs(body: str) -> tuple[str, ...]:
    """A written body cut at its empty lines."""
    return tuple(part.strip() for part in body.split("\n\n") if part.strip())


def written(key: str, body: str = "body", title: str = "title") -> Draft:
    """One of the stories that are written out by hand; `body` and `title` choose among its versions."""
    entry = load("written")[key]
    return Draft(
        title=entry[title],
        subtitle=entry["subtitle"],
        section=entry["section"],
        authors=tuple(entry["authors"]),
        keywords=tuple(entry["keywords"]),
        paragraphs=paragraphs(entry[body]),
        language=entry.get("language", "en"),
    )


def headline(seed: str) -> str:
    """The title that `compose` gives for a seed, without the cost of the text."""
    return _Writer(seed).title


def compose(seed: str) -> Draft:
    """Write an article of eight paragraphs, some 300 words."""
    writer = _Writer(seed)
    body = tuple(" ".join(writer.sentence(kind) for kind in kinds) for kinds in _PLAN)
    return Draft(
        title=writer.title,
        subtitle=writer.expand(
            "{p1} and {people} in {place2} (have their say|look ahead|ask for patience|see it differently)"
        ),
        section=writer.topic["section"],
        authors=(writer.person(),) if writer.random.random() < 0.7 else (writer.person(), writer.person()),
        keywords=(*writer.topic["keywords"], writer.facts["place"]),
        paragraphs=body,
    )


def comments(seed: str, count: int = 3) -> tuple[tuple[str, str], ...]:
    """Readers' comments below an article, as (name, text)."""
    writer = _Writer(f"comments {seed}")
    lines = writer.random.sample(load("frames")["comments"]["lines"], count)
    return tuple((writer.person(), writer.expand(line)) for line in lines)


class _Writer:
    """The state of writing one article: its random numbers, its facts, and the frames used up so far."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable texts, no secret
        self.slots = load("frames")["slots"]
        topics = load("topics")
        self.topic = topics[self.random.choice(sorted(topics))]
        self.facts = self._facts()
        self.used: set[str] = set()
        self.title = self.expand(self.random.choice(self.topic["title"]))

    def _facts(self) -> dict[str, str]:
        facts = {name: self.random.choice(self.topic[name]) for name in ("thing", "group", "problem", "plan", "people")}
        facts["place"], facts["place2"] = self.random.sample(self.slots["place"], 2)
        facts["Place"] = facts["place"]
        facts["people2"] = self.random.choice(self.slots["people2"])
        roles = self.random.sample(self.topic["role"], 3)
        for number, role in enumerate(roles, start=1):
            facts[f"p{number}"] = self.person()
            facts[f"role{number}"] = role
        facts["role2short"] = self.random.choice(("secretary", "director", "spokesperson", "chair"))
        return facts

    def person(self) -> str:
        return f"{self.random.choice(self.slots['first'])} {self.random.choice(self.slots['last'])}"

    def sentence(self, kind: str) -> str:
        frames = self.topic["sentence"] if kind == "sentence" else load("frames")[kind]
        frame = self.random.choice([frame for frame in frames if frame not in self.used])
        self.used.add(frame)
        return self.expand(frame)

    def expand(self, frame: str) -> str:
        text = _SLOT.sub(lambda match: self._slot(match[1]), self._choose(frame))
        return text[0].upper() + text[1:]

    def _choose(self, frame: str) -> str:
        # Innermost alternatives first, so that they may be nested.
        while _CHOICE.search(frame):
            frame = _CHOICE.sub(lambda match: self.random.choice(match[1].split("|")), frame)
        return frame

    def _slot(self, name: str) -> str:
        return self.facts.get(name) or self._fresh(name)

    def _fresh(self, name: str) -> str:
        """A value that is drawn anew at each use."""
        between = self.random.randint
        ranges = {"num": (24, 980), "num2": (110, 2400), "percent": (6, 94), "percent2": (3, 48), "small2": (11, 59)}
        years = {"year": (2027, 2029), "year2": (2009, 2024), "oldyear": (1871, 1978), "nextyear": (2027, 2031)}
        if name in ranges:
            return str(between(*ranges[name]))
        if name in years:
            return str(between(*years[name]))
        if name == "money":
            return self.random.choice(
                (f"{between(21, 990)},000 pounds", f"{between(1, 40)}.{between(1, 9)} million pounds")
            )
        if name in ("small", "Small", "Small2"):
            return _spelled(between(3, 12), capital=name != "small")
        return str(self.random.choice(self.slots[name.rstrip("2")]))


def _spelled(number: int, *, capital: bool) -> str:
    words = ["three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[number - 3].capitalize() if capital else words[number - 3]
