"""The stage of the task tests: a store of each kind, and pages that wait to be processed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from storage import pages, snapshots, sources
from storage.records import Candidate, Exchange, Hints, Lead, SourceConfig, Via
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.app import CopydeskApp

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_store")
    return load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def fetched(store: Store, now: datetime) -> Callable[..., int]:
    """Lets a page be listed by a feed and fetched; returns its id. A known page is fetched once more."""

    def arrive(url: str, body: str | bytes, *, status: int = 200, age_s: int = 60, **hints: object) -> int:
        then = now - timedelta(seconds=age_s)
        site = url.split("/")[2]
        raw = body.encode() if isinstance(body, str) else body
        with store.writing() as tx:
            known = {source.config.name: source for source in sources.listed(tx)}
            config = SourceConfig(name=site, url=f"https://{site}/feed.xml")
            source = known.get(site) or sources.add(tx, config, site=site, now=now, interval_s=300)
            candidate = Candidate(url=url, via=Via.FEED, hints=Hints(**hints))  # type: ignore[arg-type]
            pages.discover(tx, source.id, [Lead(key=url, site=site, candidate=candidate)], now)
            page = pages.find(tx, url)
            assert page is not None
            pages.refetch(tx, [page.id], now)
            headers = (("Content-Type", "text/html; charset=utf-8"),)
            exchange = Exchange(url=url, status=status, headers=headers, body=raw, fetched_at=then)
            pages.fetched(tx, page.id, snapshots.keep(tx, page.id, exchange), then)
        return page.id

    return arrive


@pytest.fixture
def worker(settings: Settings, valkey_url: str) -> Iterator[CopydeskApp]:
    """A real worker with a pool of one process; the app speaks to its broker."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
    options = {"data": settings.data, "database": settings.database, "broker": valkey_url}
    named = load_settings(options, environ={}, file=settings.data / "none.toml")
    command = [sys.executable, "-m", "tasks.worker", "process", "1"]
    with subprocess.Popen(command, env={**os.environ, **named.environment()}, stderr=subprocess.DEVNULL) as process:
        yield CopydeskApp(named)
        process.terminate()
        process.wait(20)
