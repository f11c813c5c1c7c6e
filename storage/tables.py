"""The schema: tables in the order of the data's way. A change here needs a migration beside it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from storage.columns import BigId, Chars, Json, Utc

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "pk": "%(table_name)s_pk",
    }
)

site = Table(
    "site",
    metadata,
    Column("key", Chars, primary_key=True),
    Column("delay_s", Float, nullable=False),
    Column("blocked_until", Utc),
    Column("blocked_for", String(20)),
    Column("failures", Integer, nullable=False, default=0),
    Column("lease_owner", String(100)),
    Column("lease_until", Utc),
    Column("due_at", Utc),  # the earliest work; kept by sites.refresh
    Column("urgent", Boolean, nullable=False, default=False),  # somebody pressed a button: before all others
    Column("lease_doubted", Boolean),  # it seemed to have run out, and its holder has a moment to renew it
    Index("site_due_ix", "urgent", "due_at"),
)

robots = Table(
    "robots",
    metadata,
    Column("origin", Chars, primary_key=True),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

source = Table(
    "source",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Chars, nullable=False, unique=True),
    Column("site", Chars, ForeignKey("site.key"), nullable=False),
    Column("config", Json, nullable=False),
    Column("paused", Boolean, nullable=False, default=False),
    Column("removed_at", Utc),  # a removed source stays for the provenance of what it listed
    Column("added_at", Utc, nullable=False),
    Column("next_at", Utc),
    Column("interval_s", Integer, nullable=False),
    Column("etag", Chars),
    Column("last_modified", Chars),
    Column("body_digest", String(80)),
    Column("failures", Float, nullable=False, default=0.0),
    Column("last_poll_at", Utc),
    Column("last_success_at", Utc),
    Index("source_site_next_ix", "site", "next_at"),
)

poll = Table(
    "poll",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("status", Integer),
    Column("entries", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("note", Chars, nullable=False),
    Index("poll_source_ix", "source_id", "id"),
    Index("poll_finished_ix", "finished_at"),
)

event = Table(
    "event",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("source_id", BigId, ForeignKey("source.id")),
    Column("detail", Chars, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("tried_at", Utc),
    Column("closed_at", Utc),
)
_unclosed = event.c.closed_at.is_(None)
Index("event_open_uq", event.c.source_id, event.c.kind, unique=True, sqlite_where=_unclosed, postgresql_where=_unclosed)

source_memory = Table(
    "source_memory",
    metadata,
    Column("source_id", BigId, ForeignKey("source.id"), primary_key=True, autoincrement=False),
    Column("topic", String(20), primary_key=True),  # what it is about: "listing", "sitemap"
    Column("value", Json, nullable=False),
)

subscription = Table(  # WebSub: one for each source whose feed names a hub
    "subscription",
    metadata,
    Column("source_id", BigId, ForeignKey("source.id"), primary_key=True, autoincrement=False),
    Column("token", String(64), nullable=False, unique=True),  # the last part of the callback's address
    Column("secret", String(64), nullable=False),
    Column("hub", Chars, nullable=False),
    Column("topic", Chars, nullable=False),
    Column("state", String(12), nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("verified_at", Utc),
    Column("lease_until", Utc),
    Column("pushed_at", Utc),
    Column("refused", Integer, nullable=False, default=0),  # deliveries with a wrong signature
    Column("failures", Integer, nullable=False, default=0),
)

backfill = Table(
    "backfill",
    metadata,
    Column("source_id", BigId, ForeignKey("source.id"), primary_key=True, autoincrement=False),
    Column("since", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Column("state", String(12), nullable=False),
    Column("todo", Json, nullable=False),  # sitemaps still to be read
    Column("done", Json, nullable=False),  # those that were
    Column("failed", Json, nullable=False),  # those that could not be, each as "CODE URL"
    Column("found", Integer, nullable=False, default=0),
    Column("undated", Integer, nullable=False, default=0),
    Column("asked_at", Utc, nullable=False),
    Column("finished_at", Utc),
)
_open = backfill.c.state == "open"
Index("backfill_open_ix", backfill.c.source_id, sqlite_where=_open, postgresql_where=_open)

page = Table(
    "page",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("url", Chars, nullable=False, unique=True),
    Column("fetch_url", Chars, nullable=False),
    Column("site", Chars, ForeignKey("site.key"), nullable=False),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("disposition", String(12)),
    Column("reason", String(60)),
    Column("article_id", BigId),  # no foreign key: article.page_id points back here
    Column("snapshot_id", BigId),
    Column("redirect_to", Chars),
    Column("part_of", BigId),  # the page of whose article this one is a later part
    Column("priority", Integer, nullable=False),
    Column("hops", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc),
    Column("announced_at", Utc),
    Column("recheck_at", Utc),  # when an article is looked at again for corrections
    Column("discovered_at", Utc, nullable=False),
    Column("fetched_at", Utc),
    Column("done_at", Utc),
)
_discovered, _fetched = page.c.state == "discovered", page.c.state == "fetched"
_rechecked = page.c.recheck_at.is_not(None)
Index("page_recheck_ix", page.c.site, page.c.recheck_at, sqlite_where=_rechecked, postgresql_where=_rechecked)
Index("page_waiting_ix", page.c.site, page.c.next_at, sqlite_where=_discovered, postgresql_where=_discovered)
Index("page_outbox_ix", page.c.announced_at, sqlite_where=_fetched, postgresql_where=_fetched)
Index("page_outcome_ix", page.c.state, page.c.disposition, page.c.reason)
Index("page_article_ix", page.c.article_id)
Index("page_done_ix", page.c.done_at)
Index("page_source_ix", page.c.source_id, page.c.discovered_at)
_part = page.c.part_of.is_not(None)
Index("page_part_ix", page.c.part_of, sqlite_where=_part, postgresql_where=_part)

doubt = Table(  # what is wrong with a page for now, and may be so for good: kept beside the page, as few have any
    "doubt",
    metadata,
    Column("page_id", BigId, ForeignKey("page.id"), primary_key=True, autoincrement=False),
    Column("gone_since", Utc),  # since then it has answered as if its article were no more
    Column("walls", Integer, nullable=False, default=0),  # block pages in a row that came in its place
)

sighting = Table(
    "sighting",
    metadata,
    Column("page_id", BigId, ForeignKey("page.id"), primary_key=True, autoincrement=False),
    Column("source_id", BigId, ForeignKey("source.id"), primary_key=True, autoincrement=False),
    Column("via", String(16), primary_key=True),
    Column("url", Chars, nullable=False),
    Column("hints", Json, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("page_id", BigId, ForeignKey("page.id"), nullable=False),
    Column("url", Chars, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("request_headers", Json, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("body", LargeBinary),  # zlib; null once packed
    Column("archive_file", Chars),
    Column("archive_offset", BigId),
    Column("archive_length", BigId),
    Column("pruned_at", Utc),  # when the body went because its time was over; the rest of the row stays
    Index("snapshot_page_ix", "page_id"),
)
_packed = snapshot.c.archive_file.is_not(None)
_place = (snapshot.c.archive_file, snapshot.c.archive_offset)
Index("snapshot_file_ix", *_place, sqlite_where=_packed, postgresql_where=_packed)
HOT = snapshot.c.archive_file.is_(None) & snapshot.c.pruned_at.is_(None)
"""Of a body that is in the database."""
Index("snapshot_hot_ix", snapshot.c.id, sqlite_where=HOT, postgresql_where=HOT)

doomed_file = Table(  # archive files that hold nothing that is still needed: to be deleted
    "doomed_file",
    metadata,
    Column("file", Chars, primary_key=True),
    Column("at", Utc, nullable=False),
)

cluster = Table(
    "cluster",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("primary_article_id", BigId),
    Column("primary_reason", String(40), nullable=False),
    Column("successor_id", BigId),
    Column("created_at", Utc, nullable=False),
)

article = Table(
    "article",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("page_id", BigId, ForeignKey("page.id"), nullable=False),
    Column("url", Chars, nullable=False, unique=True),
    Column("site", Chars, nullable=False),
    Column("source_id", BigId, ForeignKey("source.id"), nullable=False),
    Column("cluster_id", BigId, ForeignKey("cluster.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    Column("withdrawn_reason", Chars),
    Index("article_cluster_ix", "cluster_id"),
    Index("article_updated_ix", "updated_at", "id"),
    Index("article_site_ix", "site", "id"),
    Index("article_source_ix", "source_id", "id"),
)

article_version = Table(
    "article_version",
    metadata,
    Column("article_id", BigId, ForeignKey("article.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("change_class", String(12), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("similarity", Float),
    Column("evidence", Json, nullable=False),  # what the decision was made from
    Column("credit", Chars),  # the agency that the text is credited to, or the house in its byline
    Column("standing", Integer, nullable=False),  # as a cluster's primary: 0 the source, 2 a copy, see Filing
    Column("content_hash", String(80), nullable=False),
    Column("snapshot_id", BigId, ForeignKey("snapshot.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("title", Chars, nullable=False),
    Column("subtitle", Chars),
    Column("description", Chars),
    Column("authors", Json, nullable=False),
    Column("publisher", Chars),
    Column("published_at", Utc),
    Column("published_precision", String(8)),
    Column("modified_at", Utc),
    Column("language", String(16)),
    Column("section", Chars),
    Column("keywords", Json, nullable=False),
    Column("image", Chars),
    Column("text", Chars, nullable=False),
    Column("blocks", Json, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("access", String(10), nullable=False),
    Column("license", Chars),
    Column("tdm", Chars),
    Column("provenance", Json, nullable=False),
    Column("pruned_at", Utc),  # when the text went because its time was over; never of the current version
    Column("dateline", Chars),
)

# Filters that few articles pass. SQLite, without statistics, would take these ways where most pass, too.
_prefixes = {"language": "text_pattern_ops"}
Index("article_version_language_ix", article_version.c.language, postgresql_ops=_prefixes).ddl_if("postgresql")
for _name in ("publisher", "section", "access"):
    Index(f"article_version_{_name}_ix", article_version.c[_name]).ddl_if("postgresql")
_time = (article_version.c.published_at, article_version.c.article_id)
Index("article_version_published_at_ix", *_time).ddl_if("postgresql")
Index("article_first_seen_ix", article.c.first_seen, article.c.id).ddl_if("postgresql")

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("article_id", BigId, ForeignKey("article.id"), primary_key=True, autoincrement=False),
    Column("algorithm", Integer, nullable=False),
    Column("exact", BigInteger, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    Index("fingerprint_exact_ix", "exact"),
)

posting = Table(  # derived from fingerprints: a row that outlives its article leads nowhere, and goes at the horizon
    "posting",
    metadata,
    Column("hash", Integer, primary_key=True, autoincrement=False),
    Column("article_id", BigId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

posting_page = Table(  # the same, packed, and the one that is filled on PostgreSQL: see storage/posting_pages.py
    "posting_page",
    metadata,
    Column("low", Integer, primary_key=True, autoincrement=False),  # the least hash that may be in it
    Column("data", LargeBinary, nullable=False),
)

posting_recent = Table(  # those that came lately, packed together as they came: see storage/recent_postings.py
    "posting_recent",
    metadata,
    Column("name", BigId, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

line = Table(  # in how many stories a line of text was seen lately; as many rows as there are slots, and no more
    "line",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("hash", Integer, nullable=False),
    Column("clusters", Integer, nullable=False),
    Column("cluster_id", BigId, nullable=False),  # the last one
)

horizon = Table(  # how far a piece of work that goes around through a table again and again has come
    "horizon",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("after", BigInteger),  # null: the round is complete
    Column("at", Utc, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("seq", BigId, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("article_id", BigId, ForeignKey("article.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("cluster_id", BigId, nullable=False),
    Column("at", Utc, nullable=False),
    Index("change_article_ix", "article_id", "version"),
    sqlite_autoincrement=True,  # a number is never given twice, even after a delete
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("page_id", BigId, ForeignKey("page.id"), primary_key=True, autoincrement=False),
    Column("stage", String(20), nullable=False),
    Column("error", Chars, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Utc, nullable=False),
)
