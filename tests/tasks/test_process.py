import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from storage import articles, changes, pages, processing, quarantine, reading
from storage.audit import audit
from storage.codec import to_plain
from storage.records import ChangeKind, Disposition, Page, PageState, SourceConfig
from storage.settings import Settings
from storage.store import Store, open_store
from storage.tables import article, source
from tasks import loading, pipeline, process
from tasks.extract.material import Material
from tasks.filing import settle
from tasks.outcome import Outcome, OutcomeKind
from tasks.process import process_page, process_pages

HARBOUR = "https://harbour.example/2026/03/ferry-returns"
STORY = (
    "The ferry between the two islands is running again after eleven days in the dock, the port office said on Monday.",
    "Engineers replaced a bearing in the starboard shaft, which had cracked when the boat touched the bar in fog.",
    "The first crossing left at seven with nine passengers, a dog and a crate of seed potatoes for the school garden.",
    "The council has asked for a second boat since the spring of last year and expects an answer before the summer.",
)
Fetch = Callable[..., int]

THRICE = Settings(max_attempts=3)


def html(title: str, paragraphs: tuple[str, ...] = STORY, *, canonical: str = "", description: str = "") -> str:
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{link}<meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="2026-03-09T08:00:00Z"></head>'
        f"<body><main><article><h1>{title}</h1>{body}</article></main>{description}</body></html>"
    )


FERRY = html("Ferry returns to the islands")


def run(store: Store, page_id: int, now: datetime) -> Outcome:
    return process_page(store, page_id, now=now, recipes={}, settings=THRICE)


def page_of(store: Store, page_id: int) -> Page:
    with store.reading() as tx:
        return pages.get(tx, page_id)


def assert_balanced(store: Store, now: datetime) -> None:
    report = audit(store, now)
    assert report.faults == ()
    with store.reading() as tx:
        assert report.balance.articles == reading.counts(tx)["articles"]


def test_a_fetched_page_becomes_an_article_with_its_change_row(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, FERRY)

    outcome = run(store, page_id, now)

    assert outcome.kind is OutcomeKind.NEW
    assert (page_of(store, page_id).state, page_of(store, page_id).attempts) == (PageState.DONE, 0)
    with store.reading() as tx:
        filed = reading.at(tx, HARBOUR)
        assert filed is not None
        assert filed.content.title == "Ferry returns to the islands"
        assert [change.kind for change in changes.read(tx, 0)] == [ChangeKind.CREATED]
    assert_balanced(store, now)


def test_a_message_that_comes_twice_does_nothing(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, FERRY)
    run(store, page_id, now)

    outcome = run(store, page_id, now)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.SKIPPED, "not_waiting")
    with store.reading() as tx:
        assert changes.last(tx) == 1
    assert run(store, 999_999, now).kind is OutcomeKind.SKIPPED


def test_an_unchanged_refetch_is_the_same_and_a_changed_one_a_version(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched(HARBOUR, FERRY)
    run(store, page_id, now)

    fetched(HARBOUR, FERRY)
    assert run(store, page_id, now).kind is OutcomeKind.SAME
    fetched(HARBOUR, html("Ferry returns to the islands", (*STORY, "A second boat was promised on Tuesday evening.")))
    assert run(store, page_id, now).kind is OutcomeKind.VERSION

    with store.reading() as tx:
        filed = reading.at(tx, HARBOUR)
        assert filed is not None
        assert filed.version == 2
    assert page_of(store, page_id).disposition is Disposition.ARTICLE
    assert_balanced(store, now)


def test_a_refetch_that_gives_nothing_keeps_the_article(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, FERRY)
    run(store, page_id, now)
    fetched(HARBOUR, "<html><body>Broken.</body></html>", status=500)

    outcome = run(store, page_id, now)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.KEPT, "kept_after_http_500")
    assert page_of(store, page_id).disposition is Disposition.ARTICLE
    assert_balanced(store, now)


def test_a_page_that_gives_nothing_is_rejected_with_the_reason(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, "<html><body>Gone.</body></html>", status=404)

    outcome = run(store, page_id, now)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, "http_404")
    assert page_of(store, page_id).disposition is Disposition.REJECTED


