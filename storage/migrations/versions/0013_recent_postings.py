"""Postings that came lately, kept together until the index takes many at once."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table; what the index has stays where it is."""
    op.create_table(
        "posting_recent",
        sa.Column("name", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="posting_recent_pk"),
    )
