"""Brings a backup back into an empty data folder and an empty database, and nowhere else."""

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import fsspec
from psycopg import sql
from sqlalchemy import Connection, Engine, inspect, make_url, text, update

from storage import schema
from storage.archive import Archive
from storage.bundle import (
    ARCHIVE,
    SQLITE_FILE,
    Manifest,
    Part,
    TableCopy,
    copied,
    measure,
    must_match,
    read_manifest,
)
from storage.database import open_engine, transaction
from storage.durable import complaint, publish_remote, sync_folder
from storage.errors import ExportError, SchemaError, UsageError
from storage.settings import Settings
from storage.tables import site

_CHUNK = 1 << 20


def restore(settings: Settings, source: Path) -> Manifest:
    """Fill the store that the settings name, which must be empty, from a backup; each file is checked on its way.

    The schema is that of the backup: one that is older than the program wants `copydesk migrate` afterwards. The
    leases of that time are given back. Raises UsageError where there is something already, InputError where `source`
    is no backup, SchemaError where it is of a newer program, ArchiveDamaged where a file is not what it was, and
    ExportError where there is no room: then nothing of it stays.
    """
    manifest = read_manifest(source)
    if manifest.schema > schema.HEAD:
        raise SchemaError(
            f"{source}: its schema {manifest.schema} is newer than this program; install the newer Copydesk"
        )
    kind = make_url(settings.database_url).get_backend_name()
    if kind != manifest.database:
        raise UsageError(f"{source}: this is a backup of {manifest.database}, but the setting database names {kind}")
    _must_be_empty(settings)
    for part in manifest.parts:  # before anything is written
        must_match(measure(source / part.path, part.path), part, source)
    try:
        _archive(manifest, source, settings.archive_root)
        _database(manifest, source, settings)
    except BaseException as error:
        _take_back(manifest, settings.archive_root)  # or the next try would find that it is not empty
        if isinstance(error, OSError):
            raise ExportError(f"restore to {settings.data}: cannot be written: {complaint(error)}") from error
        raise
    return manifest


def _database(manifest: Manifest, source: Path, settings: Settings) -> None:
    if manifest.database == "sqlite":
        _sqlite(manifest, source, Path(cast("str", make_url(settings.database_url).database)))
    with closing(_Engine(settings.database_url)) as opened:
        if manifest.database == "postgresql":
            _postgresql(opened.engine, manifest, source)
        with transaction(opened.engine, writes=True) as tx:
            tx.execute(update(site).values(lease_owner=None, lease_until=None))  # their holders are no more


def _take_back(manifest: Manifest, root: str) -> None:
    if "://" not in root:
        shutil.rmtree(root, ignore_errors=True)
        return
    for part in manifest.archive:
        Archive(root).delete(_name(part))


class _Engine:
    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)

    def close(self) -> None:
        self.engine.dispose()


def _must_be_empty(settings: Settings) -> None:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        if Path(cast("str", url.database)).exists():
            raise UsageError(f"{url.database} exists already; restore into a folder of its own with --data FOLDER")
    else:
        with closing(_Engine(settings.database_url)) as opened:
            if schema.revision(opened.engine) is not None or inspect(opened.engine).get_table_names():
                raise UsageError(
                    f"the database {url.database} is not empty; create a new one and name it with --database"
                )
    if _has_files(settings.archive_root):
        raise UsageError(f"the archive {settings.archive_root} is not empty; move it away or name another")


def _has_files(root: str) -> bool:
    system, path = fsspec.core.url_to_fs(root)
    return bool(system.exists(path) and system.find(path))


def _archive(manifest: Manifest, source: Path, root: str) -> None:
    if "://" in root:
        for part in manifest.archive:
            files, path = fsspec.core.url_to_fs(f"{root.rstrip('/')}/{_name(part)}")
            with (source / part.path).open("rb") as held, publish_remote(files, path) as out:
                shutil.copyfileobj(held, out, _CHUNK)
        return
    with _hidden_beside(Path(root)) as folder:
        for part in manifest.archive:
            with (source / part.path).open("rb") as held:
                must_match(copied(held, folder / _name(part), part.path), part, source)
        for inner in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            sync_folder(inner)
        folder.chmod(0o755)
        folder.rename(root)  # takes the place of an empty folder too
        sync_folder(Path(root).parent)


def _name(part: Part) -> str:
    return part.path.removeprefix(f"{ARCHIVE}/")


@contextmanager
def _hidden_beside(dest: Path) -> Iterator[Path]:
    dest.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", suffix=".part", dir=dest.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sqlite(manifest: Manifest, source: Path, file: Path) -> None:
    assert manifest.file is not None
    with _hidden_beside(file) as folder, (source / SQLITE_FILE).open("rb") as held:
        must_match(copied(held, folder / "copy", SQLITE_FILE), manifest.file, source)
        os.link(folder / "copy", file)  # fails where one has come meanwhile; a rename would replace it
        sync_folder(file.parent)


def _postgresql(engine: Engine, manifest: Manifest, source: Path) -> None:
    """Schema, rows and counters in one transaction."""
    with transaction(engine, writes=True) as tx:
        schema.migrate_in(tx, to=manifest.schema)
        for table in manifest.tables:
            _fill(tx, table, source)


def _fill(tx: Connection, table: TableCopy, source: Path) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    file = gzip.open(source / table.part.path)  # noqa: SIM115 - closed by the next line
    with file as held, cast("Any", tx.connection).cursor() as cursor, cursor.copy(query) as rows:
        while data := held.read(_CHUNK):
            rows.write(data)
    if table.sequence is not None:
        column, last, called = table.sequence
        values = {"table": table.name, "column": column, "last": last, "called": called}
        tx.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last, :called)"), values)
