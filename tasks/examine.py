"""Compares an article with what the present code reads from its stored bytes. Writes nothing."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storage import articles, pages, reading
from storage.database import Tx
from storage.errors import BodyPruned, SettingsError, StoreBusy
from storage.logs import telling
from storage.records import ChangeClass, Clean, DecisionKind, Filing, Record, Rejection
from storage.rereading import Place
from storage.store import Store
from tasks.filing import filing_again
from tasks.pipeline import Read
from tasks.rereading import reread

if TYPE_CHECKING:
    from tasks.extract.recipes import Recipe

REASON = "reprocessed"
_NO_CONTENT = frozenset({"url", "fetched_at", "provenance"})
"""What may differ without a version: identity is not decided anew, and confidence is no news to a reader."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange(Record):
    """One field of an article, before and after."""

    name: str
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of reading one article anew: it stays for a reason, could not be read, or differs in some fields."""

    kept: str | None = None
    error: str | None = None
    changes: tuple[FieldChange, ...] = ()
    result: Read | None = None
    """What was read, where it differs."""


def examine(store: Store, place: Place, recipes: "Mapping[str, Recipe]") -> Seen:
    """Read one article anew. Raises StoreBusy and SettingsError; what else goes wrong is told in `error`."""
    try:
        result = reread(store, place, recipes)
        if isinstance(result, Rejection):
            return Seen(kept=result.reason)
        with store.reading() as tx:
            found = against(tx, place, result)
    except (StoreBusy, SettingsError):
        raise
    except BodyPruned:
        return Seen(kept="body_pruned")
    except Exception as error:  # noqa: BLE001 - the boundary: one damaged record or odd page must not end the run
        return failure(place, error)
    if isinstance(found, str):
        return Seen(kept=found)
    return Seen(changes=found[1], result=result if found[1] else None)


def failure(place: Place, error: Exception) -> Seen:
    """An article that could not be read, or written, for this reason."""
    more = telling("reread_failed", article=place.article_id)
    _log.warning("article %s (%s) could not be read anew", place.article_id, place.url, exc_info=error, extra=more)
    return Seen(error=f"{type(error).__name__}: {error}")


def against(tx: Tx, place: Place, result: Read) -> str | tuple[Filing, tuple[FieldChange, ...]]:
    """The version to file and what differs in it, or the reason to keep the article as it is."""
    filing = _filing(tx, place, result)
    if isinstance(filing, str):
        return filing
    return filing, differences(reading.get(tx, place.article_id).content, result.clean)


def differences(old: Clean, new: Clean) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of the record."""
    names = (name for name in Clean.__slots__ if name not in _NO_CONTENT)
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in names)
    return tuple(FieldChange(name=name, old=one, new=other) for name, one, other in pairs if one != other)


def _filing(tx: Tx, place: Place, result: Read) -> Filing | str:
    known = articles.known(tx, place.article_id)
    if known is None or known.version != place.version:
        return "changed_meanwhile"
    page = replace(pages.get(tx, place.page_id), snapshot_id=place.snapshot_id)
    filing = filing_again(tx, page, known, result)
    if filing.decision.reason == "kept_better_text":
        return filing.decision.reason
    version = {"kind": DecisionKind.VERSION, "reason": REASON, "change_class": ChangeClass.REPROCESSED}
    decision = replace(filing.decision, article_id=place.article_id, **version)  # type: ignore[arg-type]
    return replace(filing, decision=decision, clean=replace(filing.clean, url=place.url))
