"""What somebody asked for over HTTP."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "job",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("what", columns.Chars(), nullable=False),
        sa.Column("asked_by", columns.Chars(), nullable=False),
        sa.Column("asked_at", columns.Utc(), nullable=False),
        sa.Column("source_id", columns.BigId, nullable=True),
        sa.Column("pages", columns.Json(), nullable=False),
        sa.Column("problems", columns.Json(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="job_source_id_fk"),
        sa.PrimaryKeyConstraint("id", name="job_pk"),
    )
