"""Bodies and old versions that were pruned say so; an archive file is found by its name."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0003"
down_revision = "0002"

_HOT = sa.text("archive_file IS NULL AND pruned_at IS NULL")
_PACKED = sa.text("archive_file IS NOT NULL")


def upgrade() -> None:
    """Add a column to two tables, one index, and leave pruned bodies out of the index of hot ones."""
    op.add_column("snapshot", sa.Column("pruned_at", columns.Utc(), nullable=True))
    op.add_column("article_version", sa.Column("pruned_at", columns.Utc(), nullable=True))
    op.drop_index("snapshot_hot_ix", table_name="snapshot")
    op.create_index("snapshot_hot_ix", "snapshot", ["id"], sqlite_where=_HOT, postgresql_where=_HOT)
    op.create_index("snapshot_file_ix", "snapshot", ["archive_file"], sqlite_where=_PACKED, postgresql_where=_PACKED)
