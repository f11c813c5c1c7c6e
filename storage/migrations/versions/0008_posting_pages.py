"""Postings in pages, which PostgreSQL fills instead of rows: what it has in rows is packed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# No hash is in two pages, the first page begins at the least hash there is: as storage/posting_pages.py wants it.
_PACK = """
WITH numbered AS (SELECT hash, (sum(count(*)) OVER (ORDER BY hash) - 1) / 48 AS page FROM posting GROUP BY hash),
paged AS (
    SELECT n.page, min(p.hash) AS low,
           string_agg(int4send(p.hash) || substring(int8send(p.article_id) FROM 4), CAST('' AS bytea)) AS data
    FROM numbered AS n JOIN posting AS p ON p.hash = n.hash GROUP BY n.page
)
INSERT INTO posting_page (low, data)
SELECT CASE WHEN row_number() OVER (ORDER BY low) = 1 THEN -2147483648 ELSE low END, data FROM paged
"""


def upgrade() -> None:
    """Add the table, and move what PostgreSQL has."""
    op.create_table(
        "posting_page",
        sa.Column("low", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("low", name="posting_page_pk"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(_PACK)
        op.execute("TRUNCATE posting")