def test_a_twin_of_a_known_article_is_a_duplicate_and_no_version(store: Store, fetched: Fetch, now: datetime) -> None:
    run(store, fetched(HARBOUR, FERRY), now)
    twin = fetched(f"{HARBOUR}/amp", html("Ferry returns", (*STORY, "Read in the app."), canonical=HARBOUR))

    outcome = run(store, twin, now)

    assert (outcome.kind, outcome.reason) == (OutcomeKind.TWIN, "canonical_twin")
    with store.reading() as tx:
        assert changes.last(tx) == 1
        assert page_of(store, twin).article_id == outcome.article_id
    assert_balanced(store, now)


def test_an_article_met_as_a_twin_is_adopted_by_its_own_page(store: Store, fetched: Fetch, now: datetime) -> None:
    twin = fetched(f"{HARBOUR}/amp", html("Ferry returns to the islands", canonical=HARBOUR))
    filed = run(store, twin, now)
    assert page_of(store, twin).disposition is Disposition.ARTICLE

    own = fetched(HARBOUR, FERRY)
    outcome = run(store, own, now)

    assert outcome.article_id == filed.article_id
    assert outcome.disposition is Disposition.ARTICLE
    assert (page_of(store, twin).disposition, page_of(store, twin).reason) == (Disposition.DUPLICATE, "canonical_twin")
    with store.reading() as tx:
        assert articles.page_of(tx, filed.article_id or 0) == own
    assert_balanced(store, now)


