"""Splits a byline into the names of persons and what else is credited: agencies, newsrooms, handles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from tasks.extract import jsonld
from tasks.extract.lexicon import fold, lexicon, read_data, squash

_SPLIT = re.compile(r"\s*[;|•·\n\t]\s*|\s+[/–—-]+\s+|\s*&\s*|\s*/\s*")
_COMMA = re.compile(r"\s*[,،、，]\s*")
_ADDRESS = re.compile(r"https?://|www\.|\S+@\S+|@\w+|^\S+\.(?:com|org|net|de|fr|html?)\b", re.IGNORECASE)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_NAME = re.compile(r"^[^\W\d_](?:[^\W\d_]|[.'’‘`´\- \u0300-\u036f\u0900-\u0dff\u0e30-\u0e4e\u200c\u200d])*$")
_DATED_TAIL = re.compile(r"\s+(?:(?:am|on|le|il|el|em|den|op|dne|at)\s+)?\d.*$", re.DOTALL)
_PARENTHESIS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]")
_ACCOUNT = re.compile(r"(?<=\w)\s+@\w+")
_MAIL = re.compile(r"(?<=\w)\s+\S+@[\w.-]+\w")
"""An address behind a name that a page shows; beside a name that only metadata declare it is a site owner's."""
_HONORIFIC = re.compile(r"^(?:(?:prof|dr|mr|mrs|ms|sir|dame|rev|ing|dipl)\.\s*)+(?=\S)", re.IGNORECASE)
_HANDLE = re.compile(r"^[^\W_][\w.\- ]{1,69}$")
_LISTED_BY = re.compile(r"^.{2,30}\s(?:by|von|par|por|av|of|from)\s+(?=\S)", re.IGNORECASE)
"""The start of "All posts by Anna Kowal"."""
_CABLED = re.compile(
    r"^[(（【〔]?(?:實習|綜合|駐\w{1,4})?記者([\u3400-\u9fff]{2,4})[/／]\w{1,8}(?:報導|報道|電|攝影)[)）】〕]?$"
)
"""A Taiwanese byline: the reporter, and the town that the report is from."""
_EDGES = " .:-–—,*"
_FIGURES = re.compile(r"\s*(?:[|•·,;–—/]|\s-\s|\d[\d.:/-]*)\s*")
_CASED = re.compile(r"[^\W\d_]+")
_HANGUL = re.compile("[\uac00-\ud7af]")
_PEN = re.compile(r"[^\W\d_][\w.\-]{3,29}")
_MOST_NAME_WORDS = 4
_LONGEST_OPENING = 160


@dataclass(frozen=True, slots=True)
class Byline:
    """Who a byline names, in order."""

    people: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Agencies, newsrooms and accounts: credited, but no person's name."""


@dataclass(frozen=True, slots=True)
class _Words:
    organisation: frozenset[str]
    degrees: frozenset[str]
    furniture: frozenset[str]
    other_parts: re.Pattern[str]
    sources: re.Pattern[str]
    """The start of a line that names where a text was taken from."""
    opening: re.Pattern[str]
    """What may stand before a name: "Posted on 4 March by", "A column by"; the group is all but the last word."""
    kinds: frozenset[str]
    tail: re.Pattern[str]
    """A place, a section or a house after a name: "Anna Kowal in Berlin"."""
    loose: frozenset[str]
    """Words that end a line only because it goes on elsewhere: "Anna Kowal and"."""
    particles: frozenset[str]
    places: frozenset[str]
    articles: frozenset[str]


def split_names(text: str, own: frozenset[str] = frozenset()) -> list[str]:
    """The persons' names in a byline; `own` are folded names of the site, which are no authors."""
    return list(read_byline(text, own).people)


