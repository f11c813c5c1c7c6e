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
_NAME = re.compile(r"^[^\W\d_](?:[^\W\d_]|[.'’‘`´\- \u0300-\u036f\u0900-\u0dff\u0e30-\u0e4e\u200c\u200d])*$")
_DATED_TAIL = re.compile(r"\s+(?:(?:am|on|le|il|el|em|den|op|dne|at)\s+)?\d.*$", re.DOTALL)
_PARENTHESIS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]")
_ACCOUNT = re.compile(r"(?<=\w)\s+@\w+")
_HONORIFIC = re.compile(r"^(?:(?:prof|dr|mr|mrs|ms|sir|dame|rev|ing|dipl)\.\s*)+(?=\S)", re.IGNORECASE)
_HANDLE = re.compile(r"^[^\W_][\w.\- ]{1,69}$")
_LISTED_BY = re.compile(r"^.{2,30}\s(?:by|von|par|por|av|of|from)\s+(?=\S)", re.IGNORECASE)
"""The start of "All posts by Anna Kowal"."""
_EDGES = " .:-–—,*"


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


def split_names(text: str, own: frozenset[str] = frozenset()) -> list[str]:
    """The persons' names in a byline; `own` are folded names of the site, which are no authors."""
    return list(read_byline(text, own).people)


def read_byline(text: str, own: frozenset[str] = frozenset(), *, declared: bool = False) -> Byline:
    """Take a byline apart. `own` are folded names of the site; a degree, a job or a day is neither name nor credit."""
    words = lexicon()
    text = _ACCOUNT.sub("", _PARENTHESIS.sub("", squash(jsonld.plain(text))))
    while (lead := words.byline.match(text)) and len(lead[0]) < len(text):
        text = text[lead.end() :].lstrip(" :")
    people: list[str] = []
    others: list[str] = []
    for segment in _SPLIT.split(text):
        for part in _parts(segment, own):
            (people if is_person(part, own, declared=declared) else others if _is_credit(part) else []).append(part)
    return Byline(people=tuple(people), others=tuple(others))


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
    if not 1 < len(text) <= 60 or len(text.split()) > 6 or not _NAME.match(text) or _ADDRESS.search(text):
        return False
    if (
        key in words.months
        or words.published.match(key)
        or words.byline.fullmatch(f"{key} ")
        or key in words.line
        or is_house(key, own)
    ):
        return False
    if words.role.search(key) or not listed.furniture.isdisjoint(key.split()):
        return False
    # A sentence's words are lower case; a name's particles ("van der") are few.
    small = [word for word in text.split() if word[0].islower()]
    lower = len(text.split()) == 2 and len(small) == 2 and all(len(word) > 3 for word in small)
    return (len(small) * 2 < len(text.split()) or (lower and declared)) and not _is_initials(text)


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
    if len(parts) == 2 and all(" " not in part and is_person(part, own) for part in parts):
        return [f"{parts[1]} {parts[0]}"]  # "Surname, Given name"
    found = []
    for part in parts:
        for joined in words.joiner.split(part):
            if listed.other_parts.match(fold(joined)):
                continue
            lead = words.byline.match(joined)
            bare = joined[lead.end() :] if lead and len(lead[0]) < len(joined) else joined
            found.append(_HONORIFIC.sub("", bare.strip(_EDGES)))
    return [name for name in found if name]


def _trimmed(part: str) -> str:
    """The part up to a date, a month, or a word like "updated"."""
    words = lexicon()
    part = _DATED_TAIL.sub("", part).strip(_EDGES)
    for pattern in (words.updated, words.published):
        label = pattern.search(part.casefold())
        if label and label.start() > 3 and len(part.casefold()) == len(part):
            part = part[: label.start()].strip(_EDGES)
    tokens = part.split()
    while len(tokens) > 2 and fold(tokens[-1]).strip(".") in words.months:
        tokens.pop()
    while len(tokens) > 2 and fold(tokens[-1]).strip(".,") in _words().degrees and tokens[-1][:2].isupper():
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
    parts = sorted((re.escape(fold(text)) for text in table["other_parts"]), key=len, reverse=True)
    return _Words(
        organisation=frozenset(map(fold, table["organisation"])),
        degrees=frozenset(map(fold, table["degrees"])),
        furniture=frozenset(map(fold, table["furniture"])),
        other_parts=re.compile("|".join(parts)),
    )
