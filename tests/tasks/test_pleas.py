"""Boxes in which a newsroom asks its readers for money are no part of its article."""

from datetime import UTC, datetime

import pytest

from storage.records import Extracted
from tasks.extract.material import Material
from tasks.normalize import best, render
from tasks.pipeline import look

PARAGRAPHS = [
    "The council voted on Tuesday evening to move the weekly market from the square to the harbour for two years.",
    "Traders had asked for the move since the spring, when works on the old sewer under the square began in earnest.",
    "Supporters of the square said that older customers would find the longer way to the harbour hard in winter.",
    "The harbour master promised benches, a roof and a bus that stops at the gate on each day of the market.",
]
PLEA = {
    "en": "At the Courier we believe that news belongs to all. Support our newsroom with as little as two crowns.",
    "de": "Unser Journalismus kostet Geld. Unterstützen Sie unsere Arbeit schon ab zwei Kronen im Monat.",
    "fr": "Notre journalisme est libre parce que vous le payez. Soutenez notre travail dès deux couronnes.",
    "es": "Nuestro periodismo es libre porque tú lo pagas. Apóyanos desde dos coronas al mes, lector.",
}
MORE = "The very future of the town is decided this year, and a town that knows little decides badly, we find."


def text_of(markup: str) -> str:
    page = f"<html><body><article><h1>The market moves</h1>{markup}</article></body></html>"
    now = datetime(2026, 3, 1, tzinfo=UTC)
    seen = look(Material(url="https://a.example/1", status=200, headers=(), body=page.encode(), fetched_at=now))
    assert isinstance(seen, Extracted)
    body = best(seen.blocks)
    assert body is not None
    return render(body.value)


def prose(paragraphs: list[str]) -> str:
    return "".join(f"<div class='part'><p>{text}</p></div>" for text in paragraphs)


@pytest.mark.parametrize("language", PLEA)
def test_a_box_that_is_named_so_and_asks_for_money_goes_as_a_whole(language: str) -> None:
    box = f"<div class='c-support-courier__box'><h4>It is up to you</h4><p>{PLEA[language]}</p><p>{MORE}</p></div>"
    text = text_of(prose(PARAGRAPHS[:2]) + box + prose(PARAGRAPHS[2:]))
    assert all(paragraph in text for paragraph in PARAGRAPHS)
    assert PLEA[language] not in text
    assert MORE not in text


def test_a_box_that_is_named_so_and_asks_for_nothing_stays() -> None:
    told = "The bridge has stood on nine pillars of oak since the great flood, and each of them is looked at in spring."
    text = text_of(prose(PARAGRAPHS[:2]) + f"<div class='support'><p>{told}</p></div>" + prose(PARAGRAPHS[2:]))
    assert told in text


def test_an_article_in_an_element_that_is_named_so_stays() -> None:
    asked = "The town asks everybody to support our market: whoever comes by bus on the first day rides free of charge."
    text = text_of(f"<div class='membership-page'>{prose([*PARAGRAPHS, asked])}</div>")
    assert asked in text
    assert PARAGRAPHS[0] in text
