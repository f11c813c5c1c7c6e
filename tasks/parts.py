"""Joins the parts of an article that its site spreads over several pages (HTML: link type next)."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from urllib.parse import parse_qsl, urlsplit

from storage.records import Access, Block, Extracted, Finding
from tasks.normalize import best
from tasks.words import fold, tokens

MOST = 20
"""Parts of one article. Longer sequences are archives and traps."""
_LEAST_REPEAT = 5
"""Words of a block that counts as repeated wherever it stands: an author's note, a box. Shorter ones may recur."""
_EXTENSION = re.compile(r"\.[A-Za-z]{3,5}$")


def continues(first: str, following: str) -> bool:
    """Whether an address (both are canonical keys) can be a later part of the article at the first one.

    It must differ by a page number only: blogs use the same link types for the next story.
    """
    one, two = urlsplit(first), urlsplit(following)
    if (one.scheme, one.netloc) != (two.scheme, two.netloc):
        return False
    here, there = _stem(one.path), _stem(two.path)
    if here == there:
        return _turns_query(one.query, two.query)
    here = _turn(r"1").sub("", here)
    number = _turn(r"0*(\d{1,3})").fullmatch(there, len(here))
    return here.strip("/") != "" and there.startswith(here) and bool(number) and one.query == two.query


def joined(first: Extracted, parts: Sequence[Extracted]) -> Extracted:
    """What the first page says, with the texts of its later parts after its own, in order.

    What each page repeats (headline, standfirst, boxes) stands once; the line of page numbers goes.
    """
    body = best(first.blocks)
    if body is None or not parts:
        return first
    blocks = list(_without_pager(body.value, len(parts) + 1))
    for part in parts:
        found = best(part.blocks)
        if found is not None:
            blocks += _new(blocks, _without_pager(found.value, len(parts) + 1), _titles(first, part))
    whole = replace(body, value=tuple(blocks), raw=f"{body.raw} and {len(parts)} more parts")
    others = tuple(finding for finding in first.blocks if finding is not body)
    return replace(first, blocks=(whole, *others), next_page=None)


def cut(extracted: Extracted, missing: str) -> Extracted:
    """The same, marked as not the whole article: the part at that address could not be had."""
    said = best(extracted.access)
    if said is not None and said.value in (Access.PAYWALL, Access.CONSENT):
        return extracted
    partial = Finding(value=Access.PARTIAL, source="parts", raw=f"{missing} is missing", confidence=1.0)
    return replace(extracted, access=(partial, *extracted.access))


def _titles(*pages: Extracted) -> set[str]:
    return {fold(finding.value) for page in pages for finding in (*page.title, *page.subtitle)} - {""}


def _new(before: Iterable[Block], blocks: Sequence[Block], titles: set[str]) -> list[Block]:
    """The blocks of a part that say what was not said before."""
    said = {fold(block.text) for block in before}
    kept: list[Block] = []
    for block in blocks:
        text = fold(block.text)
        on_top = not kept and (text in titles or text in said)
        if not on_top and not (text in said and len(tokens(block.text)) >= _LEAST_REPEAT):
            kept.append(block)
    return kept


def _without_pager(blocks: Iterable[Block], parts: int) -> tuple[Block, ...]:
    """The blocks without lines such as `Page 2 of 3  1 2 3`."""
    return tuple(block for block in blocks if not _is_pager(block.text, parts))


def _is_pager(text: str, parts: int) -> bool:
    words = tokens(text)
    numbers = [int(word) for word in words if word.isdecimal()]
    # in whatever language: hardly a word, and no number that is not the number of a part
    return len(numbers) >= 2 and 2 * len(numbers) >= len(words) - 1 and all(1 <= n <= parts for n in numbers)


def _stem(path: str) -> str:
    return _EXTENSION.sub("", path.rstrip("/"))


def _turns_query(here: str, there: str) -> bool:
    one, two = parse_qsl(here, keep_blank_values=True), parse_qsl(there, keep_blank_values=True)
    turned = [pair for pair in two if pair not in one and _is_number(*pair)]
    return len(turned) == 1 and [pair for pair in two if not _is_number(*pair)] == [
        pair for pair in one if not _is_number(*pair)
    ]


def _is_number(name: str, value: str) -> bool:
    number = value if name.lower() in _names()["parameters"] else name if not value else ""
    return number.isdecimal() and len(number) <= 3


@cache
def _turn(number: str) -> re.Pattern[str]:
    """The end of a path that is a page number; without a word before it, page 1 has none."""
    words = "|".join(sorted(map(re.escape, _names()["words"]), key=len, reverse=True))
    named = rf"[-_/,;.]?(?:{words})[-_/,;.=]?{number}"
    return re.compile(rf"(?:{named})$" if number == "1" else rf"(?:{named}|[-_/,;.]{number})$", re.IGNORECASE)


@cache
def _names() -> dict[str, frozenset[str]]:
    """Loaded from tasks/data/paging.toml."""
    table = tomllib.loads(resources.files("tasks").joinpath("data", "paging.toml").read_text("utf-8"))
    return {name: frozenset(values) for name, values in table.items()}
