"""Indexes for readers: of filters that few articles pass, and of an archive file's last body, which tells its size."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_PACKED = sa.text("archive_file IS NOT NULL")


def upgrade() -> None:
    """Add them; those of filters on PostgreSQL only, which knows from its statistics when they help."""
    op.drop_index("snapshot_file_ix", table_name="snapshot")
    at = ["archive_file", "archive_offset"]
    op.create_index("snapshot_file_ix", "snapshot", at, sqlite_where=_PACKED, postgresql_where=_PACKED)
    if op.get_bind().dialect.name == "postgresql":
        prefixes = {"language": "text_pattern_ops"}
        op.create_index("article_version_language_ix", "article_version", ["language"], postgresql_ops=prefixes)
        for name in ("publisher", "section", "access"):
            op.create_index(f"article_version_{name}_ix", "article_version", [name])
        op.create_index("article_version_published_at_ix", "article_version", ["published_at", "article_id"])
        op.create_index("article_first_seen_ix", "article", ["first_seen", "id"])
