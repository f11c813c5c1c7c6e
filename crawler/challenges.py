"""Telling a block page from an error: what stands in for a page where a site takes us for a robot it does not want."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from crawler.answers import Answer

STATUSES = frozenset({401, 403, 405, 406, 429, 503})
"""Those that block pages come with. One with status 200 is told by its text, when it is processed."""

_HEAD = 65_536


def is_challenge(answer: Answer) -> bool:
    """Whether an answer without success is a challenge or a block page, by its headers or by what stands in it."""
    if answer.status not in STATUSES:
        return False
    marks = _marks()
    named = ((answer.header(name), wanted) for name, wanted in marks.headers.items())
    if any(value is not None and wanted in value.lower() for value, wanted in named):
        return True
    head = answer.body[:_HEAD].lower()
    return any(part in head for part in marks.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    headers: dict[str, str]
    parts: tuple[bytes, ...]


@cache
def _marks() -> _Marks:
    found = tomllib.loads(resources.files("crawler.data").joinpath("challenges.toml").read_text("utf-8"))
    return _Marks(headers=found["headers"], parts=tuple(part.encode() for part in found["markup"]["parts"]))
