"""`copydesk recluster` and what `status` and `show` tell of duplicates, as an operator sees them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from storage import reclustering
from storage.reclustering import Move
from storage.settings import load_settings
from storage.store import open_store

Cli = Callable[..., Result]
PARTS = (
    "The crews of the harbour's ferries went back to work on Tuesday, after talks that ended a nine-day strike.",
    "We have a deal that lets people plan their lives, said Ada Quill, spokeswoman of the crews, at the port.",
    "The operator had cancelled 214 crossings, and islanders queued in the rain for the first boat before dawn.",
    "The agreement sets a limit of ten-hour shifts and pays a bonus for late changes, both sides told the town.",
)


@pytest.fixture
def apart(cli: Cli, tmp_path: Path) -> Path:
    """A store with two copies of one story, the second of which was put into a cluster of its own."""
    rows = [
        {"url": "https://one.example/1", "title": "Ferry strike ends", "text": "\n\n".join(PARTS)},
        {"url": "https://two.example/1", "title": "Boats sail again", "text": "\n\n".join(PARTS[:3])},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    cli("ingest", "in.jsonl")
    store = open_store(load_settings({}))
    move = Move(article_id=2, url="", before=1, into=None, similarity=None, reason="new_story")
    store.write(lambda tx: reclustering.apply(tx, [move], datetime.now(UTC)))
    store.close()
    return tmp_path


@pytest.mark.usefixtures("apart")
def test_what_would_change_is_shown_then_done_then_nothing(cli: Cli) -> None:
    assert "1 would move" in cli("recluster", "--dry-run").stdout
    told = json.loads(cli("recluster", "--json").stdout)
    (move,) = told["moves"]
    assert (told["dry_run"], told["read"], told["prints"], told["changed_meanwhile"]) == (False, 2, 0, 0)
    assert (move["article_id"], move["before"], move["into"], move["reason"]) == (2, 2, 1, "near_duplicate")
    assert 0.5 < move["similarity"] < 1
    assert "0 moved" in cli("recluster", "--since", "2026-01-01").stdout
    assert "from cluster 2 to 1" in cli("show", "2", "--why").stdout


@pytest.mark.usefixtures("apart")
def test_the_room_that_is_taken_is_told(cli: Cli) -> None:
    room = json.loads(cli("status", "--json").stdout)["storage"]
    assert room["database_bytes"] > (room["index_bytes"] or 0)
    assert (room["archive_files"], room["archive_bytes"]) == (0, 0)
    assert "to find near-duplicates" in cli("status").stdout
