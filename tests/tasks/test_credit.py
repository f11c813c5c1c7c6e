from datetime import UTC, datetime
from typing import Any

import pytest

from storage.records import Clean, Provenance
from tasks.credit import COPY, OWN, UNCREDITED, credited, original

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def page(text: str = "The ferry is back.", **more: Any) -> Clean:
    return Clean(url="https://a.example/1", title="Ferry", text=text, blocks=(), fetched_at=NOW, **more)


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("(Reuters) - The ferry is back.", "Reuters"),
        ("NORRBY (AP) — The ferry is back.", "AP"),
        ("NORRBY, March 3 (Reuters) – The ferry is back.", "Reuters"),
        ("Norrby (dpa/lno) - Die Fähre fährt wieder.", "dpa"),
        ("Velden (AFP): Le ferry est de retour.", "AFP"),
        ("The ferry is back.\n\nSource: AFP", "AFP"),
        ("Die Fähre fährt wieder.\n\nQuelle: dpa", "dpa"),
        ("The ferry is back.\n\n(Xinhua)", "Xinhua"),
    ],
)
def test_a_credit_in_the_text_names_the_agency(text: str, agency: str) -> None:
    assert credited(page(text)) == (agency, COPY)


@pytest.mark.parametrize(
    "byline", ["Reuters", "Reuters/Jane Doe", "Jane Doe, Associated Press", "Agence France-Presse"]
)
def test_a_byline_names_the_agency(byline: str) -> None:
    agency, standing = credited(page(authors=(byline,)))
    assert agency is not None
    assert agency in byline
    assert standing == COPY


@pytest.mark.parametrize(
    "text",
    [
        "The ferry is back.",
        "The harbour office (closed since 2024) - is open again.",
        "A spokesman told Reuters that the ferry is back.",
        "The ferry is back.\n\nRead what Reuters wrote on it.",
        "",
    ],
)
def test_what_only_mentions_an_agency_is_no_credit(text: str) -> None:
    assert credited(page(text)) == (None, UNCREDITED)


def test_the_agency_itself_is_the_source_of_what_it_credits_to_itself() -> None:
    assert credited(page("(Reuters) - The ferry is back.", publisher="Reuters")) == ("Reuters", OWN)
    assert credited(page(publisher="Reuters")) == (None, OWN)
    assert credited(page("(AP) - The ferry is back.", publisher="Reuters")) == ("AP", COPY)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("https://b.example/2?utm_source=a", "https://b.example/2"),
        ("//b.example/2", "https://b.example/2"),
        ("x:", None),
    ],
)
def test_a_canonical_address_on_another_site_names_the_original(said: str, key: str | None) -> None:
    declared = Provenance(source="link:canonical", raw=said, confidence=0.9)
    assert original(page(provenance={"syndicated_from": declared})) == key
    assert original(page()) is None
