"""What is written of the pages that one transaction files: kept, then written in a few statements for all of them.

Only the rows of new stories in clusters of their own are kept: nothing reads them until something like them comes.
Whoever is about to read or write what may hang together with those calls `flush` before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Table, func, select, text

from storage import changes, processing, similar
from storage.changes import Told
from storage.database import Tx, pipelined, stand_in_line
from storage.processing import Held
from storage.records import Boilerplate, Fingerprint, Neighbour
from storage.tables import article, article_version, cluster

Row = Mapping[str, Any]


class Batch:
    """The writes of one transaction, which ends with a `flush`. Its pages are held, and it stands in line."""

    def __init__(
        self,
        tx: Tx,
        page_ids: Sequence[int] = (),
        *,
        urls: Collection[str] = (),
        lines: Collection[int] = (),
    ) -> None:
        """`urls`: canonical keys of articles that may come; `lines`: hashes of the lines of their texts."""
        stand_in_line(tx)
        self.tx = tx
        self.pages: Mapping[int, Held] = processing.hold_all(tx, page_ids) if page_ids else {}
        """Those of the pages that wait to be processed, by their ids."""
        self._expected = max(1, len(urls))
        self._ids: dict[str, Iterator[int]] = {}
        self._taken = _taken(tx, urls)
        self._asked: set[int] = set()
        self._lines = lines
        self._held: dict[int, tuple[int, int, int]] = {}
        self._counted: dict[int, tuple[int, int, int]] = {}
        self._kept = _Kept()
        self._found = similar.Found()

    def is_new(self, url: str) -> bool:
        """Whether there is no article under that key, not even a withdrawn one. Only for the keys of this batch."""
        return url not in self._taken

    def boilerplate(self, lines: Sequence[int]) -> Boilerplate:
        """What is known of a text's lines, those of this batch counted."""
        if not self._asked.issuperset(lines):
            wanted = {*self._lines, *lines} - self._asked
            self._held = {**similar.boilerplate(self.tx, sorted(wanted)).held, **self._held}
            self._asked |= wanted
        return similar.boilerplate_among(lines, self._held)

    def count(self, known: Boilerplate, cluster_id: int) -> None:
        """Count a text's lines for its cluster."""
        changed = similar.noted(known, cluster_id)
        self._held |= changed
        self._counted |= changed

    def foresee(self, prints: Sequence[Fingerprint]) -> None:
        """Ask at once what leads to articles like these, the rest of this batch."""
        self._found = similar.look_up(self.tx, prints)

    def neighbours(self, print_: Fingerprint) -> tuple[list[Neighbour], tuple[int, ...]]:
        """As `similar.neighbours`, those of this batch too: if some that are kept may be like it, all are written."""
        if print_.exact in self._kept.exact or not self._kept.keys.isdisjoint(print_.keys):
            self.flush()
        return similar.neighbours(self.tx, print_, self._found if self._found.has(print_) else None)

    def next_id(self, table: Table) -> int:
        """The id of the next row of the articles or of the clusters: in this batch they follow each other."""
        found = next(self._ids.get(table.name, iter(())), None)
        if found is None:
            self._ids[table.name] = _ids(self.tx, table, self._expected)
            found = next(self._ids[table.name])
        return found

    def take(self, url: str) -> None:
        """There is an article under that key now."""
        self._taken.add(url)

    def found(self, cluster_row: Row, article_row: Row, version: Row, print_: Fingerprint, keys: Sequence[int]) -> None:
        """Keep a new article, its cluster, its first version and its fingerprint with the keys that lead to it."""
        self._kept.clusters.append(cluster_row)
        self._kept.articles.append(article_row)
        self._kept.versions.append(version)
        self.index(article_row["id"], print_, keys)

    def index(self, article_id: int, print_: Fingerprint, keys: Sequence[int]) -> None:
        """Keep an article's fingerprint with the keys that lead to it."""
        self._kept.prints.append((article_id, print_, keys))
        self._found.add(article_id, print_, keys)
        self._kept.keys.update(keys)
        self._kept.exact.add(print_.exact)

    def tell(self, row: Told) -> None:
        """Keep a row of the change feed."""
        self._kept.told.append(row)

    def close(self, page_id: int, article_id: int, reason: str, now: datetime) -> None:
        """Keep that a page is done as an article; it is no part of another page's."""
        self._kept.closed.append((page_id, article_id, reason, now))

    def flush(self) -> None:
        """Write what is kept."""
        kept, self._kept = self._kept, _Kept()
        with pipelined(self.tx):
            for table, rows in ((cluster, kept.clusters), (article, kept.articles), (article_version, kept.versions)):
                if rows:
                    self.tx.execute(table.insert(), rows)
            changes.append_all(self.tx, kept.told)
            if kept.closed:
                processing.filed(self.tx, kept.closed)
            similar.hold(self.tx, self._counted)
        if kept.prints:
            similar.index_all(self.tx, kept.prints)
        self._counted = {}


class _Kept:
    """What is still to be written."""

    def __init__(self) -> None:
        self.clusters: list[Row] = []
        self.articles: list[Row] = []
        self.versions: list[Row] = []
        self.prints: list[tuple[int, Fingerprint, Sequence[int]]] = []
        self.told: list[Told] = []
        self.closed: list[tuple[int, int, str, datetime]] = []
        self.keys: set[int] = set()
        self.exact: set[int] = set()


def _taken(tx: Tx, urls: Collection[str]) -> set[str]:
    if not urls:
        return set()
    return set(tx.execute(select(article.c.url).where(article.c.url.in_(sorted(set(urls))))).scalars())


def _ids(tx: Tx, table: Table, expected: int) -> Iterator[int]:
    """Ids that nobody else is given: out of the sequence, or what SQLite's single writer would give."""
    if tx.dialect.name == "postgresql":
        return iter(list(tx.execute(text(_NEXT[table.name]), {"expected": expected}).scalars()))
    return count(int(tx.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1)


_NEXT = {
    table.name: f"SELECT nextval('{table.name}_id_seq') FROM generate_series(1, :expected)"  # noqa: S608 - constants
    for table in (article, cluster)
}
