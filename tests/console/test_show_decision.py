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


def test_any_two_versions_are_compared(cli: Cli, tmp_path: Path, story: str) -> None:
    file = tmp_path / "in.jsonl"
    for text in (story, story.replace("214", "241"), story.replace("214", "241").replace("ten-hour", "nine-hour")):
        file.write_text(lines({"url": "https://one.example/1", "title": "Ferry strike ends", "text": text}), "utf-8")
        cli("ingest", "in.jsonl")
    second, both, back = (cli("show", "1", "--diff", which).stdout for which in ("2", "1:3", "3:1"))
    assert "[-214-]{+241+}" in second
    assert "nine-hour" not in second
    assert "[-214-]{+241+}" in both
    assert "{+nine-hour+}" in both
    assert "[-241-]{+214+}" in back
    assert "changed nothing" in cli("show", "1", "--diff", "1").stdout


@pytest.mark.parametrize(("which", "told"), [("7", "no version 7"), ("1:4", "no version 4"), ("one", "neither")])
def test_a_version_that_is_not_there_is_wrong_usage(
    cli: Cli, tmp_path: Path, story: str, which: str, told: str
) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(lines({"url": "https://one.example/1", "title": "Ferry strike ends", "text": story}), "utf-8")
    cli("ingest", "in.jsonl")
    result = cli("show", "1", "--diff", which, exit_code=2)
    assert told in result.stderr
