"""The command answers `--help` at once, because it imports nothing heavy before a command needs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = {"alembic", "celery", "fastapi", "psycopg", "redis", "scrapy", "sqlalchemy", "trafilatura", "twisted"}
BUDGET_S = 0.300


def run_help(*options: str) -> tuple[str, str]:
    """Standard output and standard error of one `copydesk --help`."""
    command = [sys.executable, *options, "-m", "console.cli", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out, err


def cpu_of_help() -> float:
    """CPU seconds of one `copydesk --help`, by the kernel's account of that child."""
    command = [sys.executable, "-m", "console.cli", "--help"]
    pid = os.posix_spawn(
        sys.executable,
        command,
        os.environ | {"PYTHONPATH": str(ROOT)},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return usage.ru_utime + usage.ru_stime


def test_help_imports_nothing_heavy() -> None:
    out, times = run_help("-X", "importtime")
    assert "Usage: " in out
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in times.splitlines()}
    assert "click" in imported
    assert imported & HEAVY == set()


def test_help_fits_its_budget() -> None:
    best = min(cpu_of_help() for _ in range(3))
    assert best < BUDGET_S
