"""Authors as templates declare them: names in parts, lists in disguise, encoded twice, in broken JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.extract import article_node
from tasks.extract.document import parse
from tasks.extract.jsonld import parse as read_json
from tasks.extract.material import Material
from tasks.extract.people import authors

URL = "https://www.tarnpost.example/local/lake"


def named(author: Any, body: str = "") -> tuple[str, ...]:
    facts = {"@type": "NewsArticle", "headline": "Ferry to run all winter", "author": author}
    script = f'<script type="application/ld+json">{json.dumps(facts)}</script>' if author else ""
    document = parse(f"<html><head>{script}</head><body>{body}</body></html>", URL)
    material = Material(url=URL, status=200, headers=(), body=b"", fetched_at=datetime(2026, 3, 10, tzinfo=UTC))
    return next((found.value for found in authors(document, article_node(document), material, (), frozenset())), ())


@pytest.mark.parametrize(
    "author",
    [
        [{"@type": "Person", "givenName": "Anna", "familyName": "Kowal"}, "Toby Selby"],
        {"0": {"@type": "Person", "name": "Anna Kowal"}, "1": {"@type": "Person", "name": "Toby Selby"}},
        '[{"@type": "Person", "name": "Anna Kowal"}, {"@type": "Person", "name": "Toby Selby"}]',
        "By Anna Kowal and Toby Selby, The Tarn Post",
    ],
)
def test_declared_persons(author: Any) -> None:
    assert named(author) == ("Anna Kowal", "Toby Selby")


@pytest.mark.parametrize(
    "author", ["The Tarn Post, Tarn Valley", "{not json", {"@type": "Person", "givenName": "Anna"}]
)
def test_what_names_no_person(author: Any) -> None:
    assert named(author) == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("<p>【岬支局・森川あや】</p>", ("森川あや",)),
        ("<p>文・髙木蓮　写真・佐野涼</p>", ("髙木蓮",)),
        ("<p>来源：石矿日报 记者：王晓白 责任编辑：张石</p>", ("王晓白",)),
        ("<p class='reporter'>김바이 기자 kimby@tarnpost.example</p>", ("김바이",)),
        ("<p class='byline'>Text: Anna Kowal <a>anna@tarnpost.example</a> Foto: Tex Bylund</p>", ("Anna Kowal",)),
        ("<p class='author'>Текст: Анна Коваль, Пётр Рамси. Фото: Ольга Снимкова</p>", ("Анна Коваль", "Пётр Рамси")),
        ("<p class='author'>Anna Kowal | Corresponsal en Vega</p>", ("Anna Kowal",)),
        ("<p class='author'>Anna Kowal / Tarnby</p>", ("Anna Kowal",)),
        ("<p class='autor'>Von Anna Kowal (Text) sowie Toby Selby (Bilder)</p>", ("Anna Kowal", "Toby Selby")),
        ("<p class='author'>โดย สมชาย ใจดี</p>", ("สมชาย ใจดี",)),
        ("<p class='author'>By: डिजिटल डेस्क</p>", ()),
        ("<p class='byline'>As told to Anna Kowal</p>", ("Anna Kowal",)),
    ],
)  # fmt: skip
def test_lines_with_other_labels_and_towns(line: str, names: tuple[str, ...]) -> None:
    assert named(None, f"<main><h1>Ferry to run all winter</h1>{line}</main>") == names


@pytest.mark.parametrize(
    "text",
    [
        r"""{"headline": "The pier\'s boiler", "author": {"name": "Toby O\'Dell"}}""",
        r"""{'headline': 'The pier\'s boiler', 'author': {'name': 'Toby O\'Dell'},}""",
    ],
)
def test_the_quotation_marks_of_scripts(text: str) -> None:
    assert read_json(text) == [{"headline": "The pier's boiler", "author": {"name": "Toby O'Dell"}}]


def test_a_double_quotation_mark_between_single_ones() -> None:
    assert read_json("""{'headline': 'The "quiet" year'}""") == [{"headline": 'The "quiet" year'}]
