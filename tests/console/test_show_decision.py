"""What `show` tells of a decision: with what an article was compared, who leads its cluster, what a version changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]


def lines(*rows: dict[str, str]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


@pytest.fixture
def story() -> str:
    """A text of several paragraphs."""
    return (
        "The crews of the harbour's ferries went back to work on Tuesday, after talks that ended a nine-day strike.\n\n"
        "We have a deal that lets people plan their lives, said Ada Quill, spokeswoman of the crews, at the port.\n\n"
        "The operator had cancelled 214 crossings, and islanders queued in the rain for the first boat before dawn.\n\n"
        "The agreement sets a limit of ten-hour shifts and pays a bonus for late changes, both sides told the town."
    )


def test_the_decision_and_what_was_compared_are_shown(cli: Cli, tmp_path: Path, story: str) -> None:
    first = {"url": "https://one.example/1", "title": "Ferry strike ends", "text": story}
    copy = {"url": "https://two.example/1", "title": "Boats sail again", "text": story.rpartition("\n\n")[0]}
    (tmp_path / "in.jsonl").write_text(lines(first, copy), "utf-8")
    cli("ingest", "in.jsonl")
    shown = cli("show", "https://two.example/1", "--why").stdout
    assert "near_duplicate" in shown
    assert "led by article 1 (most_complete)" in shown
    assert "containment" in shown


def test_the_difference_of_the_last_version_is_shown(cli: Cli, tmp_path: Path, story: str) -> None:
    row = {"url": "https://one.example/1", "title": "Ferry strike ends", "text": story}
    file = tmp_path / "in.jsonl"
    file.write_text(lines(row), "utf-8")
    cli("ingest", "in.jsonl")
    assert "one version only" in cli("show", "1", "--diff").stdout
    file.write_text(lines(row | {"text": story.replace("214", "241")}), "utf-8")
    cli("ingest", "in.jsonl")
    assert "[-214-]{+241+} crossings" in cli("show", "1", "--diff").stdout
