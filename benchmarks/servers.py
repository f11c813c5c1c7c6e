"""A PostgreSQL for benchmarks: the one that TEST_DATABASE_URL names, or one started as the tests start theirs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import psycopg
from psycopg import sql

_CONFTEST = Path(__file__).resolve().parent.parent / "tests" / "conftest.py"


class Postgres:
    """A server of our own with a fresh database in it."""

    def __init__(self, tests: ModuleType, server: subprocess.Popen[str], url: str) -> None:
        self._tests = tests
        self.server = server
        self.url = url

    def restart(self) -> None:
        """Stop the server as an administrator would at once (pg_ctl restart -m fast), and start it again."""
        self.server.send_signal(signal.SIGINT)
        self.server.wait(30)
        folder = self.url.partition("?host=")[2]
        started = subprocess.Popen(self.server.args, stderr=subprocess.PIPE, text=True, cwd=folder)
        self.server = self._tests._ready(started)  # noqa: SLF001 - as below

    def cut_connections(self) -> int:
        """End all other connections in the middle of whatever they do; returns how many."""
        others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(self.url, autocommit=True) as admin:
            row = admin.execute(f"{others} AND pid <> pg_backend_pid()").fetchone()
            return int(row[0]) if row else 0


@contextmanager
def postgres_database() -> Iterator[str | None]:
    """The URL of a fresh database that is dropped afterwards; None where no PostgreSQL can be started."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        with _fresh(given) as url:
            yield url
        return
    with postgres_server() as server:
        yield server.url if server else None


@contextmanager
def postgres_server() -> Iterator[Postgres | None]:
    """A PostgreSQL that may be stopped and started, with a fresh database; None where none can be started."""
    tests = _tests()
    for programs in tests._postgres_programs():  # noqa: SLF001 - the tests' own ways, not to be written twice
        folder = Path(tempfile.mkdtemp(prefix="copydesk-pg-", dir="/tmp"))
        running: Postgres | None = None
        try:
            server = tests._start_postgres(tests._reachable(programs, folder), folder)  # noqa: SLF001
        except (OSError, subprocess.CalledProcessError):
            shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            with psycopg.connect(f"postgresql://copydesk@/postgres?host={folder}", autocommit=True) as admin:
                admin.execute("CREATE DATABASE bench TEMPLATE template0")
            running = Postgres(tests, server, f"postgresql://copydesk@/bench?host={folder}")
            yield running
        finally:
            tests._stop_postgres(running.server if running else server)  # noqa: SLF001
            shutil.rmtree(folder, ignore_errors=True)
        return
    yield None


@contextmanager
def _fresh(url: str) -> Iterator[str]:
    name = f"bench_{uuid4().hex}"
    before, _, query = url.partition("?")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield f"{before.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _tests() -> ModuleType:
    spec = importlib.util.spec_from_file_location("copydesk_test_servers", _CONFTEST)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
