"""Makes a consistent copy of database and archive while everything runs, published whole or not at all.

The database decides what exists, so it is copied first, as it is at one moment; then the archive files to which the
copy points. Those are never changed in place, only deleted, and meanwhile nobody deletes.
"""

import gzip
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from psycopg import sql
from sqlalchemy import Column, Connection, MetaData, Table, select, text

from storage import erasure
from storage.bundle import (
    ARCHIVE,
    DATABASE,
    FORMAT,
    SQLITE_FILE,
    Manifest,
    Measured,
    Part,
    TableCopy,
    copied,
    durable,
    measure,
    write_manifest,
)
from storage.database import SQLITE_DISK, wrapped_errors
from storage.durable import complaint, sync_folder
from storage.errors import ExportError, StoreBusy, StoreError, UsageError
from storage.schema import HEAD
from storage.store import Store
from storage.tables import metadata, snapshot

_SEARCH = Table("article_search", MetaData(), Column("article_id"), Column("document"))
"""What `storage.search` keeps beside the other tables; an SQLite file has it in itself."""


def back_up(store: Store, dest: Path, now: datetime) -> Manifest:
    """Copy the store into the new folder `dest`, which appears when the copy is complete and on disk.

    Meanwhile crawling and processing go on; packing and erasing wait. Archive files become hard links where `dest` is
    on the archive's file system. Raises UsageError where `dest` exists, StoreBusy where the archive stays in use by
    others, StoreError where the copy of the database does not pass its check, ExportError where `dest` cannot be
    written, and ArchiveDamaged.
    """
    if dest.exists():
        raise UsageError(f"{dest} exists already; name a folder that does not")
    try:
        return _back_up(store, dest, now)
    except OSError as error:
        raise ExportError(f"backup {dest}: cannot be written: {complaint(error)}") from error


def _back_up(store: Store, dest: Path, now: datetime) -> Manifest:
    dest.parent.mkdir(parents=True, exist_ok=True)
    with erasure.archive_to_oneself(store), _hidden_beside(dest) as folder:
        erasure.finish(store)  # or the copy would tell of files that hold an erased text and are not in it
        database, files = _database(store, folder)
        archive = tuple(_archived(store, name, folder) for name in files)
        manifest = Manifest(format=FORMAT, made_at=now, schema=HEAD, archive=archive, **database)
        write_manifest(folder, manifest)
        _sync(folder)
        folder.rename(dest)
        sync_folder(dest.parent)
    return manifest


@contextmanager
def _hidden_beside(dest: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", suffix=".part", dir=dest.parent))  # nobody else may read it
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # by now it has its name, or has failed


def _database(store: Store, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The facts of the manifest, and the archive files that the copy knows of."""
    if store.engine.dialect.name == "postgresql":
        return _postgresql(store, folder)
    return _sqlite(Path(cast("str", store.engine.url.database)), folder)


def _sqlite(file: Path, folder: Path) -> tuple[dict[str, Any], list[str]]:
    copy = folder / SQLITE_FILE
    copy.parent.mkdir()
    try:
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))  # one read transaction; what was deleted is not in it
        with closing(sqlite3.connect(copy)) as made:
            [[verdict]] = made.execute("PRAGMA quick_check(1)")
            files = [name for (name,) in made.execute(str(_files()))]
    except sqlite3.Error as error:
        raise _uncopied(file, copy, error) from error
    if verdict != "ok":
        raise StoreError(f"database {file}: its copy is damaged: {verdict}")
    with copy.open("rb") as made:
        os.fsync(made.fileno())
    return {"database": "sqlite", "file": measure(copy, SQLITE_FILE)}, files


def _uncopied(file: Path, copy: Path, error: sqlite3.Error) -> StoreError | ExportError:
    if getattr(error, "sqlite_errorname", "").startswith(SQLITE_DISK):
        return ExportError(f"backup {copy}: cannot be written: {error}; make room there, then do it again")
    kind = StoreBusy if "locked" in str(error) else StoreError
    return kind(f"database {file}: cannot be copied: {error}")


def _postgresql(store: Store, folder: Path) -> tuple[dict[str, Any], list[str]]:
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with wrapped_errors(), store.engine.connect().execution_options(**options) as tx, tx.begin():
        tables = tuple(_table(tx, table, folder) for table in (*metadata.sorted_tables, _SEARCH))
        files = list(tx.execute(_files()).scalars())
    return {"database": "postgresql", "tables": tables}, files


def _table(tx: Connection, table: Table, folder: Path) -> TableCopy:
    columns = tuple(column.name for column in table.columns)
    path = f"{DATABASE}/{table.name}.copy.gz"
    with durable(folder / path) as out, _gzipped(out) as packed:
        for data in _rows(tx, table.name, columns):
            packed.write(data)
    return TableCopy(name=table.name, columns=columns, part=out.part(path), sequence=_sequence(tx, table))


def _gzipped(out: Measured) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=cast("IO[bytes]", out), mtime=0)


def _rows(tx: Connection, name: str, columns: Sequence[str]) -> Iterator[bytes | memoryview]:
    query = sql.SQL("COPY {} ({}) TO STDOUT").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cast("Any", tx.connection).cursor() as cursor, cursor.copy(query) as rows:
        yield from rows


def _sequence(tx: Connection, table: Table) -> tuple[str, int, bool] | None:
    """Where the numbers stand: one that was given out is never given again, even if its row was deleted."""
    for column in table.primary_key.columns:
        named = {"table": table.name, "column": column.name}
        name = tx.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar()
        if name:
            last, called = tx.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608 - quoted
            return column.name, int(last), bool(called)
    return None


def _files() -> Any:
    found = snapshot.c.archive_file
    return select(found).where(found.is_not(None)).distinct().order_by(found)


def _archived(store: Store, name: str, folder: Path) -> Part:
    path = f"{ARCHIVE}/{name}"
    to = folder / path
    to.parent.mkdir(parents=True, exist_ok=True)
    place = store.archive.place(name)
    if place is not None:
        try:
            os.link(place, to)
        except OSError:  # another file system, or one without links
            pass
        else:
            return measure(to, path)
    with store.archive.open(name) as source:
        return copied(source, to, path)


def _sync(folder: Path) -> None:
    for inner in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        sync_folder(inner)
