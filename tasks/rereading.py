"""Reads a filed article anew from the bytes that its present version was made of. Writes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import pages
from storage.records import Extracted, Rejection
from storage.rereading import Place
from storage.store import Store
from tasks import sequence
from tasks.loading import material_of
from tasks.pipeline import Read, conclude, look

if TYPE_CHECKING:
    from tasks.extract.material import Material
    from tasks.extract.recipes import Recipe


def reread(store: Store, place: Place, recipes: "Mapping[str, Recipe]") -> Read | Rejection:
    """The article as the present code reads it. Raises ArchiveDamaged, NotFound and SettingsError."""
    material, seen = findings(store, place, recipes)
    return seen if isinstance(seen, Rejection) else conclude(seen, material)


def findings(store: Store, place: Place, recipes: "Mapping[str, Recipe]") -> "tuple[Material, Extracted | Rejection]":
    """All that its page and the later parts of it say. Raises as above."""
    with store.reading() as tx:
        # The exchange of the version, and not the last one: a difference is then never the site's.
        page = replace(pages.get(tx, place.page_id), snapshot_id=place.snapshot_id)
    material = material_of(store, page, recipes)
    seen = look(material)
    if isinstance(seen, Rejection):
        return material, seen
    return material, sequence.gather(store, page, seen, lambda part: material_of(store, part, recipes)).so_far
