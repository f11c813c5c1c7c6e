"""Tries a recipe on one page: what it finds for each field, and what would be found without it."""

from dataclasses import dataclass, replace

from storage.records import Clean, Rejection
from tasks.extract.material import Material
from tasks.extract.recipes import Recipe
from tasks.pipeline import Read, read

FIELDS = {"title": "title", "authors": "authors", "published_at": "published", "text": "body"}
"""The fields that a recipe may speak of, and its key for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One field of one page, read in both ways."""

    field: str
    selectors: tuple[str, ...]
    found: object
    """Its value with the recipe; None where there is none."""
    source: str | None
    """Where that comes from."""
    otherwise: object
    """Its value without the recipe."""

    @property
    def failed(self) -> bool:
        """Whether the recipe names a place for the field and nothing usable stood there."""
        return bool(self.selectors) and not (self.source or "").startswith("recipe:")


def try_recipe(material: Material, recipe: Recipe) -> list[Trial] | Rejection:
    """The fields of a page; a Rejection where the page is no article either way."""
    told, untold = read(replace(material, recipe=recipe)), read(replace(material, recipe=None))
    if isinstance(told, Rejection) and isinstance(untold, Rejection):
        return told
    with_it, without_it = _clean(told), _clean(untold)
    return [_trial(field, getattr(recipe, key), with_it, without_it) for field, key in FIELDS.items()]


def _clean(result: Read | Rejection) -> Clean | None:
    return None if isinstance(result, Rejection) else result.clean


def _trial(field: str, selectors: tuple[str, ...], told: Clean | None, untold: Clean | None) -> Trial:
    provenance = told.provenance.get(field) if told else None
    source = provenance.source if provenance else None
    return Trial(
        field=field,
        selectors=selectors,
        found=getattr(told, field, None),
        source=source,
        otherwise=getattr(untold, field, None),
    )
