"""The contract of articles: versions, clusters, candidates and reading, with their change rows."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from storage import articles, changes, pages, reading
from storage.errors import NotFound
from storage.records import (
    ChangeClass,
    ChangeKind,
    Decision,
    DecisionKind,
    Filing,
    Page,
    Source,
)
from storage.store import Store

AddSource = Callable[..., Source]
Publish = Callable[..., int]
HOUR = timedelta(hours=1)
KEYS = tuple(range(100, 124))


def test_a_new_article_is_read_back_whole(store: Store, add_source: AddSource, publish: Publish, now: datetime) -> None:
    with store.writing() as tx:
        article_id = publish(tx, add_source(tx), "1", published_at=now - HOUR)
    with store.reading() as tx:
        found = reading.get(tx, article_id)
        assert found == reading.at(tx, "https://harbour.example/1")
        assert (found.source, found.version, found.is_primary, found.first_seen) == ("harbour", 1, True, now)
        assert (found.content.text, found.content.published_at) == ("A ferry came in.", now - HOUR)
        assert [(row.kind, row.version) for row in changes.of_article(tx, article_id)] == [(ChangeKind.CREATED, 1)]


def test_a_change_makes_a_version_and_a_row(
    store: Store,
    add_source: AddSource,
    publish: Publish,
    fetch: Callable[..., Page],
    filing: Callable[..., Filing],
    now: datetime,
) -> None:
    with store.writing() as tx:
        article_id = publish(tx, add_source(tx), "1", keys=KEYS)
        page = fetch(tx, articles.page_of(tx, article_id), at=now + HOUR)
        kind = {"kind": DecisionKind.VERSION, "reason": "correction", "change_class": ChangeClass.CORRECTION}
        decision = Decision(article_id=article_id, **kind)  # type: ignore[arg-type]
        assert articles.file(tx, filing(page, text="Two ferries.", decision=decision), now + HOUR) == article_id
    with store.reading() as tx:
        told = [(one.version, one.content.text, one.change_class) for one in reading.versions(tx, article_id)]
        assert told == [(1, "A ferry came in.", ChangeClass.FIRST), (2, "Two ferries.", ChangeClass.CORRECTION)]
        assert [row.kind for row in changes.of_article(tx, article_id)] == [ChangeKind.CREATED, ChangeKind.UPDATED]
        assert reading.get(tx, article_id).version == 2


def test_repeats_write_nothing(
    store: Store, add_source: AddSource, publish: Publish, filing: Callable[..., Filing], now: datetime
) -> None:
    with store.writing() as tx:
        article_id = publish(tx, add_source(tx), "1")
        page = pages.get(tx, articles.page_of(tx, article_id))
        same = Decision(kind=DecisionKind.SAME, reason="unchanged", article_id=article_id)
        assert articles.file(tx, filing(page, decision=same), now) == article_id
        assert changes.last(tx) == 1


def test_the_earliest_of_a_cluster_is_its_primary(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        late = publish(tx, source, "late", published_at=now)
        cluster_id = reading.get(tx, late).cluster_id
        joins = Decision(kind=DecisionKind.NEW, reason="near_duplicate", cluster_id=cluster_id, similarity=0.9)
        early = publish(tx, source, "early", text="b", published_at=now - HOUR, decision=joins)
        dateless = publish(tx, source, "dateless", text="c", decision=joins)
        members = {one.id: one.is_primary for one in reading.members(tx, cluster_id)}
        assert members == {late: False, early: True, dateless: False}
        kinds = [row.kind for row in changes.of_article(tx, late)]
        assert kinds == [ChangeKind.CREATED, ChangeKind.CLUSTERED]


def test_strangers_read_the_view(store: Store, add_source: AddSource, publish: Publish) -> None:
    with store.writing() as tx:
        publish(tx, add_source(tx), "1")
    with store.reading() as tx:
        rows = tx.execute(text("SELECT url, title, version, is_primary FROM articles")).all()
        assert [tuple(row) for row in rows] == [("https://harbour.example/1", "A ferry", 1, True)]


def test_what_postgresql_refuses_never_reaches_it(store: Store, add_source: AddSource, publish: Publish) -> None:
    with store.writing() as tx:
        article_id = publish(tx, add_source(tx), "1", text="A\x00 ferry \ud800 came in")
    with store.reading() as tx:
        found = reading.get(tx, article_id)
        assert found.content.text == found.content.blocks[0].text == "A ferry \ufffd came in"


def test_the_record_as_json_names_every_field(store: Store, add_source: AddSource, publish: Publish) -> None:
    with store.writing() as tx:
        article_id = publish(tx, add_source(tx), "1")
        record = reading.to_json(reading.get(tx, article_id))
    assert record["published_at"] is None
    assert (record["word_count"], record["first_seen"], record["authors"]) == (4, "2026-03-10T12:00:00Z", [])


def test_a_missing_article_is_named(store: Store) -> None:
    with store.reading() as tx, pytest.raises(NotFound, match="no article has id 7"):
        reading.get(tx, 7)
