"""The place a report is dated from is told from the first words of other texts."""

import pytest

from storage.records import Block, BlockKind
from tasks.extract.dateline import datelines


def places(text: str, declared: str | None = None) -> list[str]:
    blocks = (
        Block(kind=BlockKind.HEADING, text="NOWHERE — a heading", level=2),
        Block(kind=BlockKind.PARAGRAPH, text=text),
    )
    node = {"dateline": declared} if declared else None
    return [finding.value for finding in datelines(node, blocks)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("LONDON (Reuters) - The harbour closed.", "LONDON"),
        ("LONDON, March 3 (Reuters) - The harbour closed.", "LONDON"),
        ("NEW YORK (AP) — The harbour closed.", "NEW YORK"),
        ("RAFAH, Gaza Strip (AP) — The road was open.", "RAFAH, Gaza Strip"),
        ("JEDDAH, Saudi Arabia -- If there was any doubt.", "JEDDAH, Saudi Arabia"),
        ("SAN FRANCISCO, Calif. — The fog lifted.", "SAN FRANCISCO, Calif."),
        ("HOUSTON, Texas (KTRK) -- A shop has opened.", "HOUSTON, Texas"),
        ("CAIRO — The museum opened.", "CAIRO"),
        ("ST. LOUIS — A chase ended.", "ST. LOUIS"),
        ("Berlin (dpa/lsw) - Der Hafen ist zu.", "Berlin"),
        ("Frankfurt am Main (dpa) – Der Hafen ist zu.", "Frankfurt am Main"),
        ("Bogotá (dpa). Der Hafen ist zu.", "Bogotá"),
        ("Paris, 3 mars (AFP) - Le port est fermé.", "Paris"),
        ("МОСКВА, 5 мая — Порт закрыт.", "МОСКВА"),
        ("新华社北京3月4日电 港口今天关闭。", "北京"),
    ],
)
def test_a_place_is_read_as_it_is_printed(text: str, place: str) -> None:
    assert places(text) == [place]


@pytest.mark.parametrize(
    "text",
    [
        "The Dixie Chicks — formerly a trio — sing.",
        "Babe, wake up — the sale is here.",
        "BREAKING — The harbour closed.",
        "NATO – The alliance met.",
        "DALLA NOSTRA CORRISPONDENTE NEW YORK - La nave è arrivata.",
        "Kiel (dpo) - Der Hafen ist zu.",
        "Hermitian matrix (AP) is a term.",
        "The agency (AP) reported it.",
        "In 2024 — a year of storms — it rose.",
        "A – B",
        "",
    ],
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert places(text) == []


def test_the_declared_place_comes_first_unless_it_is_a_day() -> None:
    assert places("CAIRO — The museum opened.", "Giza, Egypt") == ["Giza, Egypt", "CAIRO"]
    assert places("CAIRO — The museum opened.", "12/21/2023 at 13:30") == ["CAIRO"]
