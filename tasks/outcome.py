"""What became of one try to process a page."""

from dataclasses import dataclass
from enum import StrEnum

from storage.records import Disposition, Record


class OutcomeKind(StrEnum):
    """What one try did."""

    NEW = "new"
    SAME = "same"
    VERSION = "version"
    DUPLICATE = "duplicate"
    TWIN = "twin"
    """Another address of an article that has one of its own."""
    PART = "part"
    """A later part of an article: it will be filed with the first."""
    REJECTED = "rejected"
    KEPT = "kept"
    """The page gave nothing this time; the article that it gave before stays."""
    FOLLOWED = "followed"
    """The page sends its readers elsewhere by itself, and so did we."""
    POSTPONED = "postponed"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"
    """Nothing to do: it was done already, or is being done elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Record):
    """What became of a page, and why."""

    page_id: int
    kind: OutcomeKind
    reason: str
    disposition: Disposition | None = None
    article_id: int | None = None
