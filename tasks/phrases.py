"""Loads the lists of phrases that stand as data beside the pipeline."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from tasks.words import fold


@cache
def phrases(name: str) -> tuple[str, ...]:
    """The folded phrases of a list, those of all languages together: a page's language is often labelled wrong."""
    return tuple(dict.fromkeys(fold(phrase) for group in _table(name).values() for phrase in group))


@cache
def patterns(name: str) -> re.Pattern[str]:
    """One expression that matches whatever an entry of a list of expressions matches."""
    return re.compile("|".join(f"(?:{entry})" for group in _table(name).values() for entry in group))


def _table(name: str) -> dict[str, list[str]]:
    return tomllib.loads((files("tasks") / "data" / f"{name}.toml").read_text("utf-8"))
