"""`copydesk search` and `copydesk consumers` as people call them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]
Rows = Callable[..., list[Any]]


@pytest.fixture
def shelf(cli: Cli, seed: Path) -> None:
    """A store with one article, which no index knows yet."""
    cli("ingest", "--url", "https://harbour.example/ferry", str(seed))


@pytest.mark.usefixtures("shelf")
def test_search_finds_what_has_just_come(cli: Cli) -> None:
    shown = cli("search", "crews", "-snow").stdout
    assert "Ferry strike ends after night of talks" in shown
    assert "crews went back to work" in shown
    assert cli("search", "snow").stdout == ""


@pytest.mark.usefixtures("shelf")
def test_search_for_programs(rows: Rows) -> None:
    found = rows("search", "rosters")[0]
    start, end = found["snippet"]["marks"][0]
    assert (found["url"], found["snippet"]["text"][start:end]) == ("https://harbour.example/ferry", "rosters")


@pytest.mark.usefixtures("shelf")
def test_a_wrong_query_is_told_what_is_wrong(cli: Cli) -> None:
    assert "there is no field 'colour'" in cli("search", "colour:red", exit_code=2).stderr


@pytest.mark.usefixtures("shelf")
def test_places_of_readers(cli: Cli, rows: Rows) -> None:
    cli("consumers", "add", "warehouse")
    assert [(one["name"], one["seq"], one["lag"]) for one in rows("consumers", "list")] == [("warehouse", 0, 1)]
    cli("consumers", "reset", "warehouse", "--to", "1")
    assert "warehouse" in cli("consumers", "list").stdout
    cli("consumers", "remove", "warehouse")
    assert rows("consumers", "list") == []
    assert "no consumer 'warehouse'" in cli("consumers", "remove", "warehouse", exit_code=1).stderr
