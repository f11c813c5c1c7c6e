"""One query syntax means the same on both databases; the index follows the change feed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storage import articles, consumers, erasure, pages, reading, search, withdrawals
from storage.database import Tx
from storage.errors import NotFound, StoreBusy, UsageError
from storage.query import Query, Wanted, parse
from storage.records import Block, BlockKind, Clean, Decision, DecisionKind, Disposition, Filing, Fingerprint, Source
from storage.store import Store
from storage.terms import fold, terms

Put = Callable[..., int]

TEXTS = {
    "ferry": ("Ferry strike ends", "The harbour's ferry crews went back to work. Talks ended a nine-day strike.", "en"),
    "fair": ("Boats at the fair", "A strike of lightning hit no ferries. The crews of small boats cheered.", "en"),
    "werft": ("Streik in der Werft", "Die Häuser am Hafen blieben leer. Ein Schiff wurde nicht fertig.", "de"),
    "senkyo": ("選挙の結果", "東京都の選挙で新しい知事が選ばれた。投票率は上がった。", "ja"),
    "chunav": ("चुनाव के नतीजे", "दिल्ली में हिन्दी समाचार।", "hi"),
}


@pytest.fixture
def put(
    now: datetime, lead: Callable[..., object], fetch: Callable[..., object], add_source: Callable[..., Source]
) -> Put:
    """Files an article with a title, a text and more of its fields."""

    def go(tx: Tx, source: Source, path: str, title: str, text: str, language: str = "en", **more: object) -> int:
        page_id = pages.discover(tx, source.id, [lead(path, site=source.site)], now).new[0]  # type: ignore[list-item]
        page = fetch(tx, page_id)
        clean = Clean(
            url=page.url,  # type: ignore[attr-defined]
            title=title,
            text=text,
            language=language,
            blocks=(Block(kind=BlockKind.PARAGRAPH, text=text),),
            fetched_at=now,
            **more,  # type: ignore[arg-type]
        )
        filing = Filing(
            page=page,  # type: ignore[arg-type]
            clean=clean,
            fingerprint=Fingerprint(algorithm=1, exact=hash(path) % 10_000, marks=b"", keys=()),
            keys=(),
            standing=1,
            content_hash=path,
            word_count=len(text.split()),
            decision=Decision(kind=DecisionKind.NEW, reason="new_story"),
        )
        article_id = articles.file(tx, filing, now)
        pages.finish(tx, page_id, Disposition.ARTICLE, "new_story", now, article_id=article_id)
        return article_id

    return go


@pytest.fixture
def shelf(store: Store, put: Put, add_source: Callable[..., Source], now: datetime) -> dict[int, str]:
    """A store with the texts in it; gives the name of each by its id."""
    with store.writing() as tx:
        source = add_source(tx)
        made = {put(tx, source, name, *content): name for name, content in TEXTS.items()}
    store.write(lambda tx: search.catch_up(tx, now))
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ferry", "fair ferry"),
        ("FERRIES", "fair ferry"),
        ("ferry title:strike", "ferry"),
        ('"ferry crews"', "ferry"),
        ('"crews ferry"', ""),
        ("strike -lightning", "ferry"),
        ('strike -"hit no"', "ferry"),
        ("crew boat", "fair"),
        ("hauser", "werft"),
        ("Haus", "werft"),
        ("Häusern language:de", "werft"),
        ("language:de", "werft"),
        ("language:en -ferry", ""),
        ("strike -source:harbour", ""),
        ("ferry source:harbour site:harbour.example", "fair ferry"),
        ("source:nobody ferry", ""),
        ("選挙", "senkyo"),
        ("知事", "senkyo"),
        ("知", "senkyo"),
        ("挙選", ""),
        ("हिन्दी", "chunav"),
        ("nowhere", ""),
        ("...", ""),
        ("'; DROP TABLE article; --", ""),
        ('ferry" OR "boats', ""),
        ("ferry & ! ( : * ^ <-> NEAR", ""),
    ],
)
def test_what_a_query_finds(store: Store, shelf: dict[int, str], query: str, found: str) -> None:
    with store.reading() as tx:
        hits = search.search(tx, parse(query))
    assert " ".join(sorted(shelf[hit.article_id] for hit in hits)) == found


def test_the_title_counts_more(store: Store, shelf: dict[int, str]) -> None:
    with store.reading() as tx:
        best, second = search.search(tx, parse("strike language:en"))
    assert (shelf[best.article_id], best.rank > second.rank) == ("ferry", True)


def test_newest_first_and_page_by_page(store: Store, shelf: dict[int, str]) -> None:
    with store.reading() as tx:
        hits = search.search(tx, parse("source:harbour"), newest=True)
        ids = [hit.article_id for hit in hits]
        assert ids == sorted(shelf, reverse=True)
        second = search.search(tx, parse("source:harbour"), newest=True, limit=2, offset=2)
        assert [hit.article_id for hit in second] == ids[2:4]


def test_days(store: Store, put: Put, add_source: Callable[..., Source], now: datetime) -> None:
    with store.writing() as tx:
        source = add_source(tx)
        for day in (8, 9, 10):
            put(
                tx,
                source,
                f"day-{day}",
                f"Day {day}",
                "The same words.",
                published_at=datetime(2026, 3, day, tzinfo=UTC),
            )
    store.write(lambda tx: search.catch_up(tx, now))
    with store.reading() as tx:
        hits = search.search(tx, parse("words after:2026-03-09 before:2026-03-10"))
        assert [reading.get(tx, hit.article_id).content.title for hit in hits] == ["Day 9"]
        assert len(search.search(tx, parse("after:2026-03-09"))) == 2


def test_the_index_goes_on_where_it_stopped(store: Store, shelf: dict[int, str], now: datetime) -> None:
    assert store.write(lambda tx: search.catch_up(tx, now)) == 0
    with store.reading() as tx:
        assert search.lag(tx) == 0
        assert [(one.name, one.lag) for one in consumers.listed(tx)] == [("search", 0)]


def test_a_withdrawn_text_leaves_the_index(store: Store, shelf: dict[int, str], now: datetime) -> None:
    ferry = next(number for number, name in shelf.items() if name == "ferry")
    with store.writing() as tx:
        withdrawals.mark(tx, ferry, "gone_410", now)
        hits = search.search(tx, parse("ferry"))
        assert [shelf[hit.article_id] for hit in hits] == ["fair"], "at once, before the index follows"
        assert search.lag(tx) == 1
        search.catch_up(tx, now)
    with store.reading() as tx:
        table = "article_search"
        assert tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == len(TEXTS) - 1


def test_an_erased_text_leaves_no_trace_in_the_index(store: Store, shelf: dict[int, str], now: datetime) -> None:
    with store.reading() as tx:
        page_id = erasure.page_at(tx, "https://harbour.example/ferry")
    erasure.erase(store, page_id, "legal request", now)
    with store.reading() as tx:
        assert [shelf[hit.article_id] for hit in search.search(tx, parse("ferry"))] == ["fair"]
        if tx.dialect.name == "sqlite":
            blocks = tx.exec_driver_sql("SELECT block FROM article_search_data").scalars()
            assert not any(b"harbour" in block for block in blocks)


def test_a_long_text_is_found_by_its_last_word(
    store: Store, put: Put, add_source: Callable[..., Source], now: datetime
) -> None:
    with store.writing() as tx:
        put(tx, add_source(tx), "long", "Long", "word " * 30_000 + "quagga")
        search.catch_up(tx, now)
        assert len(search.search(tx, parse("quagga"))) == 1


def test_snippets_show_the_words(store: Store, shelf: dict[int, str]) -> None:
    query = parse("boats")
    with store.reading() as tx:
        hit = search.search(tx, query)[0]
        shown = search.snippet(reading.get(tx, hit.article_id), query)
    assert [shown.text[start:end] for start, end in shown.marks] == ["boats"]


def test_a_snippet_has_one_blank_where_lines_met(store: Store, shelf: dict[int, str]) -> None:
    with store.reading() as tx:
        found = reading.get(tx, min(shelf))
    content = replace(found.content, text="It was late.\n\nThe  last\tboats  sailed.\n \nNobody saw the boats.")
    shown = search.snippet(replace(found, content=content), parse("boats"))
    assert shown.text == "It was late. The last boats sailed. Nobody saw the boats"
    assert [shown.text[start:end] for start, end in shown.marks] == ["boats", "boats"]


def test_a_snippet_of_a_text_without_the_words_is_its_beginning(store: Store, shelf: dict[int, str]) -> None:
    with store.reading() as tx:
        shown = search.snippet(reading.get(tx, min(shelf)), parse("source:harbour"))
    assert (shown.text[:12], shown.marks) == ("The harbour'", ())


def test_queries_are_read() -> None:
    query = parse('ferry -"small boats" title:strike language:de -source:wire after:2026-03-09')
    assert query == Query(
        wanted=(Wanted("ferry"), Wanted("strike", title=True)),
        unwanted=(Wanted("small boats"),),
        having=(("language", "de"),),
        lacking=(("source", "wire"),),
        after=datetime(2026, 3, 9, tzinfo=UTC),
    )
    assert parse("https://news.example/a").wanted == (Wanted("https://news.example/a"),)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "asks for nothing"),
        ("-ferry", "asks for nothing"),
        ("colour:red", "no field 'colour'"),
        ("after:yesterday", "must be a day"),
        ("-after:2026-01-01", "cannot be negated"),
    ],
)
def test_what_cannot_be_asked(query: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(query)


def test_terms_fold_case_accents_and_marks() -> None:
    assert [term.key for term in terms("Ça va, STRASSE straße!", None)] == ["ca", "va", "strasse", "strasse"]
    assert fold("كِتَابٌ") == fold("كتاب")
    assert [term.key for term in terms("東京都 Tokyo", "ja")] == ["東京", "京都", "tokyo"]


def test_consumers(store: Store, shelf: dict[int, str], now: datetime) -> None:
    with store.writing() as tx:
        consumers.add(tx, "mart", now)
        consumers.advance(tx, "mart", 0, 2, now)
        assert consumers.place(tx, "mart") == 2
        with pytest.raises(UsageError, match="already"):
            consumers.add(tx, "mart", now)
        with pytest.raises(StoreBusy, match="no more at 0"):
            consumers.advance(tx, "mart", 0, 3, now)
        with pytest.raises(UsageError, match="within the change feed"):
            consumers.reset(tx, "mart", 6, now)
        consumers.reset(tx, "mart", 0, now)
        assert [(one.name, one.lag) for one in consumers.listed(tx)] == [("mart", 5), ("search", 0)]
        consumers.remove(tx, "mart")
        for verb in (consumers.place, consumers.remove):
            with pytest.raises(NotFound, match="no consumer 'mart'"):
                verb(tx, "mart")
