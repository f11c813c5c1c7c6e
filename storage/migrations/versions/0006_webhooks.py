"""Addresses that are told of every change."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "webhook",
        sa.Column("name", columns.Chars(), nullable=False),
        sa.Column("url", columns.Chars(), nullable=False),
        sa.Column("secret_variable", columns.Chars(), nullable=False),
        sa.Column("with_articles", sa.Boolean(), nullable=False),
        sa.Column("added_at", columns.Utc(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", columns.Utc(), nullable=True),
        sa.Column("next_at", columns.Utc(), nullable=True),
        sa.Column("parked_at", columns.Utc(), nullable=True),
        sa.Column("problem", columns.Chars(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="webhook_pk"),
    )
