"""The tables of those who read and watch, and what strangers query; a change here needs a migration beside it."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table

from storage.columns import BigId, Chars, Json, Utc
from storage.tables import metadata

account = Table(  # a person who may log in
    "account",
    metadata,
    Column("name", Chars, primary_key=True),
    Column("password_hash", Chars, nullable=False),  # argon2id with its parameters (PHC string)
    Column("changed_at", Utc, nullable=False),
)

login = Table(  # a browser that is logged in
    "login",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie's secret
    Column("account", Chars, ForeignKey("account.name"), nullable=False),
    Column("expires_at", Utc, nullable=False),
)

token = Table(  # a program that may call
    "token",
    metadata,
    Column("name", Chars, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the token, which is kept nowhere
    Column("scope", String(8), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
)

consumer = Table(  # a reader of the change feed that the store keeps the place of
    "consumer",
    metadata,
    Column("name", Chars, primary_key=True),
    Column("seq", BigId, nullable=False),
    Column("at", Utc, nullable=False),
)

job = Table(  # what somebody asked for over HTTP; how it stands is read from the rows it is about
    "job",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("what", Chars, nullable=False),
    Column("asked_by", Chars, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("source_id", BigId, ForeignKey("source.id")),
    Column("pages", Json, nullable=False),
    Column("problems", Json, nullable=False),
)

webhook = Table(  # an address that is told of every change; its place is a consumer's
    "webhook",
    metadata,
    Column("name", Chars, primary_key=True),
    Column("url", Chars, nullable=False),
    Column("secret_variable", Chars, nullable=False),
    Column("with_articles", Boolean, nullable=False),
    Column("added_at", Utc, nullable=False),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("failing_since", Utc),
    Column("next_at", Utc),
    Column("parked_at", Utc),
    Column("problem", Chars),
)

hourly = Table(  # how much happened in each whole hour, so that nobody counts millions of rows for a picture
    "hourly",
    metadata,
    Column("hour", Utc, primary_key=True),
    Column("what", String(8), primary_key=True),  # "page" or "poll"
    Column("outcome", String(60), primary_key=True),
    Column("count", Integer, nullable=False),
)

alert = Table(  # a condition that somebody was told of, and that holds until it is resolved
    "alert",
    metadata,
    Column("condition", Chars, primary_key=True),  # "quiet:harbour"
    Column("message", Chars, nullable=False),
    Column("since", Utc, nullable=False),
    Column("told_at", Utc),
)

SEARCH_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE article_search USING fts5 "
        "(title, body, facets, tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")",
    ),
    "postgresql": (
        "CREATE TABLE article_search (article_id BIGINT CONSTRAINT article_search_pk PRIMARY KEY, "
        "document TSVECTOR NOT NULL)",
        "CREATE INDEX article_search_ix ON article_search USING GIN (document)",
    ),
}
"""Each database's own kind of index: it is made from the articles, and can be made again."""

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
"""What strangers query: each article once, at its current version."""
