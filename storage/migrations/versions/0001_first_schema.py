"""The first schema: sources, sites, pages, snapshots, articles, clusters, the change feed."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0001"
down_revision = None

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


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "cluster",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("primary_article_id", columns.BigId, nullable=True),
        sa.Column("primary_reason", sa.String(length=40), nullable=False),
        sa.Column("successor_id", columns.BigId, nullable=True),
        sa.Column("created_at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("cluster_pk")),
    )
    op.create_table(
        "doomed_file",
        sa.Column("file", columns.Chars(), nullable=False),
        sa.Column("at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("file", name=op.f("doomed_file_pk")),
    )
    op.create_table(
        "horizon",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=True),
        sa.Column("at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("horizon_pk")),
    )
    op.create_table(
        "line",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Integer(), nullable=False),
        sa.Column("clusters", sa.Integer(), nullable=False),
        sa.Column("cluster_id", columns.BigId, nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("line_pk")),
    )
    op.create_table(
        "posting",
        sa.Column("hash", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", columns.BigId, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", "article_id", name=op.f("posting_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "robots",
        sa.Column("origin", columns.Chars(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", columns.Utc(), nullable=False),
        sa.Column("expires_at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("robots_pk")),
    )
    op.create_table(
        "site",
        sa.Column("key", columns.Chars(), nullable=False),
        sa.Column("delay_s", sa.Float(), nullable=False),
        sa.Column("blocked_until", columns.Utc(), nullable=True),
        sa.Column("blocked_for", sa.String(length=20), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", columns.Utc(), nullable=True),
        sa.Column("due_at", columns.Utc(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("site_pk")),
    )
    op.create_index("site_due_ix", "site", ["urgent", "due_at"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("name", columns.Chars(), nullable=False),
        sa.Column("site", columns.Chars(), nullable=False),
        sa.Column("config", columns.Json(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("removed_at", columns.Utc(), nullable=True),
        sa.Column("added_at", columns.Utc(), nullable=False),
        sa.Column("next_at", columns.Utc(), nullable=True),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("etag", columns.Chars(), nullable=True),
        sa.Column("last_modified", columns.Chars(), nullable=True),
        sa.Column("body_digest", sa.String(length=80), nullable=True),
        sa.Column("failures", sa.Float(), nullable=False),
        sa.Column("last_poll_at", columns.Utc(), nullable=True),
        sa.Column("last_success_at", columns.Utc(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.key"], name=op.f("source_site_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("source_pk")),
        sa.UniqueConstraint("name", name=op.f("source_name_uq")),
    )
    op.create_index("source_site_next_ix", "source", ["site", "next_at"], unique=False)
    op.create_table(
        "backfill",
        sa.Column("source_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("since", columns.Utc(), nullable=False),
        sa.Column("until", columns.Utc(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("todo", columns.Json(), nullable=False),
        sa.Column("done", columns.Json(), nullable=False),
        sa.Column("failed", columns.Json(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("undated", sa.Integer(), nullable=False),
        sa.Column("asked_at", columns.Utc(), nullable=False),
        sa.Column("finished_at", columns.Utc(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("backfill_source_id_fk")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("backfill_pk")),
    )
    op.create_index(
        "backfill_open_ix",
        "backfill",
        ["source_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "event",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("source_id", columns.BigId, nullable=True),
        sa.Column("detail", columns.Chars(), nullable=False),
        sa.Column("opened_at", columns.Utc(), nullable=False),
        sa.Column("tried_at", columns.Utc(), nullable=True),
        sa.Column("closed_at", columns.Utc(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("event_source_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pk")),
    )
    op.create_index(
        "event_open_uq",
        "event",
        ["source_id", "kind"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "page",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("url", columns.Chars(), nullable=False),
        sa.Column("fetch_url", columns.Chars(), nullable=False),
        sa.Column("site", columns.Chars(), nullable=False),
        sa.Column("source_id", columns.BigId, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("disposition", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("article_id", columns.BigId, nullable=True),
        sa.Column("snapshot_id", columns.BigId, nullable=True),
        sa.Column("redirect_to", columns.Chars(), nullable=True),
        sa.Column("part_of", columns.BigId, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", columns.Utc(), nullable=True),
        sa.Column("announced_at", columns.Utc(), nullable=True),
        sa.Column("recheck_at", columns.Utc(), nullable=True),
        sa.Column("discovered_at", columns.Utc(), nullable=False),
        sa.Column("fetched_at", columns.Utc(), nullable=True),
        sa.Column("done_at", columns.Utc(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.key"], name=op.f("page_site_fk")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("page_source_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("page_pk")),
        sa.UniqueConstraint("url", name=op.f("page_url_uq")),
    )
    op.create_index("page_article_ix", "page", ["article_id"], unique=False)
    op.create_index(
        "page_outbox_ix",
        "page",
        ["announced_at"],
        unique=False,
        sqlite_where=sa.text("state = 'fetched'"),
        postgresql_where=sa.text("state = 'fetched'"),
    )
    op.create_index("page_outcome_ix", "page", ["state", "disposition", "reason"], unique=False)
    op.create_index(
        "page_part_ix",
        "page",
        ["part_of"],
        unique=False,
        sqlite_where=sa.text("part_of IS NOT NULL"),
        postgresql_where=sa.text("part_of IS NOT NULL"),
    )
    op.create_index(
        "page_recheck_ix",
        "page",
        ["site", "recheck_at"],
        unique=False,
        sqlite_where=sa.text("recheck_at IS NOT NULL"),
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )
    op.create_index(
        "page_waiting_ix",
        "page",
        ["site", "next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'discovered'"),
        postgresql_where=sa.text("state = 'discovered'"),
    )
    op.create_table(
        "poll",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("source_id", columns.BigId, nullable=False),
        sa.Column("started_at", columns.Utc(), nullable=False),
        sa.Column("finished_at", columns.Utc(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("note", columns.Chars(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("poll_source_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("poll_pk")),
    )
    op.create_index("poll_source_ix", "poll", ["source_id", "id"], unique=False)
    op.create_table(
        "source_memory",
        sa.Column("source_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("value", columns.Json(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("source_memory_source_id_fk")),
        sa.PrimaryKeyConstraint("source_id", "topic", name=op.f("source_memory_pk")),
    )
    op.create_table(
        "subscription",
        sa.Column("source_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("hub", columns.Chars(), nullable=False),
        sa.Column("topic", columns.Chars(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", columns.Utc(), nullable=False),
        sa.Column("verified_at", columns.Utc(), nullable=True),
        sa.Column("lease_until", columns.Utc(), nullable=True),
        sa.Column("pushed_at", columns.Utc(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("subscription_source_id_fk")),
        sa.PrimaryKeyConstraint("source_id", name=op.f("subscription_pk")),
        sa.UniqueConstraint("token", name=op.f("subscription_token_uq")),
    )
    op.create_table(
        "article",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("page_id", columns.BigId, nullable=False),
        sa.Column("url", columns.Chars(), nullable=False),
        sa.Column("site", columns.Chars(), nullable=False),
        sa.Column("source_id", columns.BigId, nullable=False),
        sa.Column("cluster_id", columns.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_seen", columns.Utc(), nullable=False),
        sa.Column("updated_at", columns.Utc(), nullable=False),
        sa.Column("withdrawn_at", columns.Utc(), nullable=True),
        sa.Column("withdrawn_reason", columns.Chars(), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name=op.f("article_cluster_id_fk")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("article_page_id_fk")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("article_source_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("article_pk")),
        sa.UniqueConstraint("url", name=op.f("article_url_uq")),
    )
    op.create_index("article_cluster_ix", "article", ["cluster_id"], unique=False)
    op.create_index("article_site_ix", "article", ["site", "id"], unique=False)
    op.create_index("article_updated_ix", "article", ["updated_at", "id"], unique=False)
    op.create_table(
        "doubt",
        sa.Column("page_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("gone_since", columns.Utc(), nullable=True),
        sa.Column("walls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("doubt_page_id_fk")),
        sa.PrimaryKeyConstraint("page_id", name=op.f("doubt_pk")),
    )
    op.create_table(
        "quarantine",
        sa.Column("page_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("error", columns.Chars(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", columns.Utc(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("quarantine_page_id_fk")),
        sa.PrimaryKeyConstraint("page_id", name=op.f("quarantine_pk")),
    )
    op.create_table(
        "sighting",
        sa.Column("page_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("source_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("url", columns.Chars(), nullable=False),
        sa.Column("hints", columns.Json(), nullable=False),
        sa.Column("first_seen", columns.Utc(), nullable=False),
        sa.Column("last_seen", columns.Utc(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("sighting_page_id_fk")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("sighting_source_id_fk")),
        sa.PrimaryKeyConstraint("page_id", "source_id", "via", name=op.f("sighting_pk")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("page_id", columns.BigId, nullable=False),
        sa.Column("url", columns.Chars(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", columns.Json(), nullable=False),
        sa.Column("request_headers", columns.Json(), nullable=False),
        sa.Column("fetched_at", columns.Utc(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("archive_file", columns.Chars(), nullable=True),
        sa.Column("archive_offset", columns.BigId, nullable=True),
        sa.Column("archive_length", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("snapshot_page_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("snapshot_pk")),
    )
    op.create_index(
        "snapshot_hot_ix",
        "snapshot",
        ["id"],
        unique=False,
        sqlite_where=sa.text("archive_file IS NULL"),
        postgresql_where=sa.text("archive_file IS NULL"),
    )
    op.create_index("snapshot_page_ix", "snapshot", ["page_id"], unique=False)
    op.create_table(
        "article_version",
        sa.Column("article_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change_class", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=True),
        sa.Column("evidence", columns.Json(), nullable=False),
        sa.Column("credit", columns.Chars(), nullable=True),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=80), nullable=False),
        sa.Column("snapshot_id", columns.BigId, nullable=False),
        sa.Column("created_at", columns.Utc(), nullable=False),
        sa.Column("fetched_at", columns.Utc(), nullable=False),
        sa.Column("title", columns.Chars(), nullable=False),
        sa.Column("subtitle", columns.Chars(), nullable=True),
        sa.Column("description", columns.Chars(), nullable=True),
        sa.Column("authors", columns.Json(), nullable=False),
        sa.Column("publisher", columns.Chars(), nullable=True),
        sa.Column("published_at", columns.Utc(), nullable=True),
        sa.Column("published_precision", sa.String(length=8), nullable=True),
        sa.Column("modified_at", columns.Utc(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("section", columns.Chars(), nullable=True),
        sa.Column("keywords", columns.Json(), nullable=False),
        sa.Column("image", columns.Chars(), nullable=True),
        sa.Column("text", columns.Chars(), nullable=False),
        sa.Column("blocks", columns.Json(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("access", sa.String(length=10), nullable=False),
        sa.Column("license", columns.Chars(), nullable=True),
        sa.Column("tdm", columns.Chars(), nullable=True),
        sa.Column("provenance", columns.Json(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("article_version_article_id_fk")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("article_version_snapshot_id_fk")),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("article_version_pk")),
    )
    op.create_table(
        "change",
        sa.Column("seq", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("article_id", columns.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cluster_id", columns.BigId, nullable=False),
        sa.Column("at", columns.Utc(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("change_article_id_fk")),
        sa.PrimaryKeyConstraint("seq", name=op.f("change_pk")),
        sqlite_autoincrement=True,
    )
    op.create_index("change_article_ix", "change", ["article_id", "version"], unique=False)
    op.create_table(
        "fingerprint",
        sa.Column("article_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("exact", sa.BigInteger(), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fingerprint_article_id_fk")),
        sa.PrimaryKeyConstraint("article_id", name=op.f("fingerprint_pk")),
    )
    op.create_index("fingerprint_exact_ix", "fingerprint", ["exact"], unique=False)
    op.execute(ARTICLES_VIEW)
