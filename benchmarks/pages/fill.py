"""Fills an empty store with articles, sources and all that goes with them, by SQL: a million in some minutes."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update

from benchmarks.pages.wording import Wording, byline
from storage import sources
from storage.database import Tx
from storage.records import SourceConfig
from storage.search import facet
from storage.store import Store
from storage.tables import page, poll

SPAN_S = 730 * 86_400
"""The articles were published evenly over two years."""
GIANT = 200
"""Members of the first cluster; of the other articles each fourth is the second in its cluster."""
POLLS = 25
"""Polls of each source."""
_DRAWN = 99_991
_ACCESS = "CASE WHEN {i} % 20 = 0 THEN 'paywall' WHEN {i} % 50 = 1 THEN 'metered' ELSE 'free' END"
_FIELDS = ("title", "text", "authors", "publisher", "published_at", "language", "section", "image")
_TRACE = {"source": "jsonld", "raw": "as it stood in the page", "confidence": 0.9}
_PROVENANCE = f"'{json.dumps(dict.fromkeys(_FIELDS, _TRACE))}'"
_KEYWORDS = '\'["ferry", "harbour"]\''


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is of everything."""

    articles: int
    sources: int
    now: datetime

    @property
    def sites(self) -> int:
        """How many sites the sources share."""
        return max(1, self.sources * 3 // 5)

    def site(self, source: int) -> str:
        """The site of a source."""
        return f"site-{source % self.sites}.example"

    def source(self, article: int) -> int:
        """The source of an article, which `_Filler` says in SQL: the first ones have many."""
        drawn = article * 7919 % _DRAWN
        return 1 + drawn * drawn * (self.sources - 1) // _DRAWN**2

    def address(self, article: int) -> str:
        """The address of an article."""
        return f"https://{self.site(self.source(article))}/2026/story-{article}"


def fill(store: Store, scale: Scale, texts: Sequence[Wording]) -> None:
    """Write everything, and have the planner's statistics made as PostgreSQL's autovacuum would."""
    with store.writing() as tx:
        _Filler(tx, scale).run(texts)
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


def keep_going(tx: Tx, now: datetime) -> None:
    """Let the last page and the last poll be done now: where nothing goes on since the filling, readiness says so."""
    for table, column in ((page, page.c.done_at), (poll, poll.c.finished_at)):
        last = select(func.max(column)).scalar_subquery()
        tx.execute(update(table).where(column == last).values({column: now}))


class _Filler:
    """Writes the tables, a statement for each; what the databases say differently is a method."""

    def __init__(self, tx: Tx, scale: Scale) -> None:
        self._tx, self._scale = tx, scale
        self._lite = tx.dialect.name == "sqlite"

    def run(self, texts: Sequence[Wording]) -> None:
        """Everything, in the order of the foreign keys."""
        self._known(texts)
        for step in (self._sources, self._pages, self._articles, self._versions, self._feed, self._search, self._desk):
            began = time.perf_counter()
            step(len(texts))
            sys.stdout.write(f"  {step.__name__.strip('_')}: {time.perf_counter() - began:.0f} s\n")
            sys.stdout.flush()

    def _known(self, texts: Sequence[Wording]) -> None:
        """What Python knows better than SQL, in tables that go with the connection."""
        self._table("wording", [asdict(one) for one in texts])
        found = [byline(n, self._scale.site(n)) for n in range(1, self._scale.sources + 1)]
        self._table("byline", [asdict(one) for one in found])

    def _sources(self, _texts: int) -> None:
        numbers = range(1, self._scale.sources + 1)
        for first in numbers[::5000]:
            some = [byline(n, self._scale.site(n)) for n in numbers[first - 1 : first + 4999]]
            entries = [(SourceConfig(name=one.name, url=f"https://{one.site}/{one.k}/feed"), one.site) for one in some]
            sources.add_many(self._tx, entries, now=self._scale.now - timedelta(seconds=SPAN_S), interval_s=1200)
        self._run(
            f"UPDATE source SET last_success_at = {self._ago('id % 1200')}, last_poll_at = {self._ago('id % 1200')}, "
            f"next_at = {self._ago('id % 1400 - 1200')}, paused = (id % 50 = 0), "
            "failures = CASE WHEN id % 33 = 0 THEN 2 ELSE 0 END"
        )
        fetched = f"{self._ago('3600')}, {self._ago('-3600')}"
        self._run(f"INSERT INTO robots SELECT 'https://' || key, 200, {self._blob(40)}, {fetched} FROM site")
        self._run(
            "INSERT INTO poll (id, source_id, started_at, finished_at, outcome, status, entries, new, note)"
            f"SELECT i, 1 + i % {self._scale.sources}, {self._ago(self._poll_age())}, {self._ago(self._poll_age())}, "
            "CASE WHEN i % 50 = 0 THEN 'timeout' WHEN i % 3 = 0 THEN 'ok' ELSE 'not_modified' END, 200, 40, "
            f"CASE WHEN i % 3 = 0 THEN 2 ELSE 0 END, '' FROM {self._series(self._scale.sources * POLLS)}"
        )

    def _pages(self, _texts: int) -> None:
        """An article's page has its number; behind them come duplicates, refusals, and what waits."""
        columns = (
            "id, url, fetch_url, site, source_id, state, disposition, reason, article_id, snapshot_id, priority, hops, "
            "attempts, next_at, discovered_at, fetched_at, done_at"
        )
        count = self._scale.articles
        for first, share, state, disposition, reason in (
            (0, count, "done", "article", "new_story"),
            (count, count // 5, "done", "duplicate", "canonical_twin"),
            (2 * count, count // 10, "done", "rejected", "not_an_article"),
            (3 * count, count // 300, "done", "quarantined", "extract"),
            (4 * count, count // 30, "discovered", None, None),
            (5 * count, min(count, 300), "fetched", None, None),
        ):
            done = "i" if disposition == "article" else "NULL"
            told = ", ".join(f"'{one}'" if one else "NULL" for one in (state, disposition, reason))
            article = "1 + i % :articles" if disposition == "duplicate" else done
            stale = disposition is None
            ages = [self._ago(self._age("i", share, plus)) for plus in (30, 20, 10)]
            times = f"{ages[0] if stale else 'NULL'}, {ages[0]}, {'NULL' if stale else ages[1]}"
            self._run(
                f"INSERT INTO page ({columns}) SELECT {first} + i, {self._url(f'{first} + i')}, "
                f"{self._url(f'{first} + i')}, b.site, b.k, {told}, {article}, {done}, 0, 0, 0, {times}, "
                f"{'NULL' if stale else ages[2]} FROM {self._series(share)} JOIN byline AS b ON b.k = {self._source()}"
            )
        self._run(
            "INSERT INTO quarantine SELECT id, 'extract', 'ValueError: no text was found in it', 4, done_at FROM page "
            "WHERE disposition = 'quarantined'"
        )
        self._run(
            "INSERT INTO sighting (page_id, source_id, via, url, hints, first_seen, last_seen) "
            "SELECT id, source_id, 'feed', url, '{\"title\": \"As the feed has it\"}', discovered_at, discovered_at "
            "FROM page"
        )

    def _articles(self, _texts: int) -> None:
        self._run(
            "INSERT INTO snapshot (id, page_id, url, status, headers, request_headers, fetched_at, size, digest, "
            "archive_file, archive_offset, archive_length) SELECT id, id, url, 200, "
            "'[[\"Content-Type\", \"text/html; charset=utf-8\"]]', '[]', fetched_at, 60000, 'sha256:' || id, "
            "'2026/news-' || (id / 3000) || '.warc.gz', (id % 3000) * 20000, 20000 FROM page "
            "WHERE disposition = 'article'"
        )
        count = self._scale.articles
        founder = f"i = 1 OR (i > {GIANT} AND i % 4 <> 0)"
        self._run(
            "INSERT INTO cluster (id, primary_article_id, primary_reason, created_at) SELECT i, i, 'earliest', "
            f"{self._ago(self._age('i', count, 10))} FROM {self._series(count)} WHERE {founder}"
        )
        self._run(
            "INSERT INTO article (id, page_id, url, site, source_id, cluster_id, version, first_seen, updated_at) "
            f"SELECT id, id, url, site, source_id, {self._cluster('id')}, CASE WHEN id % 10 = 0 THEN 2 ELSE 1 END, "
            "discovered_at, done_at FROM page WHERE disposition = 'article'"
        )

    def _versions(self, texts: int) -> None:
        self._version(1, "first", "1 = 1", texts)
        self._version(2, "correction", "a.version = 2", texts)
        self._run(f"INSERT INTO fingerprint SELECT id, 1, id, {self._blob(128)} FROM article")

    def _version(self, version: int, change_class: str, which: str, texts: int) -> None:
        columns = (
            "article_id, version, change_class, reason, evidence, standing, content_hash, snapshot_id, created_at, "
            "fetched_at, title, description, authors, publisher, published_at, published_precision, language, section, "
            "keywords, text, blocks, word_count, access, provenance"
        )
        whole = "w.text || ' zq' || a.id"
        rows = (
            f"a.id, {version}, '{change_class}', 'new_story', '{{}}', 1, '1\\:' || a.id, a.id, a.updated_at, "
            f"a.updated_at, w.title, substr(w.text, 1, 150), {self._json('b.authors')}, b.publisher, a.first_seen, "
            f"'second', b.language, w.section, {self._json(_KEYWORDS)}, {whole}, {self._blocks(whole)}, 140, "
            f"{_ACCESS.format(i='a.id')}, {self._json(_PROVENANCE)}"
        )
        self._run(f"INSERT INTO article_version ({columns}) SELECT {rows} {self._worded(texts)} WHERE {which}")

    def _worded(self, texts: int) -> str:
        """Articles with where they come from and what they say."""
        byline = "FROM article AS a JOIN byline AS b ON b.k = a.source_id"
        return f"{byline} JOIN wording AS w ON w.k = (a.id * 31) % {texts}"

    def _feed(self, _texts: int) -> None:
        """The change feed in the order of the articles, and its readers."""
        moved = f"id > {GIANT} AND id % 4 = 0"
        kinds = (("created", "1 = 1", 1), ("clustered", moved, 1), ("updated", "version = 2", 2))
        parts = [
            f"SELECT '{kind}' AS kind, id, {version} AS version, cluster_id, updated_at FROM article WHERE {which}"
            for kind, which, version in kinds
        ]
        self._run(
            "INSERT INTO change (seq, kind, article_id, version, cluster_id, at) SELECT row_number() OVER (ORDER BY "
            f"id, version, kind), kind, id, version, cluster_id, updated_at FROM ({' UNION ALL '.join(parts)}) AS c"
        )
        for name, behind in (("search", 3), ("warehouse", 1200), ("webhook\\:desk", 0), ("archive", 90_000)):
            self._run(f"INSERT INTO consumer SELECT '{name}', max(seq) - {behind}, {self._ago('5')} FROM change")

    def _search(self, texts: int) -> None:
        joined = self._worded(texts)
        access = " ".join(f"WHEN '{one}' THEN '{facet('access', one)}'" for one in ("free", "paywall", "metered"))
        told = f"CASE {_ACCESS.format(i='a.id')} {access} END"
        rare = "CASE WHEN a.id % 10 = 0 THEN 'zq' || a.id ELSE 'zq' END"
        if self._lite:
            self._run(
                "INSERT INTO article_search (rowid, title, body, facets) SELECT a.id, w.title_terms, "
                f"w.text_terms || ' ' || {rare}, b.facets || ' ' || w.facets || ' ' || {told} {joined}"
            )
            return
        self._run("DROP INDEX article_search_ix")
        self._run("SET LOCAL maintenance_work_mem = '512MB'")
        self._run(
            "INSERT INTO article_search SELECT a.id, CAST(w.document AS tsvector) || CAST(b.document AS tsvector) || "
            f"CAST({told} || ' ' || {rare} AS tsvector) {joined}"
        )
        self._run("CREATE INDEX article_search_ix ON article_search USING GIN (document)")

    def _desk(self, _texts: int) -> None:
        """What operators see: counts of 400 days by the hour, events, alerts, jobs."""
        for what, outcomes in (
            ("page", ("article", "duplicate", "rejected", "quarantined")),
            ("poll", ("ok", "not_modified", "timeout", "http_503")),
        ):
            for at, outcome in enumerate(outcomes, 1):
                self._run(
                    f"INSERT INTO hourly SELECT {self._hour('i')}, '{what}', '{outcome}', {900 // at} "
                    f"FROM {self._series(400 * 24)}"
                )
        some, many = self._series(min(300, self._scale.sources)), self._series(5000)
        event = "INSERT INTO event (kind, source_id, detail, opened_at, closed_at) SELECT"
        self._run(f"{event} 'quiet', i, 'silent for longer than ever', {self._ago('i * 60')}, NULL FROM {some}")
        past = f"{self._ago('90000 + i')}, {self._ago('80000 + i')}"
        self._run(f"{event} 'gap', 1 + i % :sources, 'caught up', {past} FROM {many}")
        alert = f"'quiet\\:source-' || i, 'no article since yesterday', {self._ago('i')}, NULL"
        self._run(f"INSERT INTO alert SELECT {alert} FROM {self._series(40)}")
        self._run(
            "INSERT INTO job (id, kind, what, asked_by, asked_at, source_id, pages, problems) SELECT i, 'crawl', "
            f"'source-' || i, 'ada', {self._ago('i * 40000')}, 1 + i % :sources, '[]', '[]' FROM {self._series(60)}"
        )

    def _run(self, statement: str) -> None:
        values = {"articles": self._scale.articles, "sources": self._scale.sources}
        self._tx.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})

    def _table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = ", ".join(f"{key} {'INTEGER PRIMARY KEY' if key == 'k' else 'TEXT'}" for key in rows[0])
        self._tx.execute(text(f"CREATE TEMPORARY TABLE {name} ({columns})"))
        named = ", ".join(f":{key}" for key in rows[0])
        self._tx.execute(text(f"INSERT INTO {name} VALUES ({named})"), list(rows))

    def _series(self, count: int) -> str:
        """A table of the numbers from 1."""
        if self._lite:
            up = f"SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {count}"
            return f"(WITH RECURSIVE n AS ({up}) SELECT i FROM n) AS n"
        return f"generate_series(1, {count}::bigint) AS n (i)"

    def _ago(self, seconds: str) -> str:
        """The time so many seconds before now, in the form of the column type."""
        epoch = int(self._scale.now.timestamp())
        if self._lite:
            return f"strftime('%Y-%m-%dT%H:%M:%S.000000Z', {epoch} - CAST({seconds} AS INTEGER), 'unixepoch')"
        return f"to_timestamp({epoch} - ({seconds}))"

    def _hour(self, back: str) -> str:
        """The start of the hour that began so many hours before the present one."""
        return self._ago(f"{int(self._scale.now.timestamp()) % 3600} + {back} * 3600")

    def _age(self, number: str, count: int, plus: int) -> str:
        """Seconds since the one of that number came, of so many; the last one came just now."""
        return f"({count} - {number}) * {SPAN_S / count} + {plus}"

    def _poll_age(self) -> str:
        return f"({self._scale.sources * POLLS} - i) * {1200 / self._scale.sources}"

    def _source(self) -> str:
        drawn = f"((i * 7919) % {_DRAWN})"
        return f"1 + ({drawn} * {drawn} * {self._scale.sources - 1} / {_DRAWN**2})"

    def _cluster(self, number: str) -> str:
        return f"CASE WHEN {number} <= {GIANT} THEN 1 WHEN {number} % 4 = 0 THEN {number} - 1 ELSE {number} END"

    def _url(self, number: str) -> str:
        return f"'https://' || b.site || '/2026/story-' || ({number})"

    def _blob(self, size: int) -> str:
        return f"randomblob({size})" if self._lite else f"decode(repeat('5a', {size}), 'hex')"

    def _json(self, value: str) -> str:
        return value if self._lite else f"CAST({value} AS jsonb)"

    def _blocks(self, whole: str) -> str:
        if self._lite:
            return f"json_array(json_object('kind', 'paragraph', 'text', {whole}))"
        return f"jsonb_build_array(jsonb_build_object('kind', 'paragraph', 'text', {whole}))"
