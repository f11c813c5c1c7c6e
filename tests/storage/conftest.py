"""The contract suite's stage: a store of each kind, and short ways to put things into it."""

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import articles, pages, snapshots, sources
from storage.database import Tx
from storage.records import (
    Block,
    BlockKind,
    Candidate,
    Clean,
    Decision,
    DecisionKind,
    Disposition,
    Exchange,
    Filing,
    Fingerprint,
    Hints,
    Lead,
    Page,
    Source,
    SourceConfig,
    Via,
)
from storage.settings import load_settings
from storage.store import Store, open_store

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """The moment at which every test begins."""
    return NOW


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store: each test that takes it runs on every backend."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_store")
    opened = open_store(load_settings({"data": tmp_path, "database": url}, environ={}, file=tmp_path / "none.toml"))
    yield opened
    opened.close()


@pytest.fixture
def add_source(now: datetime) -> Callable[..., Source]:
    """Adds a source of the site harbour.example."""

    def add(tx: Tx, name: str = "harbour", site: str = "harbour.example") -> Source:
        config = SourceConfig(name=name, url=f"https://{site}/feed.xml")
        return sources.add(tx, config, site=site, now=now, interval_s=300)

    return add


@pytest.fixture
def lead() -> Callable[..., Lead]:
    """Makes a lead from a path and hints."""

    def make(path: str, site: str = "harbour.example", via: Via = Via.FEED, **hints: object) -> Lead:
        url = f"https://{site}/{path}"
        return Lead(key=url, site=site, candidate=Candidate(url=url, via=via, hints=Hints(**hints)))  # type: ignore[arg-type]

    return make


@pytest.fixture
def fetch(now: datetime) -> Callable[..., Page]:
    """Stores an exchange for a page, which then waits to be processed."""

    def store_exchange(tx: Tx, page_id: int, body: bytes = b"<html>hello</html>", at: datetime = now) -> Page:
        page = pages.get(tx, page_id)
        headers = (("Content-Type", "text/html"),)
        asked = (("User-Agent", "Copydesk/0.1"),)
        exchange = Exchange(
            url=page.fetch_url, status=200, headers=headers, request_headers=asked, body=body, fetched_at=at
        )
        pages.fetched(tx, page_id, snapshots.keep(tx, page_id, exchange), at)
        return pages.get(tx, page_id)

    return store_exchange


@pytest.fixture
def filing() -> Callable[..., Filing]:
    """Makes what is to be filed for a page."""

    def make(
        page: Page,
        text: str = "A ferry came in.",
        keys: tuple[int, ...] = (),
        standing: int = 1,
        published_at: datetime | None = None,
        decision: Decision | None = None,
    ) -> Filing:
        clean = Clean(
            url=page.url,
            title="A ferry",
            text=text,
            blocks=(Block(kind=BlockKind.PARAGRAPH, text=text),),
            fetched_at=page.fetched_at or NOW,
            published_at=published_at,
        )
        return Filing(
            page=page,
            clean=clean,
            fingerprint=Fingerprint(
                algorithm=1, exact=exact_of(text), marks=text.encode("utf-8", "replace"), keys=keys
            ),
            keys=keys,
            standing=standing,
            content_hash=f"1:{ascii(text)[1:-1]}",
            word_count=len(text.split()),
            decision=decision or Decision(kind=DecisionKind.NEW, reason="new_story"),
        )

    return make


def exact_of(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))


@pytest.fixture
def exact() -> Callable[[str], int]:
    """The exact hash that the fixtures give a text."""
    return exact_of


@pytest.fixture
def publish(
    now: datetime,
    lead: Callable[..., Lead],
    fetch: Callable[..., Page],
    filing: Callable[..., Filing],
) -> Callable[..., int]:
    """Takes an address the whole way to an article; returns the article's id."""

    def go(tx: Tx, source: Source, path: str, at: datetime = now, **more: object) -> int:
        page_id = pages.discover(tx, source.id, [lead(path, site=source.site)], at).new[0]
        page = fetch(tx, page_id, at=at + timedelta(seconds=1))
        article_id = articles.file(tx, filing(page, **more), at + timedelta(seconds=2))
        pages.finish(tx, page_id, Disposition.ARTICLE, "new_story", at + timedelta(seconds=2), article_id=article_id)
        return article_id

    return go
