"""The archive of raw exchanges: WARC files (ISO 28500), each written whole, made durable, then published.

A file appears under its final name only when it is complete and on disk, so that a pointer never leads into
half a file, and a crash leaves nothing but a hidden temporary file to which no pointer leads.
"""

import hashlib
import io
import os
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from warcio.archiveiterator import ArchiveIterator, WARCIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.timeutils import datetime_to_iso_date
from warcio.warcwriter import WARCWriter

from storage.durable import complaint, lacks_room, publish, publish_remote, sync_folder
from storage.errors import ArchiveDamaged, ArchiveError
from storage.records import Headers, Pointer, Snapshot

_CODED = {"content-encoding", "transfer-encoding", "content-length"}
"""Headers that speak of the bytes on the wire; the body is stored decoded, so they are kept under another name."""

_DAMAGE = (OSError, EOFError, ValueError, ArchiveLoadFailed, AttributeError)
"""What reading a damaged record may raise; warcio meets a torn header with an AttributeError."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder or fsspec URL of WARC files."""

    root: str

    def pack(self, entries: Iterable[tuple[Snapshot, bytes]], now: datetime) -> list[tuple[int, Pointer]]:
        """Write one new WARC file with these snapshots; returns where each stands, by snapshot id.

        When this returns, it is durable. Raises ArchiveError when it cannot be written: nothing is published then.
        """
        name = _name(now)
        try:
            with self._publishing(name) as out:
                return list(_write(out, name, entries))
        except OSError as error:
            raise ArchiveError(f"archive {self.root}: {name} cannot be written: {complaint(error)}") from error

    def read(self, pointer: Pointer) -> bytes:
        """The body at the pointer. Raises ArchiveDamaged when it is missing, torn or not what its digest says."""
        try:
            with self._open(pointer.file) as file:
                file.seek(pointer.offset)
                body = _body(file.read(pointer.length))
        except _DAMAGE as error:
            raise ArchiveDamaged(f"archive {pointer.file} at {pointer.offset}: cannot be read: {error}") from error
        if digest(body) != pointer.digest:
            raise ArchiveDamaged(f"archive {pointer.file} at {pointer.offset}: the body is not the one that was stored")
        return body

    def without(self, name: str, offsets: Collection[int], now: datetime) -> tuple[str, dict[int, tuple[int, int]]]:
        """Write a new file with all records of `name` but those at `offsets` and the requests that belong to them.

        Returns its name, and the new offset and length of each record by its old offset. The old file stays: it is to
        be deleted once nothing points to it. Raises ArchiveDamaged where it cannot be read to its end or written anew,
        and ArchiveError where there is no room.
        """
        try:
            with self._open(name) as old:
                kept = list(_without(old, offsets))
                fresh = _name(now)
                with self._publishing(fresh) as out:
                    return fresh, dict(_copied(old, out, kept))
        except _DAMAGE as error:
            if isinstance(error, OSError) and lacks_room(error):
                raise ArchiveError(f"archive {name}: cannot be rewritten: {complaint(error)}") from error
            raise ArchiveDamaged(f"archive {name}: cannot be rewritten: {error}") from error

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is as good. Raises ArchiveError."""
        try:
            with suppress(FileNotFoundError):
                if "://" in self.root:
                    system, path = fsspec.core.url_to_fs(f"{self.root.rstrip('/')}/{name}")
                    system.rm(path)
                else:
                    (Path(self.root) / name).unlink()
                    sync_folder((Path(self.root) / name).parent)
        except OSError as error:
            raise ArchiveError(f"archive {self.root}: {name} cannot be deleted: {error}") from error

    def place(self, name: str) -> Path | None:
        """Where a file stands on this machine; None on an object store."""
        return None if "://" in self.root else Path(self.root) / name

    def open(self, name: str) -> IO[bytes]:
        """A file to be read as it is. Raises ArchiveDamaged where it is missing."""
        try:
            return self._open(name)
        except OSError as error:
            raise ArchiveDamaged(f"archive {name}: cannot be read: {error}") from error

    def _open(self, name: str) -> IO[bytes]:
        place = self.place(name)
        if place is not None:
            return place.open("rb")
        return fsspec.open(f"{self.root.rstrip('/')}/{name}", "rb").open()  # type: ignore[no-any-return]

    @contextmanager
    def _publishing(self, name: str) -> Iterator[IO[bytes]]:
        if "://" in self.root:
            with publish_remote(*fsspec.core.url_to_fs(f"{self.root.rstrip('/')}/{name}")) as out:
                yield out
            return
        with publish(Path(self.root) / name) as out:
            yield out


def _name(now: datetime) -> str:
    return f"{now:%Y/%m/%d}/copydesk-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.warc.gz"


def digest(body: bytes) -> str:
    """The digest by which bodies are known: `sha256:` and hex."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def iterate(file: IO[bytes]) -> Iterator[tuple[str, int, Headers, bytes, datetime | None]]:
    """URL, status, headers, body and date of each response or resource in anybody's WARC file, plain or gzipped.

    Raises ArchiveDamaged where the file ends in the middle of a record or is no WARC file.
    """
    try:
        records, end = WARCIterator(file), 0
        for record in records:
            if record.rec_type in ("response", "resource", "conversion"):
                yield _unpacked(record)
            records.read_to_end(record)
            end = records.get_record_offset() + records.get_record_length()
        if end < file.seek(0, os.SEEK_END):
            raise EOFError(f"nothing can be read from byte {end} on")
    except _DAMAGE as error:
        raise ArchiveDamaged(f"not a whole WARC file: {error}") from error