def read_byline(text: str, own: frozenset[str] = frozenset(), *, declared: bool = False) -> Byline:
    """Take a byline apart. `own` are folded names of the site; a degree, a job or a day is neither name nor credit."""
    words, listed = lexicon(), _words()
    text = _URL.sub("", squash(jsonld.plain(text)))
    if taken := listed.sources.match(fold(text)):
        text = text[taken.end() :]
    text = _CABLED.sub(r"\1", text)
    text = _ACCOUNT.sub("", _PARENTHESIS.sub("", text))
    text = without_opening(text if declared else _MAIL.sub("", text))
    while (lead := words.byline.match(text)) and len(lead[0]) < len(text):
        text = text[lead.end() :].lstrip(" :")
    people: list[str] = []
    others: list[str] = []
    for segment in _SPLIT.split(_without_other_parts(text)):
        parts = _parts(segment, own)
        found = [part for part in parts if taken is None and is_person(part, own, declared=declared)]
        others += [part for part in parts if part not in found and _is_credit(part)]
        named = any(" " in name for name in people)
        people += [name for name in _without_towns(found) if not named or not _is_town(name)]
    return _without_houses(people, others)


def _without_other_parts(text: str) -> str:
    """The text up to who took the pictures or edited it."""
    key = fold(text)
    part = _words().other_parts.search(key, 3) if len(key) == len(text) else None
    return text[: part.start()] if part and not key[part.start() - 1].isalnum() else text


def without_opening(text: str) -> str:
    """A byline from its last "by" on, where a day, a word like "posted" or the kind of text stands before it."""
    listed, words = _words(), lexicon()
    opening = listed.opening.match(text) if len(text) <= _LONGEST_OPENING else None
    if opening is None or listed.other_parts.match(fold(text)):
        return text
    head = fold(opening[1])
    told = any(character.isdigit() for character in head) or not listed.kinds.isdisjoint(head.split())
    return text[opening.end() :] if told or words.published.match(head) or words.updated.match(head) else text


def names_beside_date(text: str) -> list[str]:
    """The names in a short line that tells a day too: "4 March 2026 • Anna Kowal"; only what can be nothing else."""
    pieces = (_words().tail.sub("", piece.strip(_EDGES)) for piece in _FIGURES.split(without_opening(text)))
    parts = [part for piece in pieces for part in lexicon().joiner.split(piece) if part]
    return list(dict.fromkeys(part for part in parts if is_plain_name(part)))


def plain_name(text: str) -> str:
    """The full names that are all a line says, but for a section or a place after them; empty for any other line."""
    bare = _words().tail.sub("", text.strip(_EDGES + "|•·"))
    return bare if is_plain_name(bare) else ""


def is_plain_name(text: str) -> bool:
    """Whether a line without any label is one or several persons' full names, each word with a capital."""
    parts = [part for piece in _COMMA.split(text) for part in lexicon().joiner.split(piece)]
    return len(text) <= 100 and bool(parts) and all(map(_is_full_name, parts))


def _is_full_name(text: str) -> bool:
    listed, tokens = _words(), text.split()
    proper = [token for token in tokens if fold(token) not in listed.particles]
    return (
        len(proper) >= 2
        and len(tokens) <= _MOST_NAME_WORDS
        and all(token[0].isupper() and _CASED.match(token) for token in proper)
        and not (text.isupper() and len(text) < 8)
        and not any(token.isupper() and 1 < len(token) < 5 and "." not in token for token in tokens)
        and fold(tokens[-1]) not in lexicon().months
        and listed.kinds.isdisjoint(fold(text).split())
        and fold(tokens[0]) not in listed.articles
        and not listed.tail.match(f" {fold(text)} ")
        and is_person(text)
    )


def _without_towns(names: list[str]) -> list[str]:
    """The names between commas without single words, which are towns where others have a first and a last name."""
    full = any(" " in name for name in names)
    return [name for name in names if not full or not _is_town(name)]


def _is_town(name: str) -> bool:
    """Whether a name may be a town beside full names: "Anna Kowal / Berlin"."""
    return " " not in name and name[0].isupper()


