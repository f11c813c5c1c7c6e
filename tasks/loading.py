"""Loads what extraction may look at of pages: the answer, what listings said of it, what its source is known for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storage import pages, snapshots, sources
from storage.database import Tx
from storage.errors import NotFound
from storage.records import Hints, Page, Snapshot, SourceConfig
from storage.store import Store
from tasks.hints import merged

if TYPE_CHECKING:
    from tasks.extract.material import Material
    from tasks.extract.recipes import Recipe

_MOST_BYTES = 8_000_000
"""Of bodies that are loaded before their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the store knows of a page as it was last fetched."""

    snapshot: Snapshot
    hints: Hints
    config: SourceConfig
    body: bytes | None
    """None where it is to be loaded in its turn: it is packed, or large."""


def load(tx: Tx, some: Sequence[Page]) -> dict[int, Loaded]:
    """Load all of some pages in as many statements as one takes; by the pages' ids, those without an answer left out.

    Raises NotFound.
    """
    answered = {one.id: one.snapshot_id for one in some if one.snapshot_id is not None}
    if not answered:
        return {}
    found = snapshots.some(tx, answered.values())
    bodies = snapshots.hot_bodies(tx, found.values(), most_bytes=_MOST_BYTES)
    shown = pages.sightings_of(tx, answered)
    known = sources.some(tx, {one.source_id for one in some})
    try:
        return {
            one.id: Loaded(
                snapshot=found[answered[one.id]],
                hints=merged(shown.get(one.id, ())),
                config=known[one.source_id].config,
                body=bodies.get(answered[one.id]),
            )
            for one in some
            if one.id in answered
        }
    except KeyError as missing:
        raise NotFound(f"snapshot or source {missing} of pages {sorted(answered)} is not in the store") from missing


def material_of(store: Store, page: Page, recipes: "Mapping[str, Recipe]", loaded: Loaded | None = None) -> "Material":
    """What extraction may look at of a page as it was last fetched; `loaded`: what is there of it already.

    Raises ArchiveDamaged, BodyPruned, NotFound and SettingsError.
    """
    from tasks.extract.material import Material  # noqa: PLC0415 - reading pages is slow to import
    from tasks.extract.recipes import recipe_for  # noqa: PLC0415 - as above

    if page.snapshot_id is None:
        raise ValueError(f"page {page.id} waits to be processed but was never stored")
    if loaded is None or loaded.body is None:
        loaded = _whole(store, page, loaded)
    snapshot, config = loaded.snapshot, loaded.config
    recipe = recipe_for(recipes, name=config.recipe, site=page.site)
    return Material(
        url=snapshot.url,
        status=snapshot.status,
        headers=snapshot.headers,
        body=loaded.body or b"",
        fetched_at=snapshot.fetched_at,
        hints=loaded.hints,
        language=config.language,
        timezone=config.timezone,
        publisher=config.publisher,
        recipe=recipe.at(snapshot.fetched_at) if recipe else None,
    )


def _whole(store: Store, page: Page, loaded: Loaded | None) -> Loaded:
    with store.reading() as tx:
        loaded = loaded or load(tx, [page])[page.id]
        body = loaded.body
        return replace(loaded, body=snapshots.body(tx, store.archive, loaded.snapshot) if body is None else body)
