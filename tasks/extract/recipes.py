"""Site recipes: CSS selectors that an operator names for one site, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
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
    """What is taken out of the page before anything else looks at it."""
    valid_until: date | None = None
    """The last day (UTC) on which the site was laid out like this; None for the present layout."""
    older: tuple[Recipe, ...] = ()
    """The site's former layouts, the oldest first."""

    def at(self, moment: datetime) -> Recipe | None:
        """The layout for a page fetched at that time; None where it is newer than every layout."""
        layouts = (*self.older, self)
        return next((one for one in layouts if one.valid_until is None or moment.date() <= one.valid_until), None)


SELECTORS = ("body", "title", "authors", "published", "remove")
"""The keys of a layout that hold selectors."""
_KEYS = frozenset((*SELECTORS, "site", "valid_until"))


def load_recipes(path: str | Path) -> dict[str, Recipe]:
    """Read the recipes of a file by name: one table each, or an array of tables where a site had several layouts.

    Raises SettingsError naming the file and the key.
    """
    try:
        table = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    recipes = {name: _recipe(f"{path}: {name}", name, entry) for name, entry in table.items()}
    _check_sites(str(path), recipes)
    return recipes


def recipe_for(recipes: Mapping[str, Recipe], *, name: str | None, site: str) -> Recipe | None:
    """The recipe of that name, else the one for that site, else None. Raises SettingsError where no file holds it."""
    if name is None:
        return next((recipe for recipe in recipes.values() if recipe.site == site), None)
    if name not in recipes:
        raise SettingsError(f"recipe {name!r} is named, but no recipes file holds it; the setting 'recipes' names one")
    return recipes[name]


def without(text: str, selectors: Iterable[str]) -> str:
    """A page's markup without the elements that are selected."""
    from bs4 import BeautifulSoup  # noqa: PLC0415  (costs start-up, and few sources have a recipe)

    soup = BeautifulSoup(text, "lxml")
    for unwanted in [element for selector in selectors for element in soup.select(selector)]:
        if not unwanted.decomposed:
            unwanted.decompose()
    return str(soup)


def _recipe(where: str, name: str, entry: Any) -> Recipe:
    entries = entry if isinstance(entry, list) else [entry]
    if not entries or not all(isinstance(one, dict) for one in entries):
        raise SettingsError(f"{where} must be a table with selectors, or an array of such tables")
    numbered = [f"{where}[{number}]" if isinstance(entry, list) else where for number in range(1, len(entries) + 1)]
    layouts = [_layout(place, name, one) for place, one in zip(numbered, entries, strict=True)]
    sites = {one.site for one in layouts} - {None}
    if len(sites) > 1:
        raise SettingsError(
            f"{where}: site must be the same in each layout, not {' and '.join(sorted(map(str, sites)))}"
        )
    ends = [one.valid_until for one in layouts]
    if len(set(ends)) < len(ends):
        raise SettingsError(f"{where}: valid_until must differ between layouts, and only the present one has none")
    layouts.sort(key=lambda one: one.valid_until or date.max)
    return replace(layouts[-1], site=next(iter(sites), None), older=tuple(layouts[:-1]))


def _layout(where: str, name: str, entry: Mapping[str, Any]) -> Recipe:
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        raise SettingsError(f"{where}.{unknown[0]} is no key of a recipe; known: {', '.join(sorted(_KEYS))}")
    site, until = entry.get("site"), entry.get("valid_until")
    if site is not None and not isinstance(site, str):
        raise SettingsError(f"{where}.site must be a string, not {site!r}")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise SettingsError(f"{where}.valid_until must be a date such as 2025-06-30 (without quotes), not {until!r}")
    lists = {key: _selectors(f"{where}.{key}", entry[key]) for key in SELECTORS if key in entry}
    if not lists:
        raise SettingsError(f"{where} has no selectors; it may have {', '.join(SELECTORS)}")
    return Recipe(name=name, site=site, valid_until=until, **lists)  # type: ignore[arg-type]


def _selectors(where: str, value: Any) -> tuple[str, ...]:
    import soupsieve  # noqa: PLC0415  (comes with BeautifulSoup, which runs the selectors)

    listed: Sequence[Any] = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise SettingsError(f"{where} must be a selector or a list of selectors, not {value!r}")
    for item in listed:
        try:
            soupsieve.compile(item)
        except soupsieve.SelectorSyntaxError as error:
            raise SettingsError(f"{where}: {item!r} is no CSS selector: {str(error).splitlines()[0]}") from error
    return tuple(listed)


def _check_sites(path: str, recipes: Mapping[str, Recipe]) -> None:
    names: dict[str, str] = {}
    for name, recipe in recipes.items():
        other = names.setdefault(recipe.site, name) if recipe.site else name
        if other != name:
            raise SettingsError(f"{path}: {name}.site: {recipe.site} is the site of the recipe {other!r} already")
