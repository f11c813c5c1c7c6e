"""A backup that is made while another process files articles and packs bodies balances when it is restored."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from storage.audit import audit
from storage.backup import back_up
from storage.restore import restore
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

WRITER = """
import itertools, sys
from datetime import UTC, datetime, timedelta
from storage import pages, snapshots, sources
from storage.locks import store_lock
from storage.records import Candidate, Exchange, Lead, SourceConfig, Via
from storage.settings import load_settings
from storage.store import open_store
from tasks.process import process_page
settings = load_settings({"data": sys.argv[1], "database": sys.argv[2]}, environ={})
store = open_store(settings)
config = SourceConfig(name="harbour", url="https://harbour.example/feed.xml")
now = datetime.now(UTC)
source = store.write(lambda tx: sources.add(tx, config, site="harbour.example", now=now, interval_s=300))
for number in itertools.count():
    url, now = f"https://harbour.example/news/{number}", datetime.now(UTC)
    words = " ".join(f"ferry{number} number{number * place} came{place}" for place in range(1, 30))
    body = f"<html><title>Ferry {number}</title><article><h1>Ferry {number}</h1><p>{words}.</p></article>".encode()
    with store.writing() as tx:
        lead = Lead(key=url, site="harbour.example", candidate=Candidate(url=url, via=Via.FEED))
        page_id = pages.discover(tx, source.id, [lead], now).new[0]
        answer = Exchange(url=url, status=200, headers=(("Content-Type", "text/html"),), body=body, fetched_at=now)
        pages.fetched(tx, page_id, snapshots.keep(tx, page_id, answer), now)
    process_page(store, page_id, now=now, recipes={}, settings=settings)
    if number % 7 == 0:
        with store_lock(store, "pack") as mine:
            if mine:
                snapshots.pack(store, now, most_bytes=1, after=timedelta(0))
    print(number, flush=True)
"""


@pytest.fixture
def writer(settings: Settings, store: Store) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", WRITER, str(settings.data), settings.database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def empty(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of the same kind of store, in places where nothing is yet."""
    if not settings.database:
        yield load_settings({"data": tmp_path / "elsewhere"}, environ={}, file=tmp_path / "none.toml")
        return
    maintenance, name = request.getfixturevalue("postgres_url"), f"test_{uuid4().hex}"
    options = {"data": tmp_path / "elsewhere", "database": maintenance.replace("/postgres?", f"/{name}?")}
    with psycopg.connect(maintenance, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield load_settings(options, environ={}, file=tmp_path / "none.toml")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_backup_under_load_balances(
    store: Store, writer: "subprocess.Popen[str]", empty: Settings, tmp_path: Path
) -> None:
    assert writer.stdout
    before = _hear(writer, 20)
    back_up(store, tmp_path / "copy", datetime.now(UTC))
    assert writer.poll() is None, "nobody wrote meanwhile"
    after = _hear(writer, 2)
    restore(empty, tmp_path / "copy")
    back = open_store(empty, create=False)
    report = audit(back, datetime.now(UTC))
    back.close()
    assert report.faults == ()
    assert report.balance.balanced
    assert before < report.balance.discovered <= after + 2
    assert report.bodies_checked > 0


def _hear(writer: "subprocess.Popen[str]", lines: int) -> int:
    assert writer.stdout
    return [int(writer.stdout.readline()) for _ in range(lines)][-1]
