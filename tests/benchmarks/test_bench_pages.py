"""The invented million in small: its books balance, each page of the benchmark is there, rare filters have a way."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from benchmarks.pages.__main__ import NotServed, wait_for
from benchmarks.pages.fill import Scale, fill
from benchmarks.pages.visits import pages, visit
from benchmarks.pages.wording import chosen, wordings
from benchmarks.served import served
from benchmarks.servers import postgres_database
from console.web import create_app
from console.web.secrets import digest
from storage import accounts, audit, reading, search, sifting
from storage.database import Tx
from storage.filters import Filter
from storage.query import parse
from storage.records import Access, Article
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

NOW = datetime.now(UTC).replace(microsecond=0)
SCALE = Scale(1_000, 60, NOW)
TEXTS = wordings(60)
"""Fewer texts than the benchmark has, so that no word is rare but the marks of single articles."""
Stocked = tuple[Store, Settings]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stocked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stocked]:
    """A small store as the benchmark fills it, for all tests; they only read."""
    with ExitStack() as stack:
        url: str | None = ""
        if request.param == "postgresql":
            patched = stack.enter_context(pytest.MonkeyPatch.context())
            patched.setenv("TEST_DATABASE_URL", request.getfixturevalue("postgres_url"))
            url = stack.enter_context(postgres_database())
        folder = tmp_path_factory.mktemp("pages")
        settings = load_settings({"data": folder, "database": url}, environ={}, file=folder / "none.toml")
        store = stack.enter_context(closing(open_store(settings)))
        fill(store, SCALE, TEXTS)
        store.write(lambda tx: accounts.add_token(tx, "ada", digest("cd_ada"), accounts.Scope.ADMIN, NOW))
        yield store, settings


@pytest.fixture
def store(stocked: Stocked) -> Store:
    """The store alone."""
    return stocked[0]


def test_every_page_is_to_be_had_of_the_invented_store(stocked: Stocked) -> None:
    paths = pages(SCALE, chosen(TEXTS))
    caller = {"headers": {"Authorization": "Bearer cd_ada"}, "trust_env": False, "timeout": 60}
    with served(create_app(*stocked)) as address, httpx.Client(base_url=address, **caller) as client:  # type: ignore[arg-type]
        found = visit(client, paths, 1)
        shown = client.get(paths["/articles?q=word of one article"]).text
        listed = client.get(paths["/api/articles by language"]).json()["articles"]
    assert found.keys() == paths.keys()
    assert len(paths) > 60
    assert "<mark>zq500</mark>" in shown
    assert {one["language"] for one in listed} == {"sv"}


def test_a_server_that_does_not_start_is_told_in_one_line() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as server, httpx.Client() as client:
        server.wait()
        with pytest.raises(NotServed, match=r"^`copydesk web` did not start: it ended with exit code 3; "):
            wait_for(client, server)


def test_the_books_of_the_invented_store_balance(store: Store) -> None:
    with store.reading() as tx:
        found = audit.balance(tx)
        assert found.balanced
        assert found.articles == SCALE.articles
        assert {one.source for one in reading.listed(tx, limit=2000)} > {"source-000001", "source-000030"}
        assert search.lag(tx) == 3


@pytest.mark.parametrize("stocked", ["postgresql"], indirect=True)
def test_a_filter_that_few_articles_pass_has_an_index(store: Store) -> None:
    ways = {
        "language": Filter(language="eu"),
        "publisher": Filter(publisher="The Daily 59"),
        "section": Filter(section="gardening"),
        "access": Filter(access=Access.CONSENT),
        "published_at": Filter(published_since=NOW - timedelta(days=1)),
        "first_seen": Filter(seen_since=NOW - timedelta(days=1)),
    }
    for name, having in ways.items():
        plans = "\n".join(plan(store, lambda tx, having=having: reading.listed(tx, having=having)))  # type: ignore[misc]
        assert f"_{name}_ix" in plans, (name, plans)


def test_of_many_that_match_the_newest_are_weighed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "RANKED", 30)
    common = chosen(TEXTS).common
    with store.reading() as tx:
        found = search.search(tx, parse(common), limit=50)
        assert len(found) == 30
        assert min(hit.article_id for hit in found) > SCALE.articles - 60
        assert [hit.rank for hit in found] == sorted((hit.rank for hit in found), reverse=True)
        day = NOW - timedelta(days=365)
        old = search.search(tx, parse(f"{common} before:{day:%Y-%m-%d}"), limit=50)
        published = [one.content.published_at for one in reading.some(tx, [hit.article_id for hit in old])]
    assert len(old) == 30
    assert all(day - timedelta(days=60) < at < day for at in published if at)


def test_a_phrase_of_frequent_words_is_looked_for_in_the_newest_articles(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = Counter(pair for one in TEXTS for pair in set(pairwise(one.text.split())) if all(map(str.isalpha, pair)))
    phrase = '"{} {}"'.format(*pairs.most_common(1)[0][0])
    year = f"{NOW - timedelta(days=365):%Y-%m-%d}"
    queries = [parse(phrase), parse(f"{phrase} before:{year}"), parse(f"{phrase} section:gardening"), parse("zq500")]
    with store.reading() as tx:
        every, old = ({hit.article_id for hit in search.search(tx, one, limit=999)} for one in queries[:2])
        monkeypatch.setattr(sifting, "SIFTED", 40)
        few, few_old, none, one = ({hit.article_id for hit in search.search(tx, asked, limit=999)} for asked in queries)
        assert (len(none), len(one)) == (0, 1), "a rare word is looked for in all"
    if store.engine.dialect.name == "sqlite":
        assert (few, few_old) == (every, old), "its index knows where the words stand"
        return
    for found, whole in ((few, every), (few_old, old)):
        assert 5 < len(found) <= 40 < len(whole)
        assert found == set(sorted(whole)[-len(found) :]), "the newest of them"


@pytest.mark.parametrize("stocked", ["postgresql"], indirect=True)
def test_the_newest_with_a_rare_word_come_from_its_index_and_with_a_frequent_one_from_the_last_article_on(
    store: Store,
) -> None:
    def ways(word: str) -> str:
        return "\n".join(plan(store, lambda tx: search.search(tx, parse(word), limit=1, newest=True)))

    assert "Backward using article_search_pk" in ways(chosen(TEXTS).common)
    assert "article_id + 0" in ways("zq500"), "no order that an index over all articles has"


def plan(store: Store, ask: Callable[[Tx], object]) -> list[str]:
    """How PostgreSQL goes about each statement of a question."""
    asked: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.reading() as tx:
        ask(tx)
    event.remove(store.engine, "before_cursor_execute", note)
    with store.reading() as tx:
        selects = [one for one in asked if one[0].startswith("SELECT")]
        return [row[0] for one, values in selects for row in tx.exec_driver_sql(f"EXPLAIN {one}", values)]


YEAR, DAY = NOW - timedelta(days=365), NOW - timedelta(days=1)
FILTERS = (
    Filter(),
    Filter(source="source-000002"),
    Filter(language="sv", access=Access.METERED),
    Filter(section="sport"),
    Filter(primary=True),
    Filter(primary=False),
    Filter(published_since=DAY),
    Filter(published_since=YEAR, published_until=YEAR + timedelta(days=30)),
    Filter(published_until=YEAR, section="sport"),
    Filter(seen_since=YEAR),
    Filter(seen_since=NOW + timedelta(days=1)),
)


@pytest.mark.parametrize("few", [0, 100_000], ids=["walked", "sorted"])
def test_each_filter_lets_the_right_articles_through_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(reading, "_FEW", few)
    with store.reading() as tx:
        everything = reading.listed(tx, limit=5_000)
        for having in FILTERS:
            right = [one.id for one in everything if passes(one, having)]
            assert pages_of(tx, having) == right, having
            down = [one.id for one in reading.newest(tx, before=700, limit=20, having=having)]
            assert down == [one for one in reversed(right) if one < 700][:20], having


def pages_of(tx: Tx, having: Filter) -> list[int]:
    """All ids of a list, page by page."""
    found: list[int] = []
    while some := reading.listed(tx, after=found[-1] if found else 0, limit=150, having=having):
        found += [one.id for one in some]
    return found


def passes(one: Article, having: Filter) -> bool:
    told = one.content
    wanted = (
        (having.source, one.source),
        (having.language, told.language),
        (having.access, told.access),
        (having.section, told.section),
        (having.primary, one.is_primary),
    )
    assert told.published_at
    return (
        all(asked in (None, given) for asked, given in wanted)
        and (having.published_since or told.published_at) <= told.published_at
        and told.published_at < (having.published_until or NOW)
        and (having.seen_since or one.first_seen) <= one.first_seen
    )
