"""The place an article is dated from; the view tells it, and the credit, as its last columns."""

import sqlalchemy as sa
from alembic import op

from storage import columns

revision = "0010"
down_revision = "0009"

ARTICLES_VIEW = """
CREATE VIEW articles AS
SELECT a.id, a.url, a.site, s.name AS source, v.publisher, v.title, v.subtitle, v.description, v.authors,
       v.published_at, v.published_precision, v.modified_at, v.language, v.section, v.keywords, v.image,
       v.text, v.word_count, v.access, v.license, v.tdm,
       a.cluster_id, COALESCE(c.primary_article_id = a.id, FALSE) AS is_primary,
       v.version, v.change_class, v.content_hash, a.first_seen, v.fetched_at, a.updated_at,
       v.credit, v.dateline
FROM article AS a
JOIN article_version AS v ON v.article_id = a.id AND v.version = a.version
JOIN cluster AS c ON c.id = a.cluster_id
JOIN source AS s ON s.id = a.source_id
WHERE a.withdrawn_at IS NULL
"""


def upgrade() -> None:
    """Add the column, and make the view anew: neither database lets a view's columns be added to in place."""
    op.execute("DROP VIEW articles")
    op.add_column("article_version", sa.Column("dateline", columns.Chars(), nullable=True))
    op.execute(ARTICLES_VIEW)
