"""The form of a backup on disk: one folder with the database, the archive files it knows of, and a manifest of digests.

manifest.json                what is here, with the size and SHA-256 of each file
database/copydesk.db         an SQLite database, or
database/TABLE.copy.gz       each PostgreSQL table in the text form of COPY
archive/YYYY/MM/DD/*.gz      the WARC files to which the database points
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from storage.codec import from_plain, to_plain
from storage.errors import ArchiveDamaged, InputError
from storage.records import Record

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
ARCHIVE = "archive"
SQLITE_FILE = f"{DATABASE}/copydesk.db"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Record):
    """One file of a backup; `path` is relative to its folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy(Record):
    """One table of a PostgreSQL database."""

    name: str
    columns: tuple[str, ...]
    part: Part
    sequence: tuple[str, int, bool] | None = None
    """The column that counts by itself, its sequence's last value, and whether that was given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Record):
    """What a backup holds."""

    format: int
    made_at: datetime
    database: str
    """`sqlite` or `postgresql`."""
    schema: str
    """The revision of the schema."""
    tables: tuple[TableCopy, ...] = ()
    """In an order in which no row comes before one that it points to; empty for SQLite."""
    file: Part | None = None
    """The SQLite database."""
    archive: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """All files."""
        return (*([self.file] if self.file else []), *(table.part for table in self.tables), *self.archive)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(part.size for part in self.parts)


class Measured:
    """A file being written: counts and digests what passes."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        """Pass on and count."""
        self.size += len(data)
        self._digest.update(data)
        return self._out.write(data)

    def flush(self) -> None:
        """Pass on."""
        self._out.flush()

    def part(self, path: str) -> Part:
        """What was written, under that name."""
        return Part(path=path, size=self.size, sha256=self._digest.hexdigest())


@contextmanager
def durable(path: Path) -> Iterator[Measured]:
    """A new file that is on disk when the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        yield Measured(out)
        out.flush()
        os.fsync(out.fileno())


def copied(source: IO[bytes], to: Path, name: str) -> Part:
    """Copy a stream into a new durable file; returns what it is under the name `name`."""
    with durable(to) as out:
        while data := source.read(_CHUNK):
            out.write(data)
    return out.part(name)


def measure(file: Path, name: str) -> Part:
    """Size and digest of a file that is there."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        while data := source.read(_CHUNK):
            digest.update(data)
            size += len(data)
    return Part(path=name, size=size, sha256=digest.hexdigest())


def must_match(found: Part, expected: Part, folder: Path) -> None:
    """Raise ArchiveDamaged where a file is not the one that the manifest tells of."""
    if found != expected:
        raise ArchiveDamaged(
            f"backup {folder / expected.path}: it is not the file that was backed up; use another copy"
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the last file of a backup."""
    with durable(folder / MANIFEST) as out:
        out.write(json.dumps(to_plain(manifest), indent=1).encode())


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself. Raises InputError where it is none, or of a form unknown to this program."""
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
        known = told["format"] == FORMAT
        manifest = from_plain(Manifest, told) if known else None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder}: this is no backup: {MANIFEST} cannot be read: {error}") from error
    if manifest is None:
        raise InputError(f"{folder}: the backup has form {told['format']}, this program knows {FORMAT}")
    if any(_leaves(part.path) for part in manifest.parts):
        raise InputError(f"{folder}: {MANIFEST} names a file outside of the backup")
    return manifest


def _leaves(path: str) -> bool:
    return Path(path).is_absolute() or ".." in Path(path).parts
