"""A PostgreSQL for benchmarks: the one that TEST_DATABASE_URL names, or one started as the tests start theirs."""

from __future__ import annotations

import importlib.util
import os
import shutil
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


@contextmanager
def postgres_database() -> Iterator[str | None]:
    """The URL of a fresh database that is dropped afterwards; None where no PostgreSQL can be started."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        with _fresh(given) as url:
            yield url
        return
    tests = _tests()
    for programs in tests._postgres_programs():  # noqa: SLF001 - the tests' own ways, not to be written twice
        folder = Path(tempfile.mkdtemp(prefix="copydesk-pg-", dir="/tmp"))
        try:
            server = tests._start_postgres(tests._reachable(programs, folder), folder)  # noqa: SLF001
        except (OSError, subprocess.CalledProcessError):
            shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            with _fresh(f"postgresql://copydesk@/postgres?host={folder}") as url:
                yield url
        finally:
            tests._stop_postgres(server)  # noqa: SLF001
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
