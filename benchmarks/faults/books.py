"""The books: what the store holds, read while everything runs, and held against what the town published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from storage.audit import audit
from storage.errors import StoreError
from storage.records import PageState
from storage.store import Store
from storage.tables import article, article_version, change, page


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of what was published; each line names an address."""

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    faults: tuple[str, ...]
    """What the audit found."""


def filed(store: Store, before: int) -> int:
    """How many articles there are; `before`, the answer of last time, while the store cannot be asked."""
    try:
        with store.reading() as tx:
            return int(tx.execute(select(func.count()).select_from(article)).scalar_one())
    except StoreError:
        return before


def settled(store: Store, truth: Mapping[str, str], before: int) -> int:
    """How many addresses stand in the store as they were published last; `before` as above."""
    try:
        titles = current(store)
    except StoreError:
        return before
    return sum(titles.get(url) == title for url, title in truth.items())


def in_work(store: Store, most: int) -> list[int]:
    """Pages of which a message tells and that are not processed yet; none while the store cannot be asked."""
    told = select(page.c.id).where(page.c.state == PageState.FETCHED, page.c.announced_at.is_not(None))
    try:
        with store.reading() as tx:
            return list(tx.execute(told.order_by(page.c.id).limit(most)).scalars())
    except StoreError:
        return []


def current(store: Store) -> Mapping[str, str | None]:
    """The title of each article by its address. Raises StoreError."""
    same = (article_version.c.article_id == article.c.id) & (article_version.c.version == article.c.version)
    with store.reading() as tx:
        rows = tx.execute(select(article.c.url, article_version.c.title).join(article_version, same))
        return {row.url: row.title for row in rows}


def judge(store: Store, truth: Mapping[str, str]) -> Verdict:
    """Hold the store against the truth: every article once, as it was published last, each version told once."""
    titles = current(store)
    lost = [f"{url}: {_state(store, url)}" for url in truth if url not in titles]
    lost += [f"{url}: is still {titles[url]!r}" for url, title in truth.items() if titles.get(url, title) != title]
    with store.reading() as tx:
        duplicated = list(_twice(tx, truth))
    found = audit(store, datetime.now(UTC)).faults
    return Verdict(
        lost=tuple(lost), duplicated=tuple(duplicated), faults=tuple(f"{one.check}: {one.what}" for one in found)
    )


def _twice(tx: Any, truth: Mapping[str, str]) -> Iterator[str]:
    urls = Counter(tx.execute(select(article.c.url)).scalars())
    yield from (f"{url}: {count} articles" for url, count in urls.items() if count > 1)
    yield from (f"{url}: was never published" for url in urls if url not in truth)
    told: Counter[tuple[int, int]] = Counter()
    for row in tx.execute(select(change.c.article_id, change.c.version, change.c.kind)):
        if row.kind in ("created", "updated"):
            told[row.article_id, row.version] += 1
    yield from (f"article {one}, version {v}: told {n} times" for (one, v), n in told.items() if n > 1)
    digests = tx.execute(
        select(article_version.c.article_id, article_version.c.content_hash, func.count())
        .group_by(article_version.c.article_id, article_version.c.content_hash)
        .having(func.count() > 1)
    )
    yield from (f"article {row[0]}: the same text in {row[2]} versions" for row in digests)


def _state(store: Store, url: str) -> str:
    with store.reading() as tx:
        row = tx.execute(select(page.c.state, page.c.disposition, page.c.reason).where(page.c.url == url)).first()
    return f"its page is {row.state}, {row.disposition}, {row.reason}" if row else "its address was never seen"
