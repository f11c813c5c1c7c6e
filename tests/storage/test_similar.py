"""The contract of the index: what it finds, what it counts, and that it never grows where it must not."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from storage import articles, reading, similar
from storage.database import Tx
from storage.pairs import FIRST
from storage.records import Boilerplate, Fingerprint, Source
from storage.store import Store
from storage.tables import line, posting, posting_page, posting_recent

AddSource = Callable[..., Source]
Publish = Callable[..., int]
KEYS = tuple(range(-100, -76))


def ids(tx: Tx, keys: tuple[int, ...], exact: int = 7) -> list[int]:
    found, _ = similar.neighbours(tx, Fingerprint(algorithm=1, exact=exact, marks=b"", keys=keys))
    return [one.article_id for one in found]


def postings(tx: Tx) -> int:
    """How many the database holds, in rows and in pages."""
    rows = tx.execute(select(func.count()).select_from(posting)).scalar_one()
    sizes = (select(func.coalesce(func.sum(func.length(of.c.data)), 0)) for of in (posting_page, posting_recent))
    return int(rows) + sum(int(tx.execute(size).scalar_one()) for size in sizes) // 9


def test_neighbours_are_of_equal_text_or_share_two_keys(
    store: Store, add_source: AddSource, publish: Publish, exact: Callable[[str], int]
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        near = publish(tx, source, "near", text="near", keys=KEYS)
        equal = publish(tx, source, "equal", text="equal")
        publish(tx, source, "one-key", text="one", keys=(KEYS[0], 7, 8))
        wanted = Fingerprint(algorithm=1, exact=exact("equal"), marks=b"", keys=(*KEYS[:2], 900, 901))
        found, keys = similar.neighbours(tx, wanted)
    assert [one.article_id for one in found] == [near, equal]
    assert (found[0].fingerprint.marks, found[0].site) == (b"near", "harbour.example")
    assert keys == wanted.keys


def test_those_that_share_most_come_first_and_of_equals_the_earliest(
    store: Store, add_source: AddSource, publish: Publish
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        made = [publish(tx, source, f"{n}", text=f"{n}", keys=KEYS[: 2 + n // 10]) for n in range(20)]
        assert ids(tx, KEYS) == made[10:18]


def test_a_key_of_very_many_leads_nowhere_and_is_added_to_no_more(
    store: Store, add_source: AddSource, publish: Publish
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        for number in range(similar.MOST_POSTINGS):
            publish(tx, source, f"{number}", text=f"{number}", keys=(1, 2, 1000 + number))
        assert ids(tx, (1, 2)) == []
        _, keys = similar.neighbours(tx, Fingerprint(algorithm=1, exact=7, marks=b"", keys=(1, 2, 3)))
        assert keys == (3,)


def test_what_was_looked_up_early_counts_what_was_filed_since(
    store: Store, add_source: AddSource, publish: Publish, exact: Callable[[str], int]
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        first = publish(tx, source, "1", text="one", keys=KEYS[:3])
        asked = Fingerprint(algorithm=1, exact=exact("two"), marks=b"", keys=KEYS[:4])
        found = similar.look_up(tx, [asked])
        second = publish(tx, source, "2", text="two", keys=KEYS[1:])
        found.add(second, asked, KEYS[1:])
        found.add(first, Fingerprint(algorithm=1, exact=3, marks=b""), KEYS[:3])  # a new version of it
        assert found == similar.look_up(tx, [asked])
        assert similar.neighbours(tx, asked, found) == similar.neighbours(tx, asked)
        assert found.equal == {asked.exact: [second]}


def test_equal_texts_beyond_those_looked_up_are_asked_for_anew() -> None:
    text = Fingerprint(algorithm=1, exact=7, marks=b"", keys=(1,))
    found = similar.Found({1: []}, {7: list(range(1, 65))})
    assert found.has(text)
    found.add(5, Fingerprint(algorithm=1, exact=8, marks=b""), ())
    assert not found.has(text)


def test_a_withdrawn_article_is_no_neighbour(store: Store, add_source: AddSource, publish: Publish) -> None:
    with store.writing() as tx:
        one = publish(tx, add_source(tx), "1", keys=KEYS)
        assert ids(tx, KEYS) == [one]
        tx.execute(text("UPDATE article SET withdrawn_at = first_seen"))
        assert ids(tx, KEYS) == []


def test_a_dropped_print_leads_nowhere(store: Store, add_source: AddSource, publish: Publish) -> None:
    with store.writing() as tx:
        one = publish(tx, add_source(tx), "1", keys=KEYS)
        similar.drop(tx, one)
        assert ids(tx, KEYS) == []
        assert articles.page_of(tx, one) == reading.get(tx, one).id


def test_the_horizon_takes_the_postings_of_what_is_old_in_bounded_steps(
    store: Store, add_source: AddSource, publish: Publish, exact: Callable[[str], int], now: datetime
) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        old = [publish(tx, source, f"o{n}", text=f"o{n}", keys=KEYS) for n in range(3)]
        young = publish(tx, source, "y", text="y", at=now + timedelta(days=5), keys=KEYS)
        dry = similar.forget(tx, now + timedelta(days=1), limit=2000, dry=True)
        steps, gone = 0, 0
        after: int | None = FIRST
        while after is not None:
            step = similar.forget(tx, now + timedelta(days=1), after=after, limit=20)
            steps, gone, after = steps + 1, gone + step.gone, step.after
        assert steps >= 2
        assert gone == dry.gone == 3 * len(KEYS)
        assert ids(tx, KEYS) == [young]
        assert ids(tx, KEYS, exact("o1")) == [old[1], young]
        assert postings(tx) == len(KEYS)


def noted(tx: Tx, lines: tuple[int, ...], *cluster_ids: int) -> Boilerplate:
    for cluster_id in cluster_ids:
        similar.note(tx, similar.boilerplate(tx, lines), cluster_id)
    return similar.boilerplate(tx, lines)


def test_a_line_of_four_stories_is_boilerplate(store: Store) -> None:
    with store.writing() as tx:
        assert noted(tx, (5, -6), 1, 2, 3).common == frozenset()
        assert noted(tx, (5,), 4).common == {5}
        assert similar.boilerplate(tx, (5, -6)).common == {5}


def test_a_story_carried_by_many_makes_no_boilerplate(store: Store) -> None:
    with store.writing() as tx:
        assert noted(tx, (5,), *[1] * 20).common == frozenset()


def test_the_commoner_of_two_lines_keeps_their_slot(store: Store) -> None:
    rival = 5 + (1 << 18)
    with store.writing() as tx:
        noted(tx, (5,), *range(1, 11))
        noted(tx, (rival,), *range(20, 24))
        assert similar.boilerplate(tx, (5, rival)).common == {5}
        noted(tx, (rival,), *range(30, 50))
        assert similar.boilerplate(tx, (5, rival)).common == {rival}
        assert tx.execute(select(func.count()).select_from(line)).scalar_one() == 1
