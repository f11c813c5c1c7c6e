"""Pruning lets go what is old and nothing else, in steps that may be interrupted anywhere, and the books balance."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from storage import articles, changes, erasure, expiry, pages, pruning, quarantine, reading, snapshots, sources
from storage.archive import Archive
from storage.audit import audit
from storage.database import Tx
from storage.errors import ArchiveError, BodyPruned
from storage.records import (
    ChangeClass,
    Decision,
    DecisionKind,
    Disposition,
    Lead,
    Page,
    Poll,
    Source,
    SourceConfig,
)
from storage.retention import rules_of
from storage.settings import Settings, load_settings
from storage.store import Store
from storage.tables import article, article_version, change, page, poll, sighting, snapshot

DAY = timedelta(days=1)
YEAR = 365 * DAY
EVERYTHING = {"archive": 30, "versions": 30, "polls": 30, "sightings": 30}

AddSource = Callable[..., Source]
Publish = Callable[..., int]
Fill = Callable[..., Source]


def keeping(candidate_days: int = 0, **days: int) -> Settings:
    options: dict[str, Any] = {f"keep_{kind}_days": days.get(kind, 0) for kind in EVERYTHING}
    return load_settings({**options, "candidate_days": candidate_days}, environ={}, file=Path("none.toml"))


def prune(store: Store, settings: Settings, now: datetime, **more: Any) -> dict[str, int]:
    gone: Counter[str] = Counter()
    assert pruning.prune(store, settings, now, told=lambda what, count: gone.update({what: count}), **more)
    return dict(+gone)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*.warc.gz"))


def faults(store: Store, now: datetime) -> list[str]:
    return [fault.what for fault in audit(store, now).faults]


@pytest.fixture
def revise(fetch: Callable[..., Page], filing: Callable[..., Any]) -> Callable[..., None]:
    """Gives an article a further version."""

    def go(tx: Tx, article_id: int, words: str, at: datetime) -> None:
        page_id = articles.page_of(tx, article_id)
        page = fetch(tx, page_id, words.encode(), at=at)
        how: dict[str, Any] = {"kind": DecisionKind.VERSION, "reason": "edit", "change_class": ChangeClass.EDIT}
        decision = Decision(article_id=article_id, **how)
        articles.file(tx, filing(page, text=words, decision=decision), at)
        pages.finish(tx, page_id, Disposition.ARTICLE, "edit", at, article_id=article_id)

    return go


@pytest.fixture
def fill(store: Store, publish: Publish, revise: Callable[..., None]) -> Fill:
    """Gives a source two articles, the first with three versions, polls, and packed bodies: all of one day."""

    def go(name: str, at: datetime, retention: dict[str, int] | None = None) -> Source:
        site = f"{name}.example"
        config = SourceConfig(name=name, url=f"https://{site}/feed", retention=tuple((retention or {}).items()))
        with store.writing() as tx:
            source = sources.add(tx, config, site=site, now=at, interval_s=300)
            one, _ = (
                publish(tx, source, "a", at=at, text=f"{name} a"),
                publish(tx, source, "b", at=at, text=f"{name} b"),
            )
            revise(tx, one, f"{name} a, second", at + timedelta(hours=1))
            revise(tx, one, f"{name} a, third", at + timedelta(hours=2))
            for number in range(3):
                then = at + timedelta(minutes=number)
                visit = Poll(source_id=source.id, started_at=then, finished_at=then, outcome="ok", status=200)
                sources.polled(tx, visit, next_at=then, interval_s=300, failures=0.0)
        snapshots.pack(store, at + timedelta(hours=4), most_bytes=1_000_000, after=timedelta(hours=1))
        return source

    return go


def test_by_default_nothing_goes_but_old_polls(store: Store, fill: Fill, now: datetime, tmp_path: Path) -> None:
    fill("harbour", now)
    settings = load_settings(environ={}, file=Path("none.toml"))
    assert prune(store, settings, now + YEAR) == {"polls": 3}
    assert len(files(tmp_path)) == 1
    assert prune(store, settings, now + YEAR) == {}


def test_what_is_old_goes_and_the_books_balance(store: Store, fill: Fill, now: datetime, tmp_path: Path) -> None:
    fill("harbour", now)
    fill("valley", now + 50 * DAY)
    then = now + 60 * DAY
    old = {"polls": 3, "sightings": 2, "versions": 2, "bodies": 4, "archive_files": 1}

    assert prune(store, keeping(**EVERYTHING), then, dry=True) == old
    assert len(files(tmp_path)) == 2
    assert prune(store, keeping(**EVERYTHING), then) == old
    assert prune(store, keeping(**EVERYTHING), then) == {}

    assert faults(store, then) == []
    assert len(files(tmp_path)) == 1
    with store.reading() as tx:
        assert [tx.execute(select(func.count()).select_from(table)).scalar() for table in (poll, sighting)] == [3, 2]
        told = [one.seq for one in changes.read(tx, 0)]
        assert told == list(range(1, len(told) + 1))
        assert len(told) == 8


def test_the_current_text_stays_and_old_versions_keep_their_place(store: Store, fill: Fill, now: datetime) -> None:
    fill("harbour", now)
    then = now + YEAR
    assert prune(store, keeping(versions=30), then) == {"versions": 2}
    with store.reading() as tx:
        first, second, third = reading.versions(tx, 1)
        assert (first.content.text, second.content.text, third.content.text) == ("", "", "harbour a, third")
        assert (first.pruned_at, second.pruned_at, third.pruned_at) == (then, then, None)
        assert (first.content.title, first.content_hash) == ("A ferry", "1:harbour a")
        assert [one.content.text for one in reading.listed(tx)] == ["harbour a, third", "harbour b"]
        assert [one.version for one in changes.of_article(tx, 1)] == [1, 2, 3]


def test_a_version_is_as_old_as_what_superseded_it(
    store: Store, fill: Fill, revise: Callable[..., None], now: datetime
) -> None:
    fill("harbour", now)
    store.write(lambda tx: revise(tx, 1, "the fourth", now + 100 * DAY))
    assert prune(store, keeping(versions=30), now + 120 * DAY) == {"versions": 2}
    with store.reading() as tx:
        assert reading.versions(tx, 1)[2].content.text == "harbour a, third"


def test_a_pruned_body_says_so_and_its_exchange_stays(store: Store, fill: Fill, now: datetime) -> None:
    fill("harbour", now)
    prune(store, keeping(archive=30), now + YEAR)
    with store.reading() as tx:
        known = snapshots.of_page(tx, 1)
        assert [one.status for one in known] == [200, 200, 200]
        with pytest.raises(BodyPruned, match=r"https://harbour\.example/a of 2026-03-10 was pruned"):
            snapshots.body(tx, store.archive, known[0])
        assert reading.get(tx, 1).archive is None
        assert snapshots.hot(tx) == (0, 0)
    assert snapshots.pack(store, now + YEAR, most_bytes=1, after=timedelta()) == 0


def test_a_file_stays_while_one_of_its_records_does(store: Store, fill: Fill, now: datetime, tmp_path: Path) -> None:
    fill("harbour", now, {"archive": 10})
    source = SourceConfig(name="valley", url="https://valley.example/feed", retention=(("archive", 0),))
    with store.writing() as tx:
        keeper = sources.add(tx, source, site="valley.example", now=now, interval_s=60)
        tx.execute(update(page).where(page.c.id == 2).values(source_id=keeper.id))
    assert prune(store, keeping(archive=30), now + YEAR) == {}
    with store.writing() as tx:
        tx.execute(text("UPDATE page SET source_id = 1"))
    assert prune(store, keeping(), now + 9 * DAY) == {}
    assert prune(store, keeping(), now + 11 * DAY) == {"bodies": 4, "archive_files": 1}
    assert files(tmp_path) == []


def test_a_source_may_keep_everything_shorter_longer_or_for_ever(store: Store, fill: Fill, now: datetime) -> None:
    fill("short", now, {"polls": 1, "versions": 1, "sightings": 1})
    fill("long", now, {"polls": 99, "versions": 0})
    assert prune(store, keeping(), now + 2 * DAY) == {"polls": 3, "versions": 2, "sightings": 2}
    assert prune(store, keeping(**EVERYTHING), now + 98 * DAY) == {"sightings": 2, "bodies": 8, "archive_files": 2}
    assert prune(store, keeping(**EVERYTHING), now + 100 * DAY) == {"polls": 3}


def test_what_waits_or_may_be_tried_again_keeps_its_bytes(
    store: Store, add_source: AddSource, lead: Callable[..., Lead], fetch: Callable[..., Page], now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        ids = pages.discover(tx, source.id, [lead(path) for path in "abc"], now).new
        for page_id in ids:
            fetch(tx, page_id)
        quarantine.put(tx, ids[0], stage="extract", error="odd", attempts=4, now=now)
        pages.finish(tx, ids[1], Disposition.REJECTED, "no_text", now)
    assert prune(store, keeping(archive=30), now + YEAR) == {"bodies": 1}
    with store.reading() as tx:
        left = [one.page_id for page_id in ids for one in snapshots.of_page(tx, page_id) if body_of(tx, store, one)]
    assert left == [ids[0], ids[2]]
    assert faults(store, now + YEAR) == []


def body_of(tx: Tx, store: Store, one: Any) -> bytes | None:
    try:
        return snapshots.body(tx, store.archive, one)
    except BodyPruned:
        return None


def test_an_old_file_that_was_handed_in_lately_is_young(
    store: Store, add_source: AddSource, publish: Publish, fetch: Callable[..., Page], now: datetime
) -> None:
    with store.writing() as tx:
        publish(tx, add_source(tx), "a", at=now)
        tx.execute(text("UPDATE snapshot SET fetched_at = '2016-03-10T12:00:00.000000Z'"))
    assert prune(store, keeping(archive=30), now + 10 * DAY) == {}
    snapshots.pack(store, now + 10 * DAY, most_bytes=1, after=timedelta())
    assert prune(store, keeping(archive=30), now + 39 * DAY) == {}
    assert prune(store, keeping(archive=30), now + 41 * DAY) == {"bodies": 1, "archive_files": 1}


@pytest.mark.parametrize("step", range(1, 7))
def test_killed_in_the_middle_it_leaves_what_balances_and_the_next_one_ends_it(
    store: Store, fill: Fill, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: int
) -> None:
    fill("harbour", now)
    fill("valley", now + DAY)
    then, settings, steps = now + YEAR, keeping(**EVERYTHING), Counter[str]()
    for name in ("polls", "sightings", "versions", "hot_bodies", "archive_file"):
        monkeypatch.setattr(expiry, name, dying(getattr(expiry, name), steps, step))
    rows: tuple[tuple[str, str, Any, int], ...] = pruning._WORK
    work = tuple((what, kind, getattr(expiry, one.__name__, one), begin) for what, kind, one, begin in rows)
    monkeypatch.setattr(pruning, "_WORK", work)
    with pytest.raises(ZeroDivisionError):
        prune(store, settings, then)
    assert faults(store, then) == []
    monkeypatch.undo()

    prune(store, settings, then)
    assert faults(store, then) == []
    assert files(tmp_path) == []
    with store.reading() as tx:
        counted = [tx.execute(select(func.count()).select_from(table)).scalar() for table in (poll, sighting)]
        assert counted == [0, 0]
        assert tx.execute(select(func.count()).where(article_version.c.pruned_at.is_(None))).scalar() == 4
        assert tx.execute(select(func.count()).where(snapshot.c.pruned_at.is_(None))).scalar() == 0
        assert tx.execute(select(func.count()).select_from(change)).scalar() == 8
        assert not pruning.due(tx, then)
        assert pruning.due(tx, then + DAY)


def dying(work: Callable[..., Any], steps: Counter[str], last: int) -> Callable[..., Any]:
    """The step, which does all it has to and then fails before its transaction is committed."""

    def step(*args: Any, **named: Any) -> Any:
        steps["all"] += 1
        done = work(*args, **named)
        if steps["all"] == last:
            raise ZeroDivisionError
        return done

    step.__name__ = work.__name__
    return step


def test_a_round_that_was_stopped_goes_on_where_it_was(
    store: Store, fill: Fill, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("harbour", now)
    seen: list[int] = []

    def few(tx: Tx, *args: Any, after: int, dry: bool) -> Any:
        seen.append(after)
        return expiry.polls(tx, *args, after=after, dry=dry, limit=1)

    monkeypatch.setattr(pruning, "_WORK", (("polls", "polls", few, 0),))
    settings, then = keeping(polls=30), now + YEAR
    assert not pruning.prune(store, settings, then, stop=lambda: len(seen) == 2)
    with store.reading() as tx:
        assert pruning.due(tx, then)
        assert tx.execute(select(func.count()).select_from(poll)).scalar() == 1
    assert prune(store, settings, then) == {"polls": 1}
    assert seen == [0, 1, 2, 3]


def test_a_file_that_cannot_be_deleted_is_told_and_goes_the_next_time(
    store: Store, fill: Fill, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill("harbour", now)

    def fail(_archive: Archive, _name: str) -> None:
        raise ArchiveError("read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr(Archive, "delete", fail)
        with pytest.raises(ArchiveError):
            prune(store, keeping(archive=30), now + YEAR)
    assert ["'copydesk prune' does it" in one for one in faults(store, now + YEAR)] == [True]
    prune(store, keeping(archive=30), now + YEAR)
    assert (faults(store, now + YEAR), files(tmp_path)) == ([], [])


def test_a_file_of_which_all_records_were_erased_goes(
    store: Store, add_source: AddSource, publish: Publish, now: datetime, tmp_path: Path
) -> None:
    with store.writing() as tx:
        publish(tx, add_source(tx), "a")
    snapshots.pack(store, now, most_bytes=1, after=timedelta())
    assert len(files(tmp_path)) == 1
    erasure.erase(store, 1, "court order", now)
    assert files(tmp_path) == []
    assert faults(store, now) == []


def test_an_erased_page_may_have_been_pruned_before(store: Store, fill: Fill, now: datetime) -> None:
    fill("harbour", now)
    prune(store, keeping(**EVERYTHING), now + YEAR)
    erasure.erase(store, 1, "court order", now + YEAR)
    assert faults(store, now + YEAR) == []
    with store.reading() as tx:
        assert snapshots.hot(tx) == (0, 0)
        assert tx.execute(select(article.c.withdrawn_at).where(article.c.id == 1)).scalar() is not None


def test_postings_go_at_the_horizon(store: Store, add_source: AddSource, publish: Publish, now: datetime) -> None:
    with store.writing() as tx:
        publish(tx, add_source(tx), "a", keys=(3, 5, 8))
    assert prune(store, keeping(), now + YEAR) == {}
    assert prune(store, keeping(candidate_days=90), now + 89 * DAY) == {}
    assert prune(store, keeping(candidate_days=90), now + 91 * DAY) == {"postings": 3}


def test_only_sources_that_say_something_are_in_the_rules(store: Store, fill: Fill, now: datetime) -> None:
    fill("harbour", now)
    said = fill("valley", now, {"polls": 7})
    with store.reading() as tx:
        rules = rules_of(tx, keeping(polls=30))
    assert rules.own["polls"] == {said.id: 7}
    assert rules.limit("polls", said.id, now) == now - 7 * DAY
    assert rules.latest("polls", now) == now - 7 * DAY
    assert rules.latest("archive", now) is None