def _without(file: IO[bytes], offsets: Collection[int]) -> Iterator[tuple[int, int]]:
    """Offset and length of each record that stays. Each is a gzip member of its own, and can be copied as it is."""
    records, dropped = WARCIterator(file), set[str]()
    for record in records:
        headers = record.rec_headers
        records.read_to_end(record)
        start, length = records.get_record_offset(), records.get_record_length()
        if start in offsets:
            dropped.add(headers.get_header("WARC-Record-ID"))
        elif headers.get_header("WARC-Concurrent-To") not in dropped:
            yield start, length


def _copied(old: IO[bytes], out: IO[bytes], kept: Iterable[tuple[int, int]]) -> Iterator[tuple[int, tuple[int, int]]]:
    for start, length in kept:
        old.seek(start)
        raw = old.read(length)
        if len(raw) < length:
            raise EOFError(f"the record at {start} is cut short")
        at = out.tell()
        out.write(raw)
        yield start, (at, length)


def _unpacked(record: Any) -> tuple[str, int, Headers, bytes, datetime | None]:
    http = record.http_headers
    body = record.content_stream().read()
    if getattr(record.raw_stream, "limit", 0) > 0:
        raise EOFError(f"the record of {record.rec_headers.get_header('WARC-Target-URI')} is cut short")
    date = record.rec_headers.get_header("WARC-Date")
    headers = tuple(http.headers) if http else (("Content-Type", record.rec_headers.get_header("Content-Type") or ""),)
    return (
        record.rec_headers.get_header("WARC-Target-URI") or "",
        int(http.get_statuscode()) if http else 200,
        tuple((str(name), str(value)) for name, value in headers if name.lower() not in _CODED),
        body,
        datetime.fromisoformat(date) if date else None,
    )


def write_records(out: IO[bytes], name: str, entries: Iterable[tuple[Snapshot, bytes]]) -> int:
    """Write snapshots as a WARC file for others to read; returns how many."""
    return sum(1 for _ in _write(out, name, entries))


def _write(out: IO[bytes], name: str, entries: Iterable[tuple[Snapshot, bytes]]) -> Iterator[tuple[int, Pointer]]:
    writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")
    writer.write_record(writer.create_warcinfo_record(name, {"software": "Copydesk", "format": "WARC File Format 1.1"}))
    for snapshot, body in entries:
        start = out.tell()
        response = _response(writer, snapshot, body)
        writer.write_record(response)
        length = out.tell() - start
        if snapshot.request_headers:
            writer.write_record(_request(writer, snapshot, response))
        yield snapshot.id, Pointer(file=name, offset=start, length=length, digest=snapshot.digest)


def _response(writer: WARCWriter, snapshot: Snapshot, body: bytes) -> Any:
    date = {"WARC-Date": datetime_to_iso_date(snapshot.fetched_at.replace(tzinfo=None), use_micros=True)}
    if not snapshot.url.startswith(("http://", "https://")):
        kind = next(
            (value for name, value in snapshot.headers if name.lower() == "content-type"), "application/octet-stream"
        )
        return writer.create_warc_record(
            snapshot.url,
            "resource",
            payload=io.BytesIO(body),
            length=len(body),
            warc_content_type=kind,
            warc_headers_dict=date,
        )
    kept = [
        (f"X-Archive-Orig-{name}" if name.lower() in _CODED else name, _ascii(value))
        for name, value in snapshot.headers
    ]
    kept.append(("Content-Length", str(len(body))))
    http = StatusAndHeaders(
        f"{snapshot.status} {'OK' if snapshot.status == 200 else 'Status'}", kept, protocol="HTTP/1.1"
    )
    return writer.create_warc_record(
        snapshot.url, "response", payload=io.BytesIO(body), length=len(body), http_headers=http, warc_headers_dict=date
    )


def _request(writer: WARCWriter, snapshot: Snapshot, response: Any) -> Any:
    http = StatusAndHeaders(
        f"GET {snapshot.url} HTTP/1.1", [(n, _ascii(v)) for n, v in snapshot.request_headers], is_http_request=True
    )
    linked = {"WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID")}
    return writer.create_warc_record(snapshot.url, "request", http_headers=http, warc_headers_dict=linked)


def _body(raw: bytes) -> bytes:
    record = next(iter(ArchiveIterator(io.BytesIO(raw))), None)
    if record is None:
        raise EOFError("no record")
    return bytes(record.content_stream().read())


def _ascii(value: str) -> str:
    return value.encode("ascii", "backslashreplace").decode("ascii").replace("\r", " ").replace("\n", " ")
