"""People who may log in, their browsers, and programs with a token."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add three tables."""
    op.create_table(
        "account",
        sa.Column("name", columns.Chars(), nullable=False),
        sa.Column("password_hash", columns.Chars(), nullable=False),
        sa.Column("changed_at", columns.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="account_pk"),
    )
    op.create_table(
        "login",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account", columns.Chars(), nullable=False),
        sa.Column("expires_at", columns.Utc(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="login_account_fk"),
        sa.PrimaryKeyConstraint("digest", name="login_pk"),
    )
    op.create_table(
        "token",
        sa.Column("name", columns.Chars(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("created_at", columns.Utc(), nullable=False),
        sa.Column("revoked_at", columns.Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="token_pk"),
        sa.UniqueConstraint("digest", name="token_digest_uq"),
    )
