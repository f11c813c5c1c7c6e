"""Indexes by source: what a crawl brought, and a source's newest articles, are read without passing all others."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add both indexes."""
    op.create_index("page_source_ix", "page", ["source_id", "discovered_at"])
    op.create_index("article_source_ix", "article", ["source_id", "id"])
