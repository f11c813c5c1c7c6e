"""Ctrl-C in the middle of long work: a real SIGINT, exit code 130, one line, and a store in which everything holds."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from console.demo.newsroom import Newsroom
from storage import changes, sites
from storage.audit import audit
from storage.settings import load_settings
from storage.store import Store, open_store

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[2]
HELD = """
import importlib, sys, threading
module, name, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
place = importlib.import_module(module)
real, calls = getattr(place, name), []

def held(*args, **named):
    calls.append(1)
    made = real(*args, **named)
    if len(calls) == after:
        print("held", file=sys.stderr, flush=True)
        threading.Event().wait(60)
    return made

setattr(place, name, held)
from console.cli import main
sys.argv[:4] = ["copydesk"]
main()
"""
"""The program, with one function that does not come back from its Nth call: the moment at which it is interrupted."""
STORY = "The {n} crews of quay {n} went back to work, said the harbour master. Boat {n} of line {n} sails again.\n\n"


def interrupted(folder: Path, hold: tuple[str, str, int], *words: str) -> None:
    """Run the program, send SIGINT while it is held, and see that it ends as it should."""
    command = [sys.executable, "-c", HELD, *map(str, hold), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "held\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "\ncopydesk: stopped\n"
    assert process.returncode == 130


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    """Files that each make an article."""
    files = []
    for number in range(4):
        file = tmp_path / f"story-{number}.txt"
        file.write_text(f"Quay {number} opens\n\n" + "".join(STORY.format(n=f"{number}{part}") for part in range(6)))
        files.append(file.name)
    return files


def opened(folder: Path) -> Store:
    return open_store(load_settings({"data": folder / "copydesk-data"}, environ={}, file=folder / "none"))


def sound(folder: Path) -> int:
    """How many articles there are, once the books were found to balance."""
    store = opened(folder)
    report = audit(store, datetime.now(UTC))
    store.close()
    assert report.faults == ()
    assert report.balance.balanced
    return report.balance.articles


def test_ingest_within_its_transaction(cli: Cli, tmp_path: Path, texts: list[str]) -> None:
    interrupted(tmp_path, ("tasks.process", "settle", 3), "ingest", *texts)
    assert sound(tmp_path) == 2
    cli("ingest", *texts)
    assert sound(tmp_path) == 4


def test_reprocess_between_its_articles(cli: Cli, tmp_path: Path, texts: list[str]) -> None:
    cli("ingest", *texts)
    interrupted(tmp_path, ("tasks.reprocess", "_count", 2), "reprocess", "--processes", "2")
    assert sound(tmp_path) == 4
    assert "4 articles read anew" in cli("reprocess").stdout


def test_export_to_a_file_leaves_the_old_one_alone(cli: Cli, tmp_path: Path, texts: list[str]) -> None:
    cli("ingest", *texts)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "all").write_text("as before")
    interrupted(tmp_path, ("storage.reading", "to_json", 1), "export", "jsonl", "out/all")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["all"]
    assert (tmp_path / "out" / "all").read_text() == "as before"


def test_export_of_changes_goes_on_exactly_once(cli: Cli, tmp_path: Path, texts: list[str]) -> None:
    cli("ingest", *texts[:2])
    cli("export", "jsonl", "lake", "--changes")
    cli("ingest", *texts[2:])
    interrupted(tmp_path, ("storage.datasets.follow", "_write", 1), "export", "jsonl", "lake", "--changes")
    cli("export", "jsonl", "lake", "--changes")
    parts = json.loads((tmp_path / "lake" / "_manifest.json").read_text())["parts"]
    rows = [json.loads(line) for part in parts for line in (tmp_path / "lake" / part["file"]).read_text().splitlines()]
    store = opened(tmp_path)
    with store.reading() as tx:
        assert [row["seq"] for row in rows] == [row.seq for row in changes.read(tx, since=0)]
    store.close()


def test_crawl_keeps_what_it_has_and_gives_its_sites_back(cli: Cli, tmp_path: Path) -> None:
    with Newsroom() as room:
        asked = ("--set", f"allow_addresses={','.join(room.allow_addresses)}", "--set", "delay_s=0.1")
        feed = next(one for one in room.sources if one.name == "valley-atom")
        cli("sources", "add", feed.url, "--name", "valley")
        command = [sys.executable, "-m", "console.cli", *asked, "crawl"]
        named: dict[str, Any] = {"text": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=tmp_path, env=environment, **named) as crawl:
            store = opened(tmp_path)
            wait_until(lambda: last(store) >= 2, crawl)
            crawl.send_signal(signal.SIGINT)
            assert crawl.stderr is not None
            said = crawl.stderr.read()
        assert crawl.returncode == 130, said
        assert said.endswith("\ncopydesk: stopped\n")
        assert sound(tmp_path) >= 1
        with store.reading() as tx:
            assert sites.stale_leases(tx, datetime(2100, 1, 1, tzinfo=UTC)) == [], "each lease was given back"
        store.close()


def last(store: Store) -> int:
    with store.reading() as tx:
        return changes.last(tx)


def wait_until(true: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    pause, deadline = threading.Event(), time.monotonic() + 60
    while not true():
        assert process.poll() is None
        assert time.monotonic() < deadline
        pause.wait(0.05)
