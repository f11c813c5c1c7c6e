"""Where a dataset goes: a folder or any fsspec URL. A file is there under its name only when it is whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from storage.durable import complaint, publish, publish_remote
from storage.errors import ExportError, InputError


class Place:
    """A folder, local or remote, into which files are published."""

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415 - it looks for every kind of store there is
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415

        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InputError(f"{url}: no such kind of place, or its package is not installed: {error}") from error
        self._local = isinstance(self._files, LocalFileSystem)
        self.url = url

    def path(self, name: str) -> str:
        """The whole path of a file in this place."""
        return f"{self._root.rstrip('/')}/{name}"

    @contextmanager
    def publish(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file that appears when the block ends well, in the place of an older one of that name.

        Raises ExportError where it cannot be written.
        """
        final = self.path(name)
        try:
            with publish(Path(final)) if self._local else publish_remote(self._files, final) as out:
                yield out
        except OSError as error:
            raise ExportError(f"{final}: cannot be written: {complaint(error)}") from error

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        try:
            found: bytes = self._files.cat_file(self.path(name))
        except FileNotFoundError:
            return None
        return found

    def open(self, name: str) -> Any:
        """A file to be read from. Raises FileNotFoundError."""
        return self._files.open(self.path(name), "rb")

    def delete(self, name: str) -> None:
        """Take a file away, if it is there."""
        try:
            self._files.rm_file(self.path(name))
        except FileNotFoundError:
            return
