"""The command line as its users meet it: called with words in an empty folder, judged by what it prints."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from console.cli import main
from console.demo.newsroom import Newsroom

Cli = Callable[..., Result]
PRINT_DAY = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

SEED = """Ferry strike ends after night of talks

Ferry strike ends after night of talks

The harbour's ferry crews went back to work on Tuesday, after talks that ended a nine\u2011day strike over rosters.

"We have a deal that lets people plan their lives," said the crews' spokeswoman, Ada Quill, at the port office.

The operator had cancelled more than two hundred crossings. Islanders queued for the first boat before dawn.

The agreement sets a limit of ten\u2011hour shifts and pays a bonus for late changes, both sides said in a statement.

A vote of the crews is due within a month. Until then the old timetable applies on every route.

Read more"""
"""A text as people hand it in: the headline twice, non-breaking hyphens, a leftover link at the end."""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Calls the program in an empty folder and checks its exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, exit_code: int = 0, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, list(words), input=stdin)
        assert result.exit_code == exit_code, (result.output, result.stderr, result.exception)
        return result

    return call


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """The seed text as a file."""
    file = tmp_path / "seed.txt"
    file.write_text(SEED, encoding="utf-8")
    return file


@pytest.fixture
def rows(cli: Cli) -> Callable[..., list[Any]]:
    """The JSON lines that a call prints."""

    def call(*words: str, **expected: Any) -> list[Any]:
        return [json.loads(line) for line in cli(*words, "--json", **expected).stdout.splitlines()]

    return call


@pytest.fixture(scope="module")
def room() -> Iterator[Newsroom]:
    """A newsroom that a whole file of tests reads."""
    with Newsroom(PRINT_DAY) as newsroom:
        yield newsroom


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A plain HTTP client."""
    with httpx.Client(trust_env=False, headers={"User-Agent": "Copydesk-Test/1"}) as http:
        yield http


@pytest.fixture
def fresh() -> Iterator[Newsroom]:
    """A newsroom of one's own, to be advanced and asked for what happens once."""
    with Newsroom(PRINT_DAY) as newsroom:
        yield newsroom