def _without_houses(people: list[str], others: list[str]) -> Byline:
    """A name all in capitals beside one that is not is a house's."""
    mixed = any(" " in name and not name.isupper() for name in people)
    houses = [name for name in people if mixed and name.isupper()]
    return Byline(people=tuple(name for name in people if name not in houses), others=(*others, *houses))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Each person once; of two spellings, the one that is not all capitals."""
    kept: dict[str, str] = {}
    for name in names:
        key = fold(name).replace(".", "")
        if key not in kept or (kept[key].isupper() and not name.isupper()):
            kept[key] = name
    return tuple(kept.values())


def is_person(text: str, own: frozenset[str] = frozenset(), *, declared: bool = False) -> bool:
    """Whether a text reads like one person's name, in any script; a `declared` author may be all in small letters."""
    key = fold(text)
    words, listed = lexicon(), _words()
    least = 3 if text.isascii() else 2
    if not least <= len(text) <= 60 or len(text.split()) > 6 or not _NAME.match(text) or _ADDRESS.search(text):
        return False
    if (
        key in words.months
        or key in listed.places
        or words.published.match(key)
        or words.updated.match(key)
        or words.byline.fullmatch(f"{key} ")
        or key in words.line
        or is_house(key, own)
    ):
        return False
    if words.role.search(key) or not listed.furniture.isdisjoint(key.split()):
        return False
    # A sentence's words are lower case; a name's particles ("van der") are few.
    small = [word for word in text.split() if word[0].islower()]
    odd = [word for word in small if fold(word) not in listed.particles and word[1:2] != "'"]
    lower = len(text.split()) == 2 and len(small) == 2 and all(len(word) > 3 for word in small)
    most = len(text.split()) if declared else 1
    return ((len(small) < len(text.split()) and len(odd) * 2 < most) or (lower and declared)) and not _is_initials(text)


def is_pen_name(text: str, own: frozenset[str]) -> bool:
    """Whether a single word that is no person's name may be a writer's account: no address, no house, no initials."""
    return (
        bool(_PEN.fullmatch(text)) and not is_house(fold(text), own) and _is_credit(text) and not _ADDRESS.search(text)
    )


def is_house(key: str, own: frozenset[str]) -> bool:
    """Whether a folded name is the site's, an agency's or an organisation's."""
    if key in lexicon().agencies or key in own or key.removeprefix("the ") in own:
        return True
    tokens = {token.strip(".,") for token in key.split()}
    return not _words().organisation.isdisjoint(tokens)


def is_other_part(text: str) -> bool:
    """Whether a line names who took the pictures or checked the facts, and not who wrote."""
    return bool(_words().other_parts.match(fold(text)))


def _parts(segment: str, own: frozenset[str]) -> list[str]:
    words, listed = lexicon(), _words()
    if listed.other_parts.match(fold(segment)):
        return []
    if fold(segment).split()[:1] and fold(segment).split()[0] in listed.furniture:
        segment = _LISTED_BY.sub("", segment)
    parts = [_trimmed(part) for part in _COMMA.split(segment)]
    parts = [part for part in parts if part and fold(part).strip(".") not in listed.degrees]
    if len(parts) == 2 and _is_surname_first(parts[0], parts[1], own):
        return [f"{parts[1]}{'.' if _is_initials(parts[1]) else ''} {parts[0]}"]
    found = []
    for part in parts:
        for joined in words.joiner.split(part):
            if listed.other_parts.match(fold(joined)):
                continue
            lead = words.byline.match(joined)
            bare = joined[lead.end() :] if lead and len(lead[0]) < len(joined) else joined
            found.append(_HONORIFIC.sub("", _bared(bare.strip(_EDGES))))
    return [name for name in found if name]


