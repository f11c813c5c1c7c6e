"""Locks that end with their holder: a file that one process holds, and a named lock of the whole store."""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import text

from storage.database import wrapped_errors
from storage.store import Store


@contextmanager
def file_lock(path: Path) -> Iterator[IO[str] | None]:
    """Hold the file as long as the block runs; None when another process holds it.

    The kernel lets go when the holder dies, however it dies. The file itself stays: removing it would let two
    processes each hold a lock on their own file of that name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


@contextmanager
def store_lock(store: Store, name: str) -> Iterator[bool]:
    """Be the only one on all hosts who does that while the block runs; False when another does. Raises StoreBusy.

    PostgreSQL keeps it as an advisory lock of the session; an SQLite file has its lock beside it, on its one host.
    """
    if store.engine.dialect.name == "postgresql":
        with wrapped_errors(), store.engine.connect() as connection:
            query = text("SELECT pg_try_advisory_xact_lock(:key)")
            yield bool(connection.execute(query, {"key": zlib.crc32(name.encode())}).scalar())
        return
    with file_lock(Path(f"{store.engine.url.database}.{name}.lock")) as held:
        yield held is not None
