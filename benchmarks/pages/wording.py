"""What the invented store is made of: texts, sources and authors with the terms that the search index has for them."""

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.invented import Press
from storage.search import document, facet
from storage.terms import terms

LANGUAGES = ("en", "en", "en", "de", "de", "fr", "es", "it", "pt", "sv")
SECTIONS = ("news", "politics", "business", "sport", "culture", "science", "travel", "opinion")
PUBLISHERS = 4_000
_SEED = 7
_LONGEST = 900


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that many of the articles share, with its terms as each database keeps them."""

    k: int
    title: str
    text: str
    section: str
    title_terms: str
    text_terms: str
    facets: str
    document: str


@dataclass(frozen=True, slots=True)
class Byline:
    """Where an article comes from, likewise."""

    k: int
    name: str
    site: str
    publisher: str
    language: str
    authors: str
    facets: str
    document: str


def wordings(count: int) -> list[Wording]:
    """So many texts, the same each time."""
    press, found = Press(_SEED), []
    for number in range(count):
        piece, section = press.next(), SECTIONS[number % len(SECTIONS)]
        text, facets = piece.text[:_LONGEST], [facet("section", section)]
        title, body = ([term.key for term in terms(part, "en")] for part in (piece.title, text))
        lite = (" ".join(title), " ".join(body), facets[0])
        found.append(Wording(number, piece.title, text, section, *lite, document(title, body, facets)))
    return found


def byline(number: int, site: str) -> Byline:
    """Of the source of that number."""
    name, publisher = f"source-{number:06}", f"The Daily {number % PUBLISHERS}"
    language, author = LANGUAGES[number % len(LANGUAGES)], f"Ada Quill {number % 500}"
    fields = {"source": name, "site": site, "publisher": publisher, "language": language, "author": author}
    facets = sorted(facet(*pair) for pair in fields.items())
    told = (name, site, publisher, language, json.dumps([author]))
    return Byline(number, *told, " ".join(facets), document([], [], facets))


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for."""

    common: str
    """Stands in most of the texts."""
    rare: str
    """Stands in a single one of them."""
    phrase: str
    """Two words of a text that stand beside each other, one of them in a hundredth of the texts at most."""
    usual: str
    """Two of the most frequent words that stand beside each other, though in a hundredth of the texts at most."""


def chosen(found: list[Wording]) -> Words:
    """Words of these texts to look for."""
    counts: Counter[str] = Counter()
    for one in found:
        counts.update({word for word in one.text.lower().split() if word.isalpha()})
    rare = min(word for word, count in counts.items() if count == 1 and len(word) > 5)
    beside = Counter(pair for one in found for pair in dict.fromkeys(_pairs(one.text)))
    few = max(1, len(found) // 100)
    phrase = next(pair for pair in beside if min(counts[word] for word in pair) <= few)
    usual = max((pair for pair in beside if beside[pair] <= few), key=lambda pair: min(counts[word] for word in pair))
    return Words(counts.most_common(1)[0][0], rare, " ".join(phrase), " ".join(usual))


def _pairs(text: str) -> list[tuple[str, str]]:
    return [pair for pair in pairwise(text.lower().split()) if all(map(str.isalpha, pair))]
