"""Pages of kinds that few sites have: other calendars and marks, parts of JSON-LD, the frame of a headline."""

import json
import unicodedata
from datetime import UTC, date, datetime
from typing import Any

import pytest

from storage.records import Hints
from tasks.extract import article_node
from tasks.extract.dates import Dates, find_dates
from tasks.extract.datetext import Context, spot
from tasks.extract.document import parse
from tasks.extract.junk import is_junk
from tasks.extract.language import languages
from tasks.extract.material import Material
from tasks.extract.people import bylines
from tasks.extract.titles import find_titles, site_names
from tasks.text import clean_line

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
URL = "https://www.tarn-post.example/local/ferry"
H1 = "<h1>Ferry to run all winter</h1>"
CROATIAN = (
    "Bibliobus će od idućeg tjedna ponovno stajati u brdskim selima, godinu i pol nakon što je staro vozilo palo na "
    "provjeri kočnica ispred škole. Volonteri su u travnju obojili police, a županija je ustupila vozačicu Morvenu "
    "Pikić, koja je odrasla uz cestu i kaže da zna svaka vrata."
)


def material() -> Material:
    return Material(url=URL, status=200, headers=(), body=b"", fetched_at=NOW, hints=Hints())


def dates_of(body: str, head: str = "") -> Dates:
    document = parse(f"<html><head>{head}</head><body>{body}</body></html>", URL)
    return find_dates(document, article_node(document), material(), "", ())


def authors_of(body: str, head: str = "") -> list[str]:
    document = parse(f"<html><head>{head}</head><body>{body}</body></html>", URL)
    node = article_node(document)
    found = bylines(document, node, material(), (), site_names(document, node)).authors
    return list(found[0].value) if found else []


def title_of(body: str, title: str) -> str:
    document = parse(f"<html><head><title>{title}</title></head><body>{body}</body></html>", URL)
    return find_titles(document, article_node(document), None, ())[0].value


def json_ld(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("14 Apr ’26", date(2026, 4, 14)),
        ("中華民國115年4月14日", date(2026, 4, 14)),
        ("民国99年1月2日", date(2010, 1, 2)),
    ],
)
def test_years_written_otherwise(text: str, day: date) -> None:
    assert [one.at.date() for one in spot(text, Context(now=NOW, zone=UTC))] == [day]


def test_the_label_in_the_cell_before_tells_which_date_it_is() -> None:
    rows = "".join(
        f"<tr><td>{label}</td><td>{day}</td></tr>"
        for label, day in (("Última atualização", "14/04/2026"), ("Publicado", "11/04/2026"))
    )
    dates = dates_of(f"<article>{H1}<table>{rows}</table></article>")
    assert dates.published[0].value.day == 11
    assert dates.modified[0].value.day == 14


def test_the_node_of_the_page_tells_its_last_change() -> None:
    page = {"@type": "WebPage", "datePublished": "2026-04-11T08:00:00Z", "dateModified": "2026-04-14T09:00:00Z"}
    dates = dates_of(f"<article>{H1}</article>", json_ld(page))
    assert dates.modified[0].value == datetime(2026, 4, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize("key", ["published_at:1776151800", '"display_date":"2026-04-14T07:30:00Z"'])
def test_the_date_in_a_script(key: str) -> None:
    dates = dates_of(f"<article>{H1}</article><script>window.__NUXT__={{a:{{id:1,{key},b:2}}}}</script>")
    assert dates.published[0].value == datetime(2026, 4, 14, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "author",
    [
        {"@type": "Role", "roleName": "reporter", "author": {"@type": "Person", "name": "Anna Kowal"}},
        [[{"@type": "ListItem", "item": {"@type": "Person", "name": "Anna Kowal"}}]],
    ],
)
def test_the_person_inside_a_role_or_a_list_item(author: Any) -> None:
    assert authors_of(H1, json_ld({"@type": "NewsArticle", "headline": "Ferry", "author": author})) == ["Anna Kowal"]


def test_json_ld_that_was_encoded_twice() -> None:
    inner = json.dumps({"@type": "NewsArticle", "headline": "Ferry", "author": {"name": "Anna Kowal"}})
    assert authors_of(H1, json_ld(inner)) == ["Anna Kowal"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (
            "<div class='byline'><span class='name'>Anna Kowal</span><span class='role'>Editor</span></div>",
            ["Anna Kowal"],
        ),
        ("<div><a href='/@anna'>Anna Kowal</a><button>Follow</button></div>", ["Anna Kowal"]),
        ("<div class='author'>記者王小波／山城報導</div>", ["王小波"]),
        (
            unicodedata.normalize("NFD", "<p class='author'>Napísal: Jozef Kováč</p><p>Žena číta ďalšiu knižku</p>"),
            ["Jozef Kováč"],
        ),
    ],
)
def test_bylines_of_several_parts(body: str, names: list[str]) -> None:
    assert authors_of(f"<article>{H1}{body}</article>") == names


def test_an_account_elsewhere_is_no_writers_page() -> None:
    assert authors_of(f"<article>{H1}<div><a href='https://video.example/@tarn'>Our Channel</a></div></article>") == []


def test_a_stroke_after_markup_stays_apart_from_it() -> None:
    assert parse("<p>\u0338" + " a\u0301" * 10 + "</p>", URL).tree.xpath("string(//p)") == "\u0338" + " \u00e1" * 10


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("", "Tarn Post: Ferry to run all winter"),
        ("", "Tarn Post - Ferry to run all winter - Tarn Post"),
        ("<h1>Ferry to run all winter <a href='#comments'>(3)</a></h1>", "Ferry to run all winter"),
    ],
)
def test_the_frame_of_a_headline_goes(body: str, title: str) -> None:
    assert title_of(body, title) == "Ferry to run all winter"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("", "Ferry: a winter of storms"),
        ("<h1>Ferry fares in <a href='#note'>2026</a> (part 3)</h1>", "Ferry fares in 2026 (part 3)"),
    ],
)
def test_what_belongs_to_a_headline_stays(body: str, title: str) -> None:
    assert title_of(body, title) == title


def test_a_label_that_the_text_rules_out_loses_even_where_two_languages_are_close() -> None:
    document = parse("<html lang='en-US'><body></body></html>", URL)
    assert languages(document, material(), CROATIAN)[0].value == "hr"


def test_a_label_of_a_close_language_stays() -> None:
    document = parse("<html lang='bs'><body></body></html>", URL)
    assert languages(document, material(), CROATIAN)[0].value == "bs"


def test_icons_of_a_font_are_no_text() -> None:
    assert clean_line("\ue80a Ferry to run") == "Ferry to run"


@pytest.mark.parametrize(("line", "junk"), [("扫描二维码关注我们的公众号", True), ("relatedness of the two", False)])
def test_words_without_edges(line: str, junk: bool) -> None:
    assert is_junk(line) is junk


def test_the_day_before_yesterday_holds_no_yesterday() -> None:
    assert [one.at.day for one in spot("avant-hier à 18:20", Context(now=NOW, zone=UTC))] == [13]
