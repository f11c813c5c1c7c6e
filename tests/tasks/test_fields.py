"""Titles, people, dates, JSON-LD, links and recipes, each by itself."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from storage.errors import SettingsError
from storage.records import Hints, Precision
from tasks.extract import jsonld
from tasks.extract.dates import Dates, find_dates
from tasks.extract.datetext import Context, order_evidence, spot
from tasks.extract.document import parse
from tasks.extract.links import content_links, refresh_target
from tasks.extract.material import Material
from tasks.extract.people import distinct, split_names
from tasks.extract.recipes import load_recipes
from tasks.extract.titles import find_titles, without_site

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.tarn-post.example/local/lake"
NO_HINTS = Hints()


def dates_of(
    body: str, head: str = "", language: str = "en", url: str = URL, hints: Hints = NO_HINTS, zone: str = "UTC"
) -> Dates:
    document = parse(f"<html><head>{head}</head><body><article><h1>Lake</h1>{body}</article></body></html>", url)
    material = Material(url=url, status=200, headers=(), body=b"", fetched_at=NOW, hints=hints, timezone=zone)
    node = jsonld.article(document.jsonld, [url], ["Lake"])
    return find_dates(document, node, material, language, ())


def published(
    body: str, head: str = "", language: str = "en", url: str = URL, hints: Hints = NO_HINTS, zone: str = "UTC"
) -> str | None:
    found = dates_of(body, head, language, url, hints, zone).published
    return found[0].value.isoformat() if found else None


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Lake - a short story - opens in June - Local | Tarn Post", "Lake - a short story - opens in June"),
        ("Tarn Post: Lake opens", "Tarn Post: Lake opens"),
        ("Tarn Post | Lake opens", "Lake opens"),
        ("Lake opens in June – Tarn Post", "Lake opens in June"),
        ("Lake opens in June", "Lake opens in June"),
    ],
)
def test_site_name_comes_off(title: str, expected: str) -> None:
    assert without_site(title, frozenset({"tarn post", "tarn-post"})) == expected


def test_title_entities_are_decoded_as_often_as_encoded() -> None:
    head = '<meta property="og:title" content="Fish &amp;amp; chips: &amp;ldquo;record&amp;rdquo; year">'
    found = find_titles(parse(f"<html><head>{head}</head></html>", URL), None, None, ())
    assert found[0].value == "Fish & chips: “record” year"


def test_title_that_several_places_agree_on_wins() -> None:
    page = (
        "<title>Lake opens | Tarn Post</title><meta property='og:title' content='Lake opens'><body><h1>Newsletter</h1>"
    )
    assert find_titles(parse(page, URL), None, "Lake opens", ())[0].value == "Lake opens"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "By Anna Kowal and Piotr Ramsey, Business Correspondent | 4 March 2026, 09:15 | 3 min read",
            ["Anna Kowal", "Piotr Ramsey"],
        ),
        ("By ABBY NORBYE and RUBY O’DELL-STABY", ["ABBY NORBYE", "RUBY O’DELL-STABY"]),
        ("Von Jule Reimann", ["Jule Reimann"]),
        ("\u200fبقلم ليلى حداد\u200f", ["ليلى حداد"]),
        ("Clara Osei; Edwin Marsh", ["Clara Osei", "Edwin Marsh"]),
        ("Marsh, Edwin", ["Edwin Marsh"]),
        ("Jan de Vries", ["Jan de Vries"]),
        ("Reuters", []),
        ("https://www.tarn-post.example/staff/anna", []),
        ("Tarn Post Staff", []),
        ("Nick Levine, March 9", ["Nick Levine"]),
    ],
)
def test_names_in_a_byline(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_site_is_no_author() -> None:
    assert split_names("Tarn Post", frozenset({"tarn post"})) == []


def test_each_person_once_in_the_better_spelling() -> None:
    assert distinct(["ANNA KOWAL", "Anna Kowal", "Jon Reed"]) == ("Anna Kowal", "Jon Reed")


@pytest.mark.parametrize(
    ("text", "language", "at", "precision"),
    [
        ("4 March 2026, 09:15 GMT", "en", "2026-03-04T09:15:00+00:00", Precision.MINUTE),
        ("3 March 2026, 18:40 CET", "en", "2026-03-03T17:40:00+00:00", Precision.MINUTE),
        ("March 4th, 2026 at 9:15 a.m. ET", "en", "2026-03-04T14:15:00+00:00", Precision.MINUTE),
        ("4. März 2026, 18:40 Uhr", "de", "2026-03-04T18:40:00+00:00", Precision.MINUTE),
        ("le 4 mars 2026 à 18h40", "fr", "2026-03-04T18:40:00+00:00", Precision.MINUTE),
        ("4 de marzo de 2026", "es", "2026-03-04T00:00:00+00:00", Precision.DAY),
        ("٤ مارس ٢٠٢٦", "ar", "2026-03-04T00:00:00+00:00", Precision.DAY),
        ("2026年3月4日 9時15分", "ja", "2026-03-04T09:15:00+00:00", Precision.MINUTE),
        ("4 марта 2026", "ru", "2026-03-04T00:00:00+00:00", Precision.DAY),
        ("4 listopada 2025", "pl", "2025-11-04T00:00:00+00:00", Precision.DAY),
        ("04/03/2026", "en-gb", "2026-03-04T00:00:00+00:00", Precision.DAY),
        ("02/03/2026", "en-us", "2026-02-03T00:00:00+00:00", Precision.DAY),
        ("02.03.2026", "en-us", "2026-03-02T00:00:00+00:00", Precision.DAY),
        ("vor 2 Stunden", "de", "2026-03-10T10:00:00+00:00", Precision.MINUTE),
        ("5 minutes ago", "en", "2026-03-10T11:55:00+00:00", Precision.MINUTE),
        ("il y a 3 jours", "fr", "2026-03-07T00:00:00+00:00", Precision.DAY),
    ],
)
def test_dates_that_people_write(text: str, language: str, at: str, precision: Precision) -> None:
    found = list(spot(text, Context(now=NOW, zone=UTC, language=language)))
    assert [(spotted.at.isoformat(), spotted.precision) for spotted in found] == [(at, precision)]


@pytest.mark.parametrize(
    "text", ["12 September 2026", "31 February 2026", "a 3 min read", "version 1.2.2026.4", "3 to 4"]
)
def test_no_date_is_invented(text: str) -> None:
    assert list(spot(text, Context(now=NOW, zone=UTC, language="en"))) == []


def test_other_dates_of_the_page_tell_the_order() -> None:
    assert order_evidence("27/02/2026 and 19/02/2026") is False
    assert order_evidence("02/27/2026") is True
    assert order_evidence("27/02/2026 and 02/27/2026") is None
    context = Context(now=NOW, zone=UTC, language="en-us", month_first=lambda: False)
    assert next(spot("02/03/2026", context)).at == datetime(2026, 3, 2, tzinfo=UTC)


def test_local_day_begins_in_its_zone() -> None:
    context = Context(now=NOW, zone=ZoneInfo("Asia/Tokyo"), language="ja")
    assert next(spot("2026年3月4日", context)).at == datetime(2026, 3, 3, 15, tzinfo=UTC)


def test_updated_and_published_are_told_apart() -> None:
    found = dates_of("<p class='meta'>Updated: 6 March 2026, 16:20 GMT · First published: 4 March 2026, 09:15 GMT</p>")
    assert found.published[0].value.day == 4
    assert found.modified[0].value.day == 6


@pytest.mark.parametrize(
    "body",
    [
        "<footer><p>© 2026 Tarn Post</p></footer>",
        "<p class='date'>Copyright 4 March 2026</p>",
        "<aside><time datetime='2026-03-01'>1 March</time></aside>",
        "<p>An open day is planned for <time datetime='2026-02-12'>12 February</time> in the yard behind the library, "
        "if it is dry and nobody needs the place for cars.</p>",
        "<meta name='expires' content='2026-01-31'>",
    ],
)
def test_decoys_are_no_publication_date(body: str) -> None:
    assert published(body) is None


def test_epoch_milliseconds_in_json_ld() -> None:
    node = '{"@type":"NewsArticle","headline":"Lake","datePublished":1772615700000}'
    head = f'<script type="application/ld+json">{node}</script>'
    assert published("", head) == "2026-03-04T09:15:00+00:00"


def test_a_clock_time_goes_before_the_bare_day_it_falls_on() -> None:
    head = '<meta property="article:published_time" content="2026-03-04">'
    assert published("<p class='date'>Published 4 March 2026, 09:15</p>", head) == "2026-03-04T09:15:00+00:00"


def test_feed_and_address_are_the_last_witnesses() -> None:
    at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    assert published("", hints=Hints(published_at=at)) == at.isoformat()
    assert published("", url="https://www.tarn-post.example/2026/03/04/lake") == "2026-03-04T00:00:00+00:00"


BROKEN = """
<!--
{"@type": "NewsArticle", "headline": "Lake", /* a note */
 "description": "two
lines", "author": [{"@type": "Person", "name": "Oskar Lind"},],
 "datePublished": "2026-03-04T09:15:00Z",};