def test_a_twin_that_waits_when_its_article_is_adopted_finds_out_by_itself(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    amp = html("Ferry returns to the islands", canonical=HARBOUR)
    twin = fetched(f"{HARBOUR}/amp", amp)
    run(store, twin, now)
    fetched(f"{HARBOUR}/amp", amp)

    run(store, fetched(HARBOUR, FERRY), now)

    assert page_of(store, twin).state is PageState.FETCHED
    assert run(store, twin, now).kind is OutcomeKind.TWIN
    assert_balanced(store, now)


def test_an_article_stays_under_its_address_when_the_declared_one_changes(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched(HARBOUR, FERRY)
    first = run(store, page_id, now)
    fetched(HARBOUR, html("Ferry returns to the islands", canonical="https://harbour.example/other/ferry"))

    second = run(store, page_id, now)

    assert (second.kind, second.article_id) == (OutcomeKind.SAME, first.article_id)
    assert_balanced(store, now)


def test_a_copy_on_the_same_site_is_a_duplicate_with_the_reason(store: Store, fetched: Fetch, now: datetime) -> None:
    run(store, fetched(HARBOUR, FERRY), now)
    copy = fetched("https://harbour.example/news/10442", FERRY)

    outcome = run(store, copy, now)

    assert outcome.kind is OutcomeKind.DUPLICATE
    assert page_of(store, copy).disposition is Disposition.DUPLICATE
    assert_balanced(store, now)


def test_nothing_is_filed_where_an_article_was_withdrawn(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, FERRY)
    run(store, page_id, now)
    with store.writing() as tx:
        tx.execute(update(article).values(withdrawn_at=now, withdrawn_reason="asked_for"))
    fetched(HARBOUR, FERRY)

    assert run(store, page_id, now).reason == "withdrawn"


def test_a_page_fetched_anew_while_it_was_read_is_left_for_the_next_message(
    store: Store, fetched: Fetch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_id = fetched(HARBOUR, FERRY)
    look = pipeline.look

    def look_slowly(material: Material) -> object:
        fetched(HARBOUR, FERRY)
        return look(material)

    monkeypatch.setattr(process, "look", look_slowly)

    assert run(store, page_id, now).reason == "changed_meanwhile"
    assert page_of(store, page_id).state is PageState.FETCHED


def break_on(monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
    look = pipeline.look

    def look_or_break(material: Material) -> object:
        if word in material.body:
            raise RecursionError("a thousand nested tables")
        return look(material)

    monkeypatch.setattr(process, "look", look_or_break)


def test_a_page_that_breaks_is_tried_again_later_then_quarantined_and_its_batch_survives(
    store: Store, fetched: Fetch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_on(monkeypatch, b"poison")
    poison = fetched("https://harbour.example/poison", html("poison"))
    batch = [poison, fetched(HARBOUR, FERRY)]

    kinds = []
    for day in range(4):
        later = now + timedelta(days=day)
        outcomes = process_pages(store, batch, clock=lambda moment=later: moment, recipes={}, settings=THRICE)  # type: ignore[misc]
        kinds.append([outcome.kind for outcome in outcomes])

    assert kinds[0] == [OutcomeKind.POSTPONED, OutcomeKind.NEW]
    assert [first for first, _ in kinds] == ["postponed", "postponed", "quarantined", "skipped"]
    with store.reading() as tx:
        kept = quarantine.get(tx, poison)
    assert (kept.stage, kept.attempts) == ("process", 3)
    assert kept.error.startswith("RecursionError: a thousand nested tables (test_process.py:")
    assert_balanced(store, now)


def test_a_postponed_page_rests_before_it_is_announced_again(
    store: Store, fetched: Fetch, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_on(monkeypatch, b"Ferry")
    page_id = fetched(HARBOUR, FERRY)
    run(store, page_id, now)

    with store.reading() as tx:
        assert pages.unannounced(tx, now, 10) == []
        assert pages.unannounced(tx, now + process.back_off(1) + timedelta(seconds=1), 10) == [page_id]


def test_a_page_that_kills_its_worker_again_and_again_is_quarantined_too(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    page_id = fetched(HARBOUR, FERRY)
    for _ in range(3 * 5):  # so many workers began and never came back, though it kills nobody when it is read alone
        with store.writing() as tx:
            assert processing.begin(tx, page_id) is not None

    assert run(store, page_id, now).kind is OutcomeKind.QUARANTINED
    with store.reading() as tx:
        assert "died" in quarantine.get(tx, page_id).error
    assert_balanced(store, now)


def test_an_unknown_recipe_is_an_error_that_names_it(store: Store, fetched: Fetch, now: datetime) -> None:
    page_id = fetched(HARBOUR, FERRY)
    config = SourceConfig(name="harbour.example", url="https://harbour.example/feed.xml", recipe="missing")
    with store.writing() as tx:
        tx.execute(update(source).values(config=to_plain(config)))

    assert "'missing'" in run(store, page_id, now).reason


def test_of_two_copies_the_second_is_decided_when_the_first_is_committed(
    store: Store, fetched: Fetch, now: datetime
) -> None:
    first, second = (fetched(f"https://{site}.example/ferry", FERRY) for site in ("harbour", "island"))
    read = {one: pipeline.read(material_of(store, one)) for one in (first, second)}
    later = threading.Thread(
        target=lambda: store.write(
            lambda tx: settle(tx, second, snapshot_of(store, second), read[second], now, Settings())
        )
    )
    with store.writing() as tx:
        settle(tx, first, snapshot_of(store, first), read[first], now, Settings())
        later.start()
        later.join(timeout=0.3)
        assert later.is_alive()
    later.join(timeout=30)

    with store.reading() as tx:
        assert len({one.cluster_id for one in reading.listed(tx)}) == 1
    assert_balanced(store, now)


def snapshot_of(store: Store, page_id: int) -> int | None:
    return page_of(store, page_id).snapshot_id


def material_of(store: Store, page_id: int) -> Material:
    return loading.material_of(store, page_of(store, page_id), {})


def work(settings: Settings, page_id: int, now: datetime, gate: "multiprocessing.synchronize.Barrier") -> None:
    store = open_store(settings)
    gate.wait(timeout=30)
    process_page(store, page_id, now=now, recipes={}, settings=Settings())
    store.close()


def test_two_workers_with_copies_at_the_same_moment_make_one_cluster(
    store: Store, settings: Settings, fetched: Fetch, now: datetime
) -> None:
    ids = [fetched(f"https://{site}.example/ferry", FERRY) for site in ("harbour", "island")]
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(len(ids))
    plain = replace(settings, origin={})
    workers = [spawn.Process(target=work, args=(plain, page_id, now, gate)) for page_id in ids]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    assert [worker.exitcode for worker in workers] == [0, 0]
    with store.reading() as tx:
        filed = reading.listed(tx)
    assert len(filed) == 2
    assert len({one.cluster_id for one in filed}) == 1
    assert [one.is_primary for one in filed].count(True) == 1
    assert_balanced(store, now)
