"""`copydesk prune` says what goes, lets it go, and may be stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text

from storage import pruning
from storage.settings import load_settings
from storage.store import open_store

Cli = Callable[..., Result]
SHORT = ("--set", "keep_archive_days=30", "--set", "keep_sightings_days=30", "prune")
NOTHING = {"polls": 0, "sightings": 0, "versions": 0, "bodies": 0, "archive_files": 0, "postings": 0}


@pytest.fixture
def old(cli: Cli, seed: Path, tmp_path: Path) -> None:
    """An article that was read long ago."""
    cli("ingest", str(seed))
    store = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    long_ago = "2020-03-10T12:00:00.000000Z"
    with store.writing() as tx:
        for change in ("snapshot SET fetched_at", "page SET done_at", "sighting SET last_seen"):
            tx.execute(text(f"UPDATE {change} = '{long_ago}'"))
    store.close()


def told(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.mark.usefixtures("old")
def test_a_dry_run_tells_the_same_and_deletes_nothing(cli: Cli) -> None:
    expected = {**NOTHING, "sightings": 1, "bodies": 1}
    assert told(cli(*SHORT, "--dry-run", "--json")) == {**expected, "dry_run": True, "stopped": False}
    assert "a dry run; this would go:" in cli(*SHORT, "--dry-run").stdout
    assert told(cli(*SHORT, "--json")) == {**expected, "dry_run": False, "stopped": False}
    shown = cli(*SHORT).stdout.splitlines()
    assert shown[0] == "gone:"
    assert "stored bodies deleted      0" in shown
    cli("audit")


@pytest.mark.usefixtures("old")
def test_without_a_body_an_article_is_shown_and_stays_as_it_is(cli: Cli) -> None:
    before = told(cli("show", "1", "--json"))
    cli(*SHORT)
    assert told(cli("show", "1", "--json")) == before
    assert "was pruned: its time was over" in cli("show", "1", "--why").stderr
    assert "body_pruned" in cli("reprocess").stdout
    cli("audit")


@pytest.mark.usefixtures("old")
def test_stopped_by_a_key_it_says_what_went_and_the_next_call_goes_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        work = tuple(one if one[0] != "bodies" else (*one[:2], interrupt, one[3]) for one in pruning._WORK)
        patched.setattr(pruning, "_WORK", work)
        stopped = cli(*SHORT, "--json", exit_code=130)
    assert told(stopped) == {**NOTHING, "sightings": 1, "dry_run": False, "stopped": True}
    assert "the next call goes on" in stopped.stderr
    cli("audit")
    assert told(cli(*SHORT, "--json"))["bodies"] == 1


def test_there_must_be_a_store(cli: Cli) -> None:
    assert "there is no store" in cli("prune", exit_code=1).stderr
