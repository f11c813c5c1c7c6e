"""Databases of every earlier schema, with data in them: moved to the newest, or left as they were, never in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, MetaData, Table, inspect, text

from storage import changes, reading, schema, search, snapshots, sources, tables
from storage.archive import digest
from storage.audit import audit
from storage.codec import from_plain
from storage.database import open_engine, transaction
from storage.errors import SchemaError
from storage.query import parse
from storage.records import SourceConfig
from storage.settings import load_settings
from storage.store import Store, open_store

ROOT = Path(__file__).parents[2]
OLDER = sorted(
    one.revision
    for one in ScriptDirectory.from_config(schema._config()).walk_revisions()
    if one.revision != schema.HEAD
)
AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TEXTS = {(1, 1): "A ferry came in.", (1, 2): "A ferry came in late.", (2, 1): "The market closed early."}
BODY = b"x\x9c\x03\x00\x00\x00\x00\x01"  # zlib's form of nothing


def _rows() -> dict[str, list[dict[str, Any]]]:
    """Two articles, one of them in two versions, as every schema so far could hold them."""
    config = {"name": "harbour", "url": "https://harbour.example/feed.xml"}
    url = {1: "https://harbour.example/a", 2: "https://harbour.example/b"}
    page = {"site": "harbour.example", "source_id": 1, "state": "done", "disposition": "article", "priority": 0}
    page |= {"reason": "new_story", "hops": 0, "attempts": 0, "discovered_at": AT, "fetched_at": AT, "done_at": AT}
    snapshot = {"status": 200, "headers": [], "request_headers": [], "fetched_at": AT, "size": 0}
    snapshot |= {"digest": digest(b""), "body": BODY}
    article = {"site": "harbour.example", "source_id": 1, "first_seen": AT, "updated_at": AT}
    version = {"reason": "new_story", "evidence": {}, "standing": 1, "created_at": AT, "fetched_at": AT}
    version |= {"authors": ["Ada Quill"], "keywords": [], "blocks": [], "word_count": 4, "access": "free"}
    versions = [
        {"article_id": of, "version": number, "title": f"Title {of}.{number}", "text": words, "snapshot_id": of}
        | {"content_hash": f"1:{of}{number}", "provenance": {}, "change_class": "first" if number == 1 else "edit"}
        | version
        for (of, number), words in TEXTS.items()
    ]
    feed = [("created", 1, 1), ("created", 2, 1), ("updated", 1, 2)]
    return {
        "site": [{"key": "harbour.example", "delay_s": 1.0, "failures": 0, "urgent": False, "due_at": AT}],
        "source": [
            {"id": 1, "name": "harbour", "site": "harbour.example", "config": config, "paused": False, "added_at": AT}
            | {"next_at": AT, "interval_s": 300, "failures": 0.0}
        ],
        "page": [{"id": n, "url": url[n], "fetch_url": url[n], "article_id": n, "snapshot_id": n} | page for n in url],
        "snapshot": [{"id": n, "page_id": n, "url": url[n]} | snapshot for n in url],
        "cluster": [{"id": n, "primary_article_id": n, "primary_reason": "only", "created_at": AT} for n in url],
        "article": [
            {"id": n, "page_id": n, "url": url[n], "cluster_id": n, "version": 2 if n == 1 else 1} | article
            for n in url
        ],
        "article_version": versions,
        "fingerprint": [{"article_id": n, "algorithm": 1, "exact": n, "marks": b"m"} for n in url],
        "posting": [{"hash": hashed, "article_id": n} for n in url for hashed in (-7, 4711 + n)],
        "change": [
            {"seq": seq, "kind": kind, "article_id": of, "version": number, "cluster_id": of, "at": AT}
            for seq, (kind, of, number) in enumerate(feed, 1)
        ],
    }


def _fill(engine: Engine) -> None:
    """Write the rows with the columns that there are by now."""
    with transaction(engine, writes=True) as tx:
        for name, rows in _rows().items():
            present = {column["name"] for column in inspect(tx).get_columns(name)}
            known = tables.metadata.tables[name]
            old = Table(name, MetaData(), *(Column(c.name, c.type) for c in known.c if c.name in present))
            tx.execute(old.insert(), [{k: v for k, v in row.items() if k in present} for row in rows])
            if tx.dialect.name == "postgresql" and "id" in rows[0]:
                counter = {"table": name, "last": len(rows)}
                tx.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"), counter)
        if tx.dialect.name == "postgresql":
            tx.execute(text("SELECT setval(pg_get_serial_sequence('change', 'seq'), 3)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    return f"sqlite:///{tmp_path}/old.db" if request.param == "sqlite" else request.getfixturevalue("postgres_database")


def _old(url: str, revision: str) -> Engine:
    engine = open_engine(url)
    schema.migrate(engine, to=revision)
    _fill(engine)
    return engine


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Store]]:
    """The stores that a test opened, to be closed."""
    stores: list[Store] = []
    yield stores
    for one in stores:
        one.close()


@pytest.mark.parametrize("revision", OLDER)
def test_what_an_older_schema_held_is_read_by_the_newest(
    url: str, revision: str, tmp_path: Path, opened: list[Store]
) -> None:
    if url.startswith("postgresql") and revision not in (OLDER[0], "0007", OLDER[-1]):
        pytest.skip("the first, the one before postings were packed, and the last will do where each takes seconds")
    engine = _old(url, revision)
    settings = load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml")
    with pytest.raises(SchemaError, match=f"schema is {revision}.*run 'copydesk migrate'"):
        open_store(settings)
    assert schema.migrate(engine) == schema.HEAD
    engine.dispose()
    store = open_store(settings)
    opened.append(store)
    with store.reading() as tx:
        assert {(one.id, one.version): (one.content.text, one.content.authors) for one in reading.listed(tx)} == {
            (1, 2): (TEXTS[1, 2], ("Ada Quill",)),
            (2, 1): (TEXTS[2, 1], ("Ada Quill",)),
        }
        [first] = reading.at_versions(tx, [(1, 1)])
        assert first.content.text == TEXTS[1, 1]
        assert [(one.seq, one.kind.value, one.article_id) for one in changes.read(tx, 0)] == [
            (1, "created", 1),
            (2, "created", 2),
            (3, "updated", 1),
        ]
        expected = from_plain(SourceConfig, {"name": "harbour", "url": "https://harbour.example/feed.xml"})
        assert sources.get(tx, "harbour").config == expected
        assert snapshots.body(tx, store.archive, snapshots.get(tx, 2)) == b""
        assert tx.execute(text("SELECT count(*) FROM articles")).scalar() == 2
    assert audit(store, AT).faults == ()
    store.write(lambda tx: search.catch_up(tx, AT))
    with store.reading() as tx:
        assert [hit.article_id for hit in search.search(tx, parse("market"))] == [2]


_PAUSE = """
import sys
from sqlalchemy import event
from storage import schema
from storage.database import open_engine
engine = open_engine(sys.argv[1])

