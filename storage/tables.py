"""The schema: tables in the order of the data's way. A change here needs a migration beside it."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from storage.columns import BigId, Chars, Json, Utc

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "pk": "%(table_name)s_pk",
    }
)

site = Table(
    "site",
    metadata,
    Column("key", Chars, primary_key=True),
    Column("delay_s", Float, nullable=False),
    Column("blocked_until", Utc),
    Column("failures", Integer, nullable=False, default=0),
    Column("lease_owner", String(100)),
    Column("lease_until", Utc),
    Column("due_at", Utc),  # the earliest work; kept by sites.refresh
    Column("urgent", Boolean, nullable=False, default=False),  # somebody pressed a button: before all others
    Index("site_due_ix", "due_at"),
)

robots = Table(
    "robots",
    metadata,
    Column("origin", Chars, primary_key=True),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

source = Table(
    "source",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Chars, nullable=False, unique=True),
    Column("site", Chars, ForeignKey("site.key"), nullable=False),
    Column("config", Json, nullable=False),
    Column("paused", Boolean, nullable=False, default=False),
    Column("removed_at", Utc),  # a removed source stays for the provenance of what it listed
    Column("added_at", Utc, nullable=False),
    Column("next_at", Utc),
    Column("interval_s", Integer, nullable=False),
    Column("etag", Chars),
    Column("last_modified", Chars),
    Column("body_digest", String(80)),
    Column("failures", Float, nullable=False, default=0.0),
    Column("last_poll_at", Utc),
    Column("last_success_at", Utc),
    Index("source_site_next_ix", "site", "next_at"),
)

poll = Table(
    "poll",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("status", Integer),
    Column("entries", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("note", Chars, nullable=False),
    Index("poll_source_ix", "source_id", "id"),
)

page = Table(
    "page",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("url", Chars, nullable=False, unique=True),
    Column("fetch_url", Chars, nullable=False),
    Column("site", Chars, ForeignKey("site.key"), nullable=False),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("disposition", String(12)),
    Column("reason", String(60)),
    Column("article_id", BigId),  # no foreign key: article.page_id points back here
    Column("snapshot_id", BigId),
    Column("redirect_to", Chars),
    Column("priority", Integer, nullable=False),
    Column("hops", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc),
    Column("announced_at", Utc),
    Column("discovered_at", Utc, nullable=False),
    Column("fetched_at", Utc),
    Column("done_at", Utc),
)
_discovered, _fetched = page.c.state == "discovered", page.c.state == "fetched"
Index("page_waiting_ix", page.c.site, page.c.next_at, sqlite_where=_discovered, postgresql_where=_discovered)
Index("page_outbox_ix", page.c.announced_at, sqlite_where=_fetched, postgresql_where=_fetched)
Index("page_outcome_ix", page.c.state, page.c.disposition, page.c.reason)
Index("page_article_ix", page.c.article_id)

sighting = Table(
    "sighting",
    metadata,
    Column("page_id", BigId, ForeignKey("page.id"), primary_key=True, autoincrement=False),
    Column("source_id", BigId, ForeignKey("source.id"), primary_key=True, autoincrement=False),
    Column("via", String(16), primary_key=True),
    Column("url", Chars, nullable=False),
    Column("hints", Json, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("page_id", BigId, ForeignKey("page.id"), nullable=False),
    Column("url", Chars, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("request_headers", Json, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("body", LargeBinary),  # zlib; null once packed
    Column("archive_file", Chars),
    Column("archive_offset", BigId),
    Column("archive_length", BigId),
    Index("snapshot_page_ix", "page_id"),
)
_hot = snapshot.c.archive_file.is_(None)
Index("snapshot_hot_ix", snapshot.c.id, sqlite_where=_hot, postgresql_where=_hot)

cluster = Table(
    "cluster",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("primary_article_id", BigId),
    Column("primary_reason", String(40), nullable=False),
    Column("successor_id", BigId),
    Column("created_at", Utc, nullable=False),
)

article = Table(
    "article",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("page_id", BigId, ForeignKey("page.id"), nullable=False),
    Column("url", Chars, nullable=False, unique=True),
    Column("site", Chars, nullable=False),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("cluster_id", BigId, ForeignKey("cluster.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    Column("withdrawn_reason", Chars),
    Index("article_cluster_ix", "cluster_id"),
    Index("article_updated_ix", "updated_at", "id"),
)

article_version = Table(
    "article_version",
    metadata,
    Column("article_id", BigId, ForeignKey("article.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("change_class", String(12), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("similarity", Float),
    Column("content_hash", String(80), nullable=False),
    Column("snapshot_id", BigId, ForeignKey("snapshot.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("title", Chars, nullable=False),
    Column("subtitle", Chars),
    Column("description", Chars),
    Column("authors", Json, nullable=False),
    Column("publisher", Chars),
    Column("published_at", Utc),
    Column("published_precision", String(8)),
    Column("modified_at", Utc),
    Column("language", String(16)),
    Column("section", Chars),
    Column("keywords", Json, nullable=False),
    Column("image", Chars),
    Column("text", Chars, nullable=False),
    Column("blocks", Json, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("access", String(10), nullable=False),
    Column("license", Chars),
    Column("tdm", Chars),
    Column("provenance", Json, nullable=False),
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("article_id", BigId, ForeignKey("article.id"), primary_key=True, autoincrement=False),
    Column("algorithm", Integer, nullable=False),
    Column("exact", String(80), nullable=False),
    Column("sketch", LargeBinary, nullable=False),  # 32-bit hashes, little endian, ascending
    Index("fingerprint_exact_ix", "exact"),
)

posting = Table(
    "posting",
    metadata,
    Column("hash", BigId, primary_key=True, autoincrement=False),
    Column("article_id", BigId, ForeignKey("article.id"), primary_key=True, autoincrement=False),
    Index("posting_article_ix", "article_id"),
    sqlite_with_rowid=False,
)

change = Table(
    "change",
    metadata,
    Column("seq", BigId, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("article_id", BigId, ForeignKey("article.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("cluster_id", BigId, nullable=False),
    Column("at", Utc, nullable=False),
    Index("change_article_ix", "article_id", "version"),
    sqlite_autoincrement=True,  # a number is never given twice, even after a delete
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("page_id", BigId, ForeignKey("page.id"), primary_key=True, autoincrement=False),
    Column("stage", String(20), nullable=False),
    Column("error", Chars, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Utc, nullable=False),
)

ARTICLES_VIEW = """
CREATE VIEW articles AS
SELECT a.id, a.url, a.site, s.name AS source, v.publisher, v.title, v.subtitle, v.description, v.authors,
       v.published_at, v.published_precision, v.modified_at, v.language, v.section, v.keywords, v.image,
       v.text, v.word_count, v.access, v.license, v.tdm,
       a.cluster_id, COALESCE(c.primary_article_id = a.id, FALSE) AS is_primary,
       v.version, v.change_class, v.content_hash, a.first_seen, v.fetched_at, a.updated_at
FROM article AS a
JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version
JOIN cluster AS c ON c.id = a.cluster_id
JOIN source AS s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL
"""
"""What strangers query: each article once, at its current version."""
