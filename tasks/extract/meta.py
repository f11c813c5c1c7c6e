"""The meta elements of a page: Open Graph, Twitter, Dublin Core, and whatever else has a name and a content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tasks.extract.lexicon import read_data, squash

Meta = Mapping[str, tuple[str, ...]]
"""Contents in page order by name, property or itemprop in lower case; empty contents are left out."""


def read_meta(tree: Any) -> Meta:
    """Collect the meta elements; those inside noscript count as well, but not refreshes."""
    found: dict[str, tuple[str, ...]] = {}
    for element in tree.iter("meta"):
        content = squash(element.get("content") or "")
        if not content:
            continue
        for attribute in ("property", "name", "itemprop"):
            for name in (element.get(attribute) or "").lower().split():
                found[name] = (*found.get(name, ()), content)
    return found


def values(meta: Meta, names: Iterable[str]) -> list[tuple[str, str]]:
    """All contents under any of the names, as (name, content), in the order of the names."""
    return [(name, content) for name in names for content in meta.get(name, ())]


@cache
def trusted_names(field: str) -> tuple[tuple[str, float], ...]:
    """The meta names that hold a field (`title`, `author`, `published`, `modified`), each with its trust."""
    return tuple((name, float(trust)) for name, trust in read_data("meta.toml")[field].items())
