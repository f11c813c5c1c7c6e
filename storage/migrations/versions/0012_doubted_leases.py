"""Whether a lease that seems to have run out was put in doubt, so that its holder had time to renew it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column; a lease of before is not in doubt."""
    op.add_column("site", sa.Column("lease_doubted", sa.Boolean(), nullable=True))
