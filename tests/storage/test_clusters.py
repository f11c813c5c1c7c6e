"""The contract of clusters: merging without a trace lost, and the choice of a primary with its reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from storage import changes, clusters, reading, withdrawals
from storage.database import Tx
from storage.records import ChangeClass, ChangeKind, Decision, DecisionKind, Source
from storage.store import Store
from storage.tables import cluster

AddSource = Callable[..., Source]
Publish = Callable[..., int]
HOUR = timedelta(hours=1)


def joins(cluster_id: int, *merges: int) -> Decision:
    return Decision(
        kind=DecisionKind.NEW, reason="near_duplicate", cluster_id=cluster_id, merges=merges, similarity=0.9
    )


def declares(said: dict[str, str]) -> Decision:
    return Decision(kind=DecisionKind.NEW, reason="new_story", evidence=said)


def reason(tx: Tx, cluster_id: int) -> str:
    return str(tx.execute(select(cluster.c.primary_reason).where(cluster.c.id == cluster_id)).scalar_one())


def cluster_of(tx: Tx, article_id: int) -> int:
    return reading.get(tx, article_id).cluster_id


def test_an_article_that_joins_two_clusters_makes_them_one(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        one, two, three = (publish(tx, source, f"{n}", text=f"{n}", published_at=now + n * HOUR) for n in range(3))
        a, b, c = (cluster_of(tx, each) for each in (one, two, three))
        before = changes.last(tx)
        bridge = publish(tx, source, "b", text="b", published_at=now + 9 * HOUR, decision=joins(a, b))
        told = [(row.kind, row.article_id, row.cluster_id) for row in changes.read(tx, before)]
        assert told == [(ChangeKind.CREATED, bridge, a), (ChangeKind.CLUSTERED, two, a)]
        assert [one.id for one in reading.members(tx, b)] == [one, two, bridge]
        assert (clusters.current(tx, b), clusters.current(tx, a), clusters.current(tx, c)) == (a, a, c)


def test_a_pointer_to_a_successor_is_one_step_however_often_clusters_merge(
    store: Store, add_source: AddSource, publish: Publish
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        a, b, c = (cluster_of(tx, publish(tx, source, f"{n}", text=f"{n}")) for n in range(3))
        publish(tx, source, "x", text="x", decision=joins(b, c))
        publish(tx, source, "y", text="y", decision=joins(a, b))
        assert {clusters.current(tx, each) for each in (a, b, c)} == {a}
        pointers = tx.execute(select(cluster.c.id, cluster.c.successor_id))
        assert {row.id: row.successor_id for row in pointers} == {a: None, b: a, c: a}
        assert len(reading.members(tx, c)) == 5


def test_of_two_primaries_that_merge_one_is_told_that_it_is_no_more(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        late = publish(tx, source, "late", text="late", published_at=now)
        early = publish(tx, source, "early", text="early", published_at=now - HOUR)
        before = changes.last(tx)
        publish(tx, source, "x", text="x", decision=joins(cluster_of(tx, late), cluster_of(tx, early)))
        told = {row.article_id for row in changes.read(tx, before) if row.kind is ChangeKind.CLUSTERED}
        assert told == {late, early}
        assert reading.get(tx, early).is_primary
        assert not reading.get(tx, late).is_primary


@pytest.mark.parametrize(
    ("first", "second", "wins", "why"),
    [
        ({"published_at": HOUR}, {"published_at": -HOUR}, 1, "earliest"),
        ({"published_at": -HOUR, "standing": 2}, {"published_at": HOUR, "standing": 0}, 1, "credited"),
        ({"published_at": -HOUR, "standing": 2}, {"published_at": HOUR}, 1, "credited"),
        (
            {"published_at": HOUR},
            {"published_at": HOUR, "text": "A ferry came in, and two went out."},
            1,
            "most_complete",
        ),
        ({"published_at": HOUR}, {"published_at": HOUR}, 0, "first_filed"),
        ({"published_at": HOUR}, {}, 0, "earliest"),
        ({"published_at": HOUR}, {"published_at": timedelta(days=30)}, 0, "earliest"),
    ],
    ids=["earlier", "the_source", "a_copy", "longer", "first", "dateless", "from_the_future"],
)
def test_the_primary_is_stated_with_its_reason(
    store: Store,
    add_source: AddSource,
    publish: Publish,
    now: datetime,
    first: dict[str, Any],
    second: dict[str, Any],
    wins: int,
    why: str,
) -> None:
    def dated(values: dict[str, Any]) -> dict[str, Any]:
        return values | ({"published_at": now + values["published_at"]} if "published_at" in values else {})

    with store.writing() as tx:
        source = add_source(tx)
        one = publish(tx, source, "1", **dated(first))
        home = cluster_of(tx, one)
        assert reason(tx, home) == "only_member"
        two = publish(tx, source, "2", decision=joins(home), **dated(second))
        assert [reading.get(tx, each).is_primary for each in (one, two)] == [wins == 0, wins == 1]
        assert reason(tx, home) == why
        assert reading.decision(tx, two)["primary_reason"] == why


def test_a_declared_original_is_the_primary_whoever_came_first(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    said = {"canonical": "https://harbour.example/original"}
    with store.writing() as tx:
        source = add_source(tx)
        copy = publish(tx, source, "copy", published_at=now - HOUR, standing=clusters.DECLARES, decision=declares(said))
        home = cluster_of(tx, copy)
        early = publish(tx, source, "early", text="early", published_at=now - HOUR, standing=0, decision=joins(home))
        assert reading.decision(tx, copy)["primary_article_id"] == early
        original = publish(tx, source, "original", text="o", published_at=now, standing=2, decision=joins(home))
        assert reading.decision(tx, copy)["primary_article_id"] == original
        assert reason(tx, home) == "canonical"


def test_a_copy_that_declares_the_original_makes_it_the_primary(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        early = publish(tx, source, "early", text="early", published_at=now - HOUR)
        home = cluster_of(tx, early)
        original = publish(tx, source, "original", text="o", published_at=now, decision=joins(home))
        before = changes.last(tx)
        said = replace(joins(home), evidence={"canonical": "https://harbour.example/original"})
        publish(tx, source, "copy", text="copy", published_at=now, standing=clusters.DECLARES, decision=said)
        assert reading.get(tx, original).is_primary
        assert reason(tx, home) == "canonical"
        told = {row.article_id for row in changes.read(tx, before) if row.kind is ChangeKind.CLUSTERED}
        assert told == {early, original}


def test_when_the_primary_is_withdrawn_another_takes_its_place_and_gives_it_back(
    store: Store, add_source: AddSource, publish: Publish, now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        one = publish(tx, source, "1", text="1", published_at=now - HOUR)
        home = cluster_of(tx, one)
        two = publish(tx, source, "2", text="2", published_at=now, decision=joins(home))
        three = publish(tx, source, "3", text="3", published_at=now + HOUR, decision=joins(home))
        before = changes.last(tx)
        withdrawals.mark(tx, one, "gone_http_410", now)
        assert [reading.get(tx, each).is_primary for each in (one, two, three)] == [False, True, False]
        assert reason(tx, home) == "earliest"
        told = [(row.kind, row.article_id, row.version) for row in changes.read(tx, before)]
        assert told == [(ChangeKind.WITHDRAWN, one, 2), (ChangeKind.CLUSTERED, two, 1)]
        assert [each.change_class for each in reading.versions(tx, one)] == [ChangeClass.FIRST, ChangeClass.RETRACTION]
        before = changes.last(tx)
        withdrawals.restore(tx, one, now)
        assert reading.get(tx, one).is_primary
        told = [(row.kind, row.article_id, row.version) for row in changes.read(tx, before)]
        assert told == [(ChangeKind.UPDATED, one, 3), (ChangeKind.CLUSTERED, two, 1)]
        withdrawals.mark(tx, three, "court order", now)
        assert [each.change_class for each in reading.versions(tx, three)] == [ChangeClass.FIRST]
