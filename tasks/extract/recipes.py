"""Site recipes: CSS selectors that an operator names for one site, read from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from storage.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Where a site keeps what; each selector list is tried in order, and an empty one leaves it to the other voices."""

    name: str
    site: str | None = None
    """Registrable domain whose pages it is for, where no source names it."""
    body: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    """What is taken out of the body."""


_SELECTORS = frozenset(spec.name for spec in fields(Recipe)) - {"name", "site"}


def load_recipes(path: str | Path) -> dict[str, Recipe]:
    """Read the recipes of a file, one table each, by name. Raises SettingsError naming the file and the key."""
    try:
        table = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    return {name: _recipe(str(path), name, entry) for name, entry in table.items()}


def _recipe(path: str, name: str, entry: Any) -> Recipe:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path}: {name} must be a table with selectors")
    site = entry.get("site")
    if site is not None and not isinstance(site, str):
        raise SettingsError(f"{path}: {name}.site must be a string, not {site!r}")
    unknown = sorted(entry.keys() - _SELECTORS - {"site"})
    if unknown:
        raise SettingsError(
            f"{path}: {name}.{unknown[0]} is no key of a recipe; known: {', '.join(sorted(_SELECTORS))}, site"
        )
    lists = {key: _selectors(f"{path}: {name}.{key}", entry[key]) for key in _SELECTORS & entry.keys()}
    return Recipe(name=name, site=site, **lists)


def _selectors(where: str, value: Any) -> tuple[str, ...]:
    import soupsieve  # noqa: PLC0415  (comes with BeautifulSoup, which runs the selectors)

    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise SettingsError(f"{where} must be a selector or a list of selectors, not {value!r}")
    for item in listed:
        try:
            soupsieve.compile(item)
        except soupsieve.SelectorSyntaxError as error:
            raise SettingsError(f"{where}: {item!r} is no CSS selector: {str(error).splitlines()[0]}") from error
    return tuple(listed)