-->"""


def test_broken_json_is_mended() -> None:
    node = jsonld.parse(BROKEN)[0]
    assert (node["author"][0]["name"], node["datePublished"]) == ("Oskar Lind", "2026-03-04T09:15:00Z")


def test_fields_of_hopeless_json_are_salvaged() -> None:
    node = jsonld.parse(
        '{"headline": "He said "no" twice", "datePublished": "2026-03-04", "author": {"name": "Jo Ray"'
    )[0]
    assert (node["datePublished"], node["author"]) == ("2026-03-04", ["Jo Ray"])


def test_the_node_of_this_page_is_chosen_and_references_resolved() -> None:
    page = """<script type="application/ld+json">{"@graph": [
      {"name": "no type"}, {"@type": "NewsArticle", "url": "/local/other", "headline": "Other"},
      {"@type": "ItemList", "itemListElement":
        [{"item": {"@type": "NewsArticle", "url": "/local/lake", "headline": "Listed"}}]},
      {"@type": "NewsArticle", "mainEntityOfPage": {"@id": "https://tarn-post.example/local/lake/"}, "headline": "Lake",
       "author": {"@id": "#p"}}, {"@type": "Person", "@id": "#p", "name": "Rosa Denby"}]}</script>"""
    document = parse(page, URL)
    node = jsonld.article(document.jsonld, [URL], ["Lake opens"])
    assert node is not None
    assert (node["headline"], node["author"]["name"]) == ("Lake", "Rosa Denby")


def test_a_node_of_another_page_is_not_taken() -> None:
    document = parse(
        '<script type="application/ld+json">{"@type":"NewsArticle","url":"/x","headline":"Other"}</script>', URL
    )
    assert jsonld.article(document.jsonld, [URL], ["Lake opens"]) is None


@pytest.mark.parametrize(
    ("markup", "target"),
    [
        ("""<meta content="0; URL='/a'" http-equiv="Refresh">""", "https://www.tarn-post.example/a"),
        ('<meta http-equiv="refresh" content="900">', None),
        ('<meta http-equiv="refresh" content="900;url=/a">', None),
        (f'<meta http-equiv="refresh" content="0;url={URL}">', None),
        ('<noscript><meta http-equiv="refresh" content="0;url=/nojs"></noscript>', None),
        ('<meta http-equiv="refresh" content="0;url=javascript:x">', None),
        ('<meta http-equiv="refresh" content="x;;">', None),
    ],
)
def test_meta_refresh(markup: str, target: str | None) -> None:
    assert refresh_target(parse(f"<html><head>{markup}</head><body>x</body></html>", URL)) == target


def test_content_links_leave_the_frame_out() -> None:
    page = (
        '<nav><a href="/n">n</a></nav><main><a href=" /a\n ">a</a><a href="#top">t</a>'
        '<a href="mailto:x@y.example">m</a></main>'
    )
    assert content_links(parse(page, URL)) == ("https://www.tarn-post.example/a",)


def test_recipes_are_read(tmp_path: Path) -> None:
    file = tmp_path / "recipes.toml"
    file.write_text('[tarn]\nsite = "tarn-post.example"\nbody = "div.text"\nremove = [".ad", "aside"]\n')
    recipe = load_recipes(file)["tarn"]
    assert (recipe.site, recipe.body, recipe.remove) == ("tarn-post.example", ("div.text",), (".ad", "aside"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a]\nbdy = 'p'", "a.bdy"),
        ("[a]\nbody = 3", "a.body"),
        ("[a]\nbody = 'p['", "a.body"),
        ("a = 1", "a must"),
        ("[a", "cannot be read"),
    ],
)
def test_wrong_recipes_are_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "recipes.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=named) as caught:
        load_recipes(file)
    assert str(file) in str(caught.value)