def _is_surname_first(surname: str, given: str, own: frozenset[str]) -> bool:
    """Whether two parts are "Kowal" and "Anna", "Kowal" and "A.", or "van der Berg" and "Anna"."""
    if (
        " " in given
        or not given[0].isupper()
        or not (is_person(given, own) or re.fullmatch(r"(?:[A-Z]\.?-?){1,3}", given))
    ):
        return False
    particles = surname.split()[:-1]
    return is_person(surname, own) and all(fold(word) in _words().particles for word in particles)


def _trimmed(part: str) -> str:
    """The part up to a date, a month, a place, or a word like "updated"; a job before or after the name goes too."""
    words, listed = lexicon(), _words()
    undated = _DATED_TAIL.sub("", part)
    dated, part = undated != part, undated.strip(_EDGES)
    for pattern in (words.updated, words.published):
        label = pattern.search(part.casefold())
        if label and label.start() > 3 and len(part.casefold()) == len(part):
            part = part[: label.start()].strip(_EDGES)
    tokens = part.split()
    while len(tokens) > (1 if dated else 2) and fold(tokens[-1]).strip(".") in words.months:
        tokens.pop()
    while len(tokens) > 2 and fold(tokens[-1]).strip(".,") in listed.degrees and tokens[-1][:2].isupper():
        tokens.pop()
    while len(tokens) > 1 and fold(tokens[-1]) in listed.loose:
        tokens.pop()
    return " ".join(tokens)


def _bared(text: str) -> str:
    """A name without the job, the place or the section around it; any other text as it is."""
    bare = _words().tail.sub("", _without_job(text))
    return bare if is_person(bare) else text


def _without_job(text: str) -> str:
    """A name without the job before or after it, if it is a full name then."""
    words, listed = lexicon(), _words()
    tokens = text.split()

    def is_job(token: str) -> bool:
        return bool(words.role.fullmatch(fold(token))) and fold(token) not in listed.organisation

    while len(tokens) > 2 and (is_job(tokens[0]) or is_job(tokens[1])):  # "Staff Writer Anna Kowal"
        tokens.pop(0)
    while len(tokens) > (1 if _HANGUL.search(text) else 2) and is_job(tokens[-1]):
        tokens.pop()
    return " ".join(tokens)


def _is_credit(text: str) -> bool:
    """Whether a text that is no person's name may be an account's or a house's, and not a job, a place or a button."""
    key = fold(text)
    words, listed = lexicon(), _words()
    if (
        key in words.months
        or key in words.line
        or words.byline.fullmatch(f"{key} ")
        or words.published.match(key)
        or words.updated.match(key)
        or not listed.furniture.isdisjoint(key.split())
    ):
        return False
    if is_house(key, frozenset()):
        return len(text.split()) <= 8 and "://" not in text
    return bool(_HANDLE.match(text)) and len(text.split()) <= 3 and not re.search(r"^\d|^https?$", key)


def _is_initials(text: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Z]\.?\s?){1,3}|[a-z]{2,3}", text))


@cache
def _words() -> _Words:
    table = read_data("people.toml")
    kinds = frozenset(map(fold, table["kinds"]))
    return _Words(
        sources=re.compile(rf"(?:{_any(table['sources'])})\s*[:：]"),
        opening=re.compile(rf"(.{{3,80}})\s(?:{_any(table['by'])}):?\s+(?=[^\W\d_])", re.IGNORECASE),
        kinds=kinds,
        tail=re.compile(rf"\s+(?:{_any(table['tails'])})\s.*$"),
        loose=frozenset(map(fold, table["loose"])),
        particles=frozenset(map(fold, table["particles"])),
        places=frozenset(map(fold, table["places"])),
        articles=frozenset(map(fold, table["articles"])),
        organisation=frozenset(map(fold, table["organisation"])),
        degrees=frozenset(map(fold, table["degrees"])),
        furniture=frozenset(map(fold, table["furniture"])),
        other_parts=re.compile(_any(table["other_parts"])),
    )


def _any(texts: Iterable[str]) -> str:
    return "|".join(sorted((re.escape(fold(text)) for text in texts), key=len, reverse=True))
