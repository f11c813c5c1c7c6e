"""What a source's entry says of its articles: language and publisher where the page does not say, and a recipe."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from storage import pages, reading
from storage.codec import to_plain
from storage.records import Article, SourceConfig
from storage.settings import Settings
from storage.store import Store
from storage.tables import source
from tasks.extract.recipes import Recipe
from tasks.process import process_page

Fetch = Callable[..., int]

STORY = (
    "Zyx qwo plim tranu ostel vard mion kreft, olus tam nivé brack loden pess urin dallo.",
    "Brafo slint comu perad wex, illo trask venom dury apel nost gromi balu fenk stora.",
    "Kelm ovar tisk lunde prao mesk, ruvo dalt sien hoper walu grint eska molv tarin.",
)
PAGE = (
    "<!doctype html><html{lang}><head><title>Ostel vard mion</title></head><body><main><article>"
    "<h1>Ostel vard mion</h1><h2 class='real'>Kelm ovar tisk</h2>{body}</article></main></body></html>"
)


def filed(store: Store, fetched: Fetch, now: datetime, lang: str = "", **config: Any) -> Article:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)
    page_id = fetched("https://harbour.example/2026/03/ostel", PAGE.format(lang=lang, body=body))
    with store.writing() as tx:
        named = SourceConfig(name="harbour.example", url="https://harbour.example/feed.xml", **config)
        tx.execute(update(source).values(config=to_plain(named)))
    recipes = {"odd": Recipe(name="odd", title=("h2.real",))}
    process_page(store, page_id, now=now, recipes=recipes, settings=Settings())
    with store.reading() as tx:
        article_id = pages.get(tx, page_id).article_id
        assert article_id is not None
        return reading.get(tx, article_id)


@pytest.mark.parametrize(("lang", "expected"), [("", "fo"), (" lang='sv'", "sv")])
def test_the_sources_language_holds_where_the_page_names_none(
    store: Store, fetched: Fetch, now: datetime, lang: str, expected: str
) -> None:
    assert filed(store, fetched, now, lang, language="fo").content.language == expected


def test_the_sources_publisher_holds_where_the_page_names_none(store: Store, fetched: Fetch, now: datetime) -> None:
    assert filed(store, fetched, now, publisher="The Harbour Times").content.publisher == "The Harbour Times"


@pytest.mark.parametrize(("recipe", "title"), [(None, "Ostel vard mion"), ("odd", "Kelm ovar tisk")])
def test_the_recipe_that_a_source_names_reads_its_pages(
    store: Store, fetched: Fetch, now: datetime, recipe: str | None, title: str
) -> None:
    assert filed(store, fetched, now, recipe=recipe).content.title == title
