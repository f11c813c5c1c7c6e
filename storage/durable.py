"""Files that are there under their name only when they are whole and on the disk."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from storage.errors import StoreFull

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def publish(final: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears when the block ends well, in the place of an older one of that name."""
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(final)
        sync_folder(final.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def publish_remote(files: "AbstractFileSystem", path: str) -> Iterator[IO[bytes]]:
    """The same on a remote system, by fsspec's transactions: an upload that was not completed, or a temporary file."""
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    with files.transaction, files.open(path, "wb") as out:
        yield out


def complaint(error: OSError) -> str:
    """Why a write failed, in the system's words, and what helps where there was no room."""
    words = error.strerror or str(error) or type(error).__name__
    return f"{words}; make room there, then do it again" if lacks_room(error) else words


def lacks_room(error: BaseException) -> bool:
    """Whether a write failed because the disk, a quota or a limit on the size of files left no room."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


@contextmanager
def wanting_room(doing: str) -> Iterator[None]:
    """Tell a lack of room on this machine from a fault in what is being done. Raises StoreFull."""
    try:
        yield
    except OSError as error:
        if not lacks_room(error):
            raise
        raise StoreFull(f"{doing}: {error.filename or 'a temporary file'}: {complaint(error)}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename is safe from a power cut only then."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
