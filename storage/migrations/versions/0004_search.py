"""Places in the change feed, and the full-text index, which fills itself from the feed."""

import sqlalchemy as sa
from alembic import op

from storage import columns
from storage.reader_tables import SEARCH_INDEX

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a table and each database's own kind of index."""
    op.create_table(
        "consumer",
        sa.Column("name", columns.Chars(), nullable=False),
        sa.Column("seq", columns.BigId, nullable=False),
        sa.Column("at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="consumer_pk"),
    )
    for statement in SEARCH_INDEX[op.get_context().dialect.name]:
        op.execute(statement)
