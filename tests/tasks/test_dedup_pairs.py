"""What the second text of a pair is to the first, case by case; each names the rule that it stands for."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage.records import Access, Clean, Decision, Known, Neighbour
from tasks.decide import decide
from tasks.fingerprint import fingerprint

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CASES = tomllib.loads((Path(__file__).parent / "dedup_pairs.toml").read_text("utf-8"))
PAIRS: list[dict[str, Any]] = CASES["pairs"]
ACROSS = [pair for pair in PAIRS if not pair.get("same_url") and not pair.get("same_site")]


def first_of(pair: dict[str, Any]) -> Clean:
    story = CASES["stories"][pair["a"]]
    parts = [*story["text"].strip().split("\n\n")[: pair.get("a_cut")], pair.get("notice")]
    access = Access(pair.get("a_access", "free"))
    return page(story["title"], "\n\n".join(filter(None, parts)), access=access)


def second_of(pair: dict[str, Any]) -> Clean:
    story = CASES["stories"][pair.get("b", pair["a"])]
    text = story["text"].strip()
    for old, new in pair.get("replace", ()):
        assert old in text, f"{pair['name']}: nothing to replace"
        text = text.replace(old, new)
    parts = text.split("\n\n")[: pair.get("cut")]
    parts = [parts[number - 1] for number in pair.get("order", range(1, len(parts) + 1))]
    around = (pair.get("before"), *parts, pair.get("after"), pair.get("notice"))
    whole = "\n\n".join(filter(None, around))
    access = Access(pair.get("access", "free"))
    return page(pair.get("title", story["title"]), pair.get("text", whole), access=access)


def page(title: str, text: str, **more: Any) -> Clean:
    return Clean(url="https://new.example/1", title=title, text=text, blocks=(), fetched_at=NOW, **more)


def judged(new: Clean, old: Clean, pair: dict[str, Any]) -> Decision:
    made = fingerprint(old)
    place: dict[str, Any] = {"article_id": 7, "cluster_id": 70, "site": "old.example", "published_at": None}
    known, near = None, []
    if pair.get("same_url"):
        known = Known(
            **place, url=new.url, version=1, fingerprint=made, text=old.text, title=old.title, access=old.access
        )
    else:
        near = [Neighbour(**place, url="https://old.example/1", fingerprint=made)]
    site = "old.example" if pair.get("same_site") else "new.example"
    lines = pair.get("boilerplate", ())
    return decide(new, fingerprint(new), same_url=known, others=near, site=site, boilerplate=lines)


def test_there_are_cases_enough_and_no_two_of_one_name() -> None:
    assert len({pair["name"] for pair in PAIRS}) == len(PAIRS) >= 80


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["name"] for pair in PAIRS])
def test_a_pair_is_decided_as_its_rule_says(pair: dict[str, Any]) -> None:
    decision = judged(second_of(pair), first_of(pair), pair)
    assert decision.reason == pair["expect"], decision.evidence


@pytest.mark.parametrize("pair", ACROSS, ids=[pair["name"] for pair in ACROSS])
def test_of_two_articles_either_may_come_first(pair: dict[str, Any]) -> None:
    one, other = judged(second_of(pair), first_of(pair), pair), judged(first_of(pair), second_of(pair), pair)
    assert (one.reason, one.similarity) == (other.reason, other.similarity)


@pytest.mark.parametrize("pair", ACROSS, ids=[pair["name"] for pair in ACROSS])
def test_keys_lead_from_each_near_duplicate_to_the_other(pair: dict[str, Any]) -> None:
    shared = set(fingerprint(first_of(pair)).keys) & set(fingerprint(second_of(pair)).keys)
    assert len(shared) >= 2 or pair["expect"] != "near_duplicate"