@event.listens_for(engine, "after_cursor_execute")
def wait(connection, cursor, statement, parameters, context, executemany):
    if statement.startswith("UPDATE alembic_version") and schema.HEAD in statement + str(parameters):
        print("in the middle", flush=True)
        sys.stdin.read()

schema.migrate(engine)
"""


def test_a_migration_that_is_killed_leaves_the_old_schema_and_can_be_done_again(
    url: str, tmp_path: Path, opened: list[Store]
) -> None:
    _old(url, "0001").dispose()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", _PAUSE, url], env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "in the middle\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
    engine = open_engine(url)
    assert schema.revision(engine) == "0001"
    with transaction(engine, writes=False) as tx:
        assert tx.execute(text("SELECT count(*) FROM article_version")).scalar() == 3
        assert not inspect(tx).has_table("account"), "a step before the kill is taken back too"
    assert schema.migrate(engine) == schema.HEAD
    engine.dispose()
    store = open_store(load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml"))
    opened.append(store)
    with store.reading() as tx:
        assert len(reading.listed(tx)) == 2


def test_an_older_program_neither_starts_on_a_newer_schema_nor_migrates_it(url: str, tmp_path: Path) -> None:
    engine = open_engine(url)
    schema.create_fresh(engine)
    with transaction(engine, writes=True) as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    refused = r"^the database's schema is 9999, .*newer than this program; install the newer Copydesk$"
    with pytest.raises(SchemaError, match=refused):
        open_store(load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml"))
    with pytest.raises(SchemaError, match=refused):
        schema.migrate(engine)
    assert schema.revision(engine) == "9999"
    engine.dispose()
