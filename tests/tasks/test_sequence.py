"""Articles on several pages, from the first page that names a next one to one article in the store."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from storage import articles, changes, pages, parts, reading
from storage.audit import audit
from storage.records import Access, ChangeKind, Disposition, Extracted, Page, PageState, Via
from storage.settings import Settings
from storage.store import Store
from tasks import pipeline, process
from tasks.extract.material import Material
from tasks.outcome import Outcome, OutcomeKind
from tasks.parts import MOST
from tasks.process import process_page
from tasks.sequence import PATIENCE

Fetch = Callable[..., int]
STORY = "https://harbour.example/long/birds"
TEXTS = (
    "Volunteers who spent the weekend on the mudflats have counted 802 wading birds, the highest total so far.",
    "Biologists from the regional institute will now look at the forms, and compare them with the pictures.",
    "The next count is planned for the autumn, and anyone who wants to help can leave a name at the library.",
)


def url(number: int) -> str:
    return STORY if number == 1 else f"{STORY}?page={number}"


def part(number: int, *, following: str | None = "", before: str | None = "", text: str = "") -> str:
    """A page of the story; it names its neighbours as the numbers say unless told otherwise."""
    following = url(number + 1) if following == "" else following
    before = url(number - 1) if before == "" and number > 1 else before
    links = f'<link rel="next" href="{following}">' if following else ""
    links += f'<link rel="prev" href="{before}">' if before else ""
    shown = text or TEXTS[(number - 1) % len(TEXTS)]
    return (
        f'<!doctype html><html lang="en"><head><title>A record count of birds</title>{links}'
        f'<meta property="og:type" content="article"></head><body><main><article><h1>A record count of birds</h1>'
        f"<p>{shown}</p><p>This is what page number {number} says of the birds that were counted there.</p>"
        f"</article></main></body></html>"
    )


@pytest.fixture
def run(store: Store, settings: Settings, now: datetime) -> Callable[..., Outcome]:
    def call(page_id: int, *, after: timedelta = timedelta(), patient: bool = True) -> Outcome:
        return process_page(store, page_id, now=now + after, recipes={}, settings=settings, patient=patient)

    return call


Run = Callable[..., Outcome]


def page_at(store: Store, address: str) -> Page:
    with store.reading() as tx:
        found = pages.find(tx, address)
    assert found is not None, address
    return found


def waits_to_be_processed(store: Store, page_id: int, now: datetime) -> bool:
    with store.reading() as tx:
        return page_id in pages.unannounced(tx, now, 100)


def assert_one_article(store: Store, now: datetime, *, versions: int = 1) -> str:
    """One article of that many versions, and books that balance; returns its text."""
    with store.reading() as tx:
        [article] = reading.listed(tx)
        kinds = [change.kind for change in changes.read(tx, 0)]
    assert article.content.url == STORY
    assert kinds == [ChangeKind.CREATED] + [ChangeKind.UPDATED] * (versions - 1)
    assert audit(store, now).faults == ()
    return article.content.text


def test_the_first_page_waits_for_its_parts_and_all_become_one_article(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))

    waiting = run(first)
    assert (waiting.kind, waiting.reason) == (OutcomeKind.POSTPONED, "waits_for_parts")
    assert page_at(store, STORY).attempts == 0
    assert not waits_to_be_processed(store, first, now)
    second = page_at(store, url(2))
    assert (second.state, second.part_of) == (PageState.DISCOVERED, first)
    with store.reading() as tx:
        assert [seen.via for seen in pages.sightings(tx, second.id)] == [Via.NEXT_PAGE]

    fetched(url(2), part(2))
    assert run(second.id).kind is OutcomeKind.PART
    assert not waits_to_be_processed(store, first, now), "the third part is still to come"
    fetched(url(3), part(3, following=None))
    assert run(page_at(store, url(3)).id).reason == "part_of_article"
    assert waits_to_be_processed(store, first, now)

    filed = run(first)
    assert filed.kind is OutcomeKind.NEW
    text = assert_one_article(store, now)
    assert [text.index(one) for one in TEXTS] == sorted(text.index(one) for one in TEXTS)
    assert page_at(store, url(3)).article_id == filed.article_id
    assert page_at(store, url(3)).disposition is Disposition.DUPLICATE


def test_a_part_that_cannot_be_had_leaves_a_partial_article(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    fetched(url(2), part(2))
    run(page_at(store, url(2)).id)
    third = page_at(store, url(3))
    store.write(lambda tx: pages.finish(tx, third.id, Disposition.REJECTED, "http_404", now))

    assert waits_to_be_processed(store, first, now)
    assert run(first).kind is OutcomeKind.NEW

    assert TEXTS[1] in assert_one_article(store, now)
    with store.reading() as tx:
        content = reading.listed(tx)[0].content
    assert content.access is Access.PARTIAL
    assert content.provenance["access"].raw == f"{url(3)} is missing"


def test_a_part_that_does_not_come_is_not_waited_for_for_ever_and_is_added_when_it_comes(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)

    assert run(first, after=PATIENCE).kind is OutcomeKind.NEW
    fetched(url(2), part(2, following=None))
    late = run(page_at(store, url(2)).id, after=PATIENCE)
    assert (late.kind, late.article_id) == (OutcomeKind.PART, page_at(store, STORY).article_id)
    again = run(first, after=PATIENCE)

    assert (again.kind, again.reason) == (OutcomeKind.VERSION, "fuller_text")
    assert TEXTS[1] in assert_one_article(store, now, versions=2)
    assert run(page_at(store, url(2)).id).kind is OutcomeKind.SKIPPED


def test_a_page_two_that_a_feed_lists_is_no_article(store: Store, fetched: Fetch, run: Run, now: datetime) -> None:
    first, second = fetched(STORY, part(1)), fetched(url(2), part(2, following=None))

    assert run(second).kind is OutcomeKind.PART
    assert run(first).kind is OutcomeKind.NEW

    assert TEXTS[1] in assert_one_article(store, now)
    assert page_at(store, url(2)).article_id is not None


def test_an_old_page_two_is_fetched_anew_with_its_first_page(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    second = fetched(url(2), part(2, following=None))
    run(second)
    run(first)
    tomorrow = timedelta(days=1)
    fetched(STORY, part(1), age_s=-int(tomorrow.total_seconds()))

    assert run(first, after=tomorrow).reason == "waits_for_parts"
    assert page_at(store, url(2)).state is PageState.DISCOVERED
    fetched(url(2), part(2, following=None, text=f"{TEXTS[1]} They will be done by June."))
    run(second, after=tomorrow)

    assert run(first, after=tomorrow).kind is OutcomeKind.VERSION
    assert "done by June" in assert_one_article(store, now, versions=2)


def test_pages_that_name_each_other_in_a_ring_come_to_an_end(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    fetched(url(2), part(2, following=STORY))
    run(page_at(store, url(2)).id)

    assert run(first).kind is OutcomeKind.NEW
    assert_one_article(store, now)


def test_an_endless_sequence_is_cut(store: Store, fetched: Fetch, run: Run, now: datetime) -> None:
    first = fetched(STORY, part(1))
    run(first)
    for number in range(2, MOST + 1):
        fetched(url(number), part(number))
        assert run(page_at(store, url(number)).id).kind is OutcomeKind.PART

    assert run(first).kind is OutcomeKind.NEW
    assert f"page number {MOST} says" in assert_one_article(store, now)
    with store.reading() as tx:
        assert pages.find(tx, url(MOST + 1)) is None


@pytest.mark.parametrize("following", ["https://harbour.example/long/foxes", "https://other.example/long/birds?page=2"])
def test_the_next_story_is_no_part(store: Store, fetched: Fetch, run: Run, now: datetime, following: str) -> None:
    assert run(fetched(STORY, part(1, following=following))).kind is OutcomeKind.NEW
    assert TEXTS[0] in assert_one_article(store, now)


def test_a_blog_s_story_before_is_not_its_first_page(store: Store, fetched: Fetch, run: Run, now: datetime) -> None:
    run(fetched("https://harbour.example/long/foxes", part(1, following=None, text=TEXTS[2])))
    assert run(fetched(STORY, part(1, following=None, before="https://harbour.example/long/foxes"))).kind == "new"
    with store.reading() as tx:
        assert reading.counts(tx)["articles"] == 2


def test_an_article_filed_before_its_first_page_was_known_stays_one(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    second = fetched(url(2), part(2, following=None))
    run(second)
    run(fetched(STORY, part(1)))
    fetched(url(2), part(2, following=None, text=f"{TEXTS[1]} They will be done by June."))

    assert run(second).kind is OutcomeKind.VERSION
    with store.reading() as tx:
        own = page_at(store, url(2))
        assert own.article_id is not None
        assert articles.page_of(tx, own.article_id) == second
        assert parts.of(tx, page_at(store, STORY).id) == []
    assert audit(store, now).faults == ()


def test_nobody_waits_who_was_told_not_to(store: Store, fetched: Fetch, run: Run, now: datetime) -> None:
    assert run(fetched(STORY, part(1)), patient=False).kind is OutcomeKind.NEW
    with store.reading() as tx:
        assert pages.find(tx, url(2)) is None
        assert reading.listed(tx)[0].content.access is Access.PARTIAL


def test_a_part_without_a_text_is_rejected_and_the_article_filed(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    fetched(url(2), "<html><head><title>Not found</title></head><body><h1>Page not found</h1></body></html>")

    assert run(page_at(store, url(2)).id).kind is OutcomeKind.REJECTED
    assert run(first).kind is OutcomeKind.NEW
    assert TEXTS[0] in assert_one_article(store, now)


def test_a_part_that_comes_while_its_first_page_is_read_is_not_left_out(
    store: Store, fetched: Fetch, run: Run, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    conclude = pipeline.conclude

    def conclude_slowly(seen: Extracted, material: Material) -> object:
        monkeypatch.undo()
        fetched(url(2), part(2, following=None))
        run(page_at(store, url(2)).id)
        return conclude(seen, material)

    monkeypatch.setattr(process, "conclude", conclude_slowly)

    assert run(first, after=PATIENCE).kind is OutcomeKind.NEW
    assert waits_to_be_processed(store, first, now)
    assert run(first, after=PATIENCE).kind is OutcomeKind.VERSION
    assert run(first, after=PATIENCE).kind is OutcomeKind.SKIPPED
    assert TEXTS[1] in assert_one_article(store, now, versions=2)


def test_an_old_part_is_taken_as_it_is_where_nobody_waits(
    store: Store, fetched: Fetch, run: Run, now: datetime
) -> None:
    first = fetched(STORY, part(1))
    run(first)
    second = fetched(url(2), part(2, following=None))
    run(second)
    tomorrow = timedelta(days=1)
    fetched(STORY, part(1), age_s=-int(tomorrow.total_seconds()))

    assert run(first, after=tomorrow, patient=False).kind is OutcomeKind.NEW
    assert not waits_to_be_processed(store, first, now + tomorrow)
    assert TEXTS[1] in assert_one_article(store, now)
