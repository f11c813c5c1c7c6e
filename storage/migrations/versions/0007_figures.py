"""Counts by hour, and the conditions that somebody was told of."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add two tables and two indexes."""
    op.create_table(
        "hourly",
        sa.Column("hour", columns.Utc(), nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(60), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "what", "outcome", name="hourly_pk"),
    )
    op.create_table(
        "alert",
        sa.Column("condition", columns.Chars(), nullable=False),
        sa.Column("message", columns.Chars(), nullable=False),
        sa.Column("since", columns.Utc(), nullable=False),
        sa.Column("told_at", columns.Utc(), nullable=True),
        sa.PrimaryKeyConstraint("condition", name="alert_pk"),
    )
    op.create_index("page_done_ix", "page", ["done_at"])
    op.create_index("poll_finished_ix", "poll", ["finished_at"])
