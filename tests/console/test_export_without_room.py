"""`copydesk export` onto a full disk, as a process of its own: one line, exit 1, and the old file is still there."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

ROOT = Path(__file__).parents[2]
LIMIT = 100_000


@pytest.fixture
def shelf(cli: Callable[..., Result], tmp_path: Path) -> Path:
    """A folder whose store holds an article of more bytes than a file may have."""
    words = "\n\n".join(f"The ferry number {n} left the harbour on time this morning." for n in range(2_500))
    (tmp_path / "ferry.txt").write_text(f"A ferry came in\n\n{words}\n")
    cli("ingest", "ferry.txt")
    return tmp_path


def _narrow() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


def _export(folder: Path, *words: str, narrow: bool, stdout: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "console.cli", "export", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=_narrow if narrow else None,
    )


def test_an_export_without_room_says_so_and_leaves_the_old_one(shelf: Path) -> None:
    (shelf / "out.jsonl").write_text("old")
    done = _export(shelf, "jsonl", "out.jsonl", narrow=True, stdout=subprocess.DEVNULL)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"copydesk: {shelf}/out.jsonl: cannot be written: File too large; make room there")
    assert (shelf / "out.jsonl").read_text() == "old"
    assert list(shelf.glob(".out.jsonl*")) == []
    assert _export(shelf, "jsonl", "out.jsonl", narrow=False, stdout=subprocess.DEVNULL).returncode == 0
    assert (shelf / "out.jsonl").stat().st_size > LIMIT

    with open("/dev/full", "wb") as full:  # noqa: PTH123 - full(4), a device and no file
        done = _export(shelf, "jsonl", "-", narrow=False, stdout=full.fileno())
    assert (done.returncode, done.stderr) == (
        1,
        "copydesk: standard output: cannot be written: No space left on device; make room there, then do it again\n",
    )
