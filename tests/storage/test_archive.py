"""WARC files that others can read, written whole or not at all, on a folder or any fsspec URL."""

import io
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
from warcio.archiveiterator import ArchiveIterator

from storage.archive import Archive, digest, iterate
from storage.errors import ArchiveDamaged, ArchiveError
from storage.records import Snapshot

NOW = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)


def _snapshot(number: int, body: bytes, url: str = "https://harbour.example/1") -> Snapshot:
    return Snapshot(
        id=number,
        page_id=1,
        url=url,
        status=200,
        headers=(
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Encoding", "gzip"),
            ("X-Odd", "caf\u00e9\r\nInjected: 1"),
        ),
        request_headers=(("User-Agent", "Copydesk/0.1"),),
        fetched_at=NOW,
        size=len(body),
        digest=digest(body),
        pointer=None,
    )


@pytest.fixture(params=["folder", "fsspec"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return Archive(str(tmp_path) if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_was_packed_is_read_back(archive: Archive) -> None:
    bodies = {1: b"one" * 1000, 2: b"", 3: bytes(range(256))}
    pointers = archive.pack([(_snapshot(n, body), body) for n, body in bodies.items()], NOW)
    assert {n: archive.read(pointer) for n, pointer in pointers} == bodies


def test_strangers_can_read_the_file(archive: Archive) -> None:
    body = b"<html>ferry</html>"
    file = archive.pack([(_snapshot(1, body), body)], NOW)[0][1].file
    raw = fsspec.open(f"{archive.root}/{file}", "rb").open().read()
    kinds, response = [], None
    for record in ArchiveIterator(io.BytesIO(raw), check_digests=True):
        kinds.append(record.rec_type)
        if record.rec_type == "response":
            response = (dict(record.http_headers.headers), record.content_stream().read())
            assert record.rec_headers.get_header("WARC-Date") == "2026-03-10T12:00:00.123456Z"
    assert kinds == ["warcinfo", "response", "request"]
    assert response
    assert response[1] == body
    assert response[0]["X-Archive-Orig-Content-Encoding"] == "gzip"
    assert "Injected" not in response[0]


def test_any_warc_file_can_be_gone_through(archive: Archive) -> None:
    urn = "urn:sha256:ab"
    file = archive.pack([(_snapshot(1, b"page"), b"page"), (_snapshot(2, b"note", urn), b"note")], NOW)[0][1].file
    with fsspec.open(f"{archive.root}/{file}", "rb") as opened:
        found = [(url, status, body) for url, status, _, body, _ in iterate(opened)]
    assert found == [("https://harbour.example/1", 200, b"page"), (urn, 200, b"note")]


@pytest.mark.parametrize("cut", [60, 400])
def test_a_torn_file_is_said_to_be_torn(tmp_path: Path, cut: int) -> None:
    body = bytes(range(256)) * 8
    pointer = Archive(str(tmp_path)).pack([(_snapshot(1, body), body)], NOW)[0][1]
    raw = (tmp_path / pointer.file).read_bytes()[: pointer.offset + pointer.length - cut]
    with pytest.raises(ArchiveDamaged, match="not a whole WARC file"):
        list(iterate(io.BytesIO(raw)))


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(ArchiveDamaged, match="not a whole WARC file"):
        list(iterate(io.BytesIO(b"a note that somebody saved under the wrong name")))


def test_nothing_is_published_when_writing_fails(tmp_path: Path) -> None:
    def broken() -> list[tuple[Snapshot, bytes]]:
        raise OSError(28, "No space left on device")

    class Entries:
        def __iter__(self) -> object:
            yield _snapshot(1, b"one"), b"one"
            broken()

    with pytest.raises(ArchiveError, match="No space left"):
        Archive(str(tmp_path)).pack(Entries(), NOW)  # type: ignore[arg-type]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
