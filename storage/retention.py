"""How long each kind of data is kept: by the settings, and by what a source says of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, select

from storage.database import Tx
from storage.records import RETAINED, Record
from storage.settings import Settings
from storage.tables import source

FINGERPRINTS = "fingerprints"
"""The same for all sources: an article is found by those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """One bounded step of pruning."""

    gone: int
    after: int | None
    """Where the next step goes on; None when the end is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Record):
    """Days by kind, and by kind and source where a source has its own; 0 is for ever."""

    days: Mapping[str, int]
    own: Mapping[str, Mapping[int, int]]

    def limit(self, kind: str, source_id: int, now: datetime) -> datetime | None:
        """What is of a source and older than this goes; None: nothing does."""
        days = self.own.get(kind, {}).get(source_id, self.days[kind])
        return now - timedelta(days=days) if days else None

    def is_old(self, kind: str, source_id: int, at: datetime, now: datetime) -> bool:
        """Whether something of a source and of that time goes."""
        limit = self.limit(kind, source_id, now)
        return limit is not None and at < limit

    def latest(self, kind: str, now: datetime) -> datetime | None:
        """The latest limit of all sources: what is younger stays; None where nothing of the kind goes."""
        finite = [days for days in (self.days[kind], *self.own.get(kind, {}).values()) if days]
        return now - timedelta(days=min(finite)) if finite else None


def rules_of(tx: Tx, settings: Settings) -> Rules:
    """The rules as they are now, of removed sources too."""
    days = {kind: getattr(settings, f"keep_{kind}_days") for kind in RETAINED}
    own: dict[str, dict[int, int]] = {kind: {} for kind in RETAINED}
    # the sources that say something of it are few, and telling them by their text spares reading all the others
    says = cast(source.c.config, Text).like('%"retention"%')
    for row in tx.execute(select(source.c.id, source.c.config).where(says)):
        for kind, kept in row.config.get("retention", ()):
            if kind in own:
                own[kind][row.id] = kept
    return Rules(days={**days, FINGERPRINTS: settings.candidate_days}, own=own)
