"""Which articles a reader wants, by their fields."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from storage.records import Access, Record
from storage.tables import article, article_version, cluster, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(Record):
    """Conditions that must all hold; None is none."""

    source: str | None = None
    """The name of the source that listed the article first."""
    site: str | None = None
    """The registrable domain."""
    publisher: str | None = None
    language: str | None = None
    """A language with all its regions: `de` takes in `de-AT`."""
    section: str | None = None
    access: Access | None = None
    cluster: int | None = None
    published_since: datetime | None = None
    published_until: datetime | None = None
    """Published before this time."""
    seen_since: datetime | None = None
    """First seen at this time or later."""
    primary: bool | None = None
    """True: only the article that stands for its cluster."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the filter means for the tables that articles are read from."""
        return list(self._conditions())

    def _conditions(self) -> Iterator[ColumnElement[bool]]:
        version = article_version.c
        columns: dict[str, Any] = {
            "source": source.c.name,
            "site": article.c.site,
            "publisher": version.publisher,
            "section": version.section,
            "access": version.access,
            "cluster": article.c.cluster_id,
        }
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value is not None and spec.name in columns:
                yield columns[spec.name] == value
        if self.language is not None:
            yield (version.language == self.language) | version.language.startswith(
                f"{self.language}-", autoescape=True
            )
        if self.published_since is not None:
            yield version.published_at >= self.published_since
        if self.published_until is not None:
            yield version.published_at < self.published_until
        if self.seen_since is not None:
            yield article.c.first_seen >= self.seen_since
        if self.primary is not None:
            is_primary = cluster.c.primary_article_id == article.c.id
            yield is_primary if self.primary else ~is_primary
