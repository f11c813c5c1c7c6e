"""A template that declares one address on every page of a site loses none of its articles."""

from collections.abc import Callable
from datetime import datetime

from storage import reading
from storage.audit import audit
from storage.settings import Settings
from storage.store import Store
from tasks.outcome import OutcomeKind
from tasks.process import process_page, process_pages

Fetch = Callable[..., int]
SITE = "https://harbour.example"
FIXED = f"{SITE}/news/current"
STORIES = {
    "The ferry returns to the islands": (
        "The ferry between the two islands is running again after eleven days in the dock, the port office said.",
        "Engineers replaced a bearing in the starboard shaft, which had cracked when the boat touched the bar in fog.",
        "The first crossing left at seven with nine passengers, a dog and a crate of seed potatoes for a garden.",
    ),
    "Council buys the old granary": (
        "After three years of argument the council has bought the granary above the market for a single crown.",
        "A library, a workshop for bicycles and two rooms for choirs are to open there before the next winter.",
        "The roof alone will cost more than the town spends on all its schools, the treasurer warned the members.",
    ),
    "Bakers strike over night shifts": (
        "No bread was sold in Tarn this morning because the bakers of all four shops had stayed in their beds.",
        "They want to begin at five instead of two, as their colleagues on the mainland have done since last spring.",
        "Their masters offered half an hour and were laughed at, a speaker said; talks go on in the evening.",
    ),
}


def page(title: str, paragraphs: tuple[str, ...], canonical: str = FIXED) -> str:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    head = f'<title>{title}</title><link rel="canonical" href="{canonical}">'
    return f"<html lang='en'><head>{head}</head><body><article><h1>{title}</h1>{body}</article></body></html>"


def titles(store: Store) -> set[str]:
    with store.reading() as tx:
        ids = range(1, reading.counts(tx)["articles"] + 1)
        return {reading.get(tx, one).content.title for one in ids}


def test_each_page_is_an_article_under_its_own_address_once_the_declared_one_is_taken(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    ids = [fetched(f"{SITE}/2026/{at}", page(title, text)) for at, (title, text) in enumerate(STORIES.items())]

    for one in ids:
        assert process_page(store, one, now=now, recipes={}, settings=Settings()).kind is OutcomeKind.NEW

    assert titles(store) == set(STORIES)
    with store.reading() as tx:
        assert reading.at(tx, f"{SITE}/2026/1") is not None
    assert audit(store, now).faults == ()


def test_it_is_so_in_one_message_too_and_when_they_come_again(store: Store, fetched: Fetch, now: datetime) -> None:
    for _ in range(2):
        ids = [fetched(f"{SITE}/2026/{at}", page(title, text)) for at, (title, text) in enumerate(STORIES.items())]
        process_pages(store, ids, clock=lambda: now, recipes={}, settings=Settings())

    assert titles(store) == set(STORIES)
    with store.reading() as tx:
        assert reading.counts(tx)["articles"] == len(STORIES)
    assert audit(store, now).faults == ()


def test_a_shortened_twin_with_its_title_is_still_no_article(store: Store, fetched: Fetch, now: datetime) -> None:
    title, text = next(iter(STORIES.items()))
    long = (*text, *(f"On day {day} the crew counted {day * 7} sacks and wrote of the wind." for day in range(30)))
    whole = fetched(FIXED, page(title, long))
    short = fetched(f"{SITE}/amp/1", page(title, text))
    kinds = [process_page(store, one, now=now, recipes={}, settings=Settings()).kind for one in (whole, short)]
    assert kinds == [OutcomeKind.NEW, OutcomeKind.TWIN]
