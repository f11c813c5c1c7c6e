"""Which articles a reader wants, by their fields."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

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
        if self.source is not None:  # its id decides: an index has the articles of a source in their order
            yield article.c.source_id == select(source.c.id).where(source.c.name == self.source).scalar_subquery()
        if self.language is not None:
            yield (version.language == self.language) | version.language.startswith(
                f"{self.language}-", autoescape=True
            )
        yield from self.published()
        yield from self.seen()
        if self.primary is not None:
            leads = select(cluster.c.primary_article_id).where(cluster.c.id == article.c.cluster_id).scalar_subquery()
            yield leads == article.c.id if self.primary else leads != article.c.id

    def published(self) -> list[ColumnElement[bool]]:
        """What it asks of the time of publication."""
        at, since, until = article_version.c.published_at, self.published_since, self.published_until
        return [*([at >= since] if since is not None else []), *([at < until] if until is not None else [])]

    def seen(self) -> list[ColumnElement[bool]]:
        """What it asks of the time of the first sight."""
        return [article.c.first_seen >= self.seen_since] if self.seen_since is not None else []

    @property
    def asks_versions(self) -> bool:
        """Whether it asks for anything that the version of an article tells."""
        told = (self.publisher, self.language, self.section, self.access, self.published_since, self.published_until)
        return any(value is not None for value in told)
