"""Pages that were fetched, on their way into the store: those of a batch in a few statements for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler.recheck import first_recheck
from storage import pages, snapshots
from storage.database import Tx
from storage.records import Exchange, Page, Sighting


@dataclass(frozen=True, slots=True)
class Keep:
    """One fetched page and the exchange to keep of it: work for the ledger."""

    page: Page
    exchange: Exchange
    recheck: bool
    """Whether articles are looked at again."""

    def __call__(self, tx: Tx) -> str:
        """Write it by itself; returns the word that it is counted under."""
        return self.together(tx, [self])[0]

    @staticmethod
    def together(tx: Tx, keeps: Sequence[Keep]) -> list[str]:
        """Write several: the exchanges are stored, and their pages wait to be processed."""
        seen = pages.sightings_of(tx, {one.page.id for one in keeps if one.recheck})
        ids = snapshots.keep_all(tx, [(one.page.id, one.exchange) for one in keeps])
        rows = [
            (one.page.id, snapshot_id, one.exchange.fetched_at, _again(one, seen.get(one.page.id, ())))
            for one, snapshot_id in zip(keeps, ids, strict=True)
        ]
        pages.fetched_all(tx, rows)
        return ["fetched"] * len(rows)


def _again(keep: Keep, seen: Sequence[Sighting]) -> datetime | None:
    return first_recheck(keep.page, seen, keep.exchange.fetched_at) if keep.recheck else None
