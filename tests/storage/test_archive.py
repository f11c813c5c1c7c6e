"""WARC files that others can read, written whole or not at all, on a folder or any fsspec URL."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile
from warcio.archiveiterator import ArchiveIterator

from storage import archive as archive_module
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


@pytest.fixture(params=["folder", "fsspec", "fsspec folder"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    roots = {"folder": str(tmp_path), "fsspec": f"memory://{tmp_path.name}", "fsspec folder": f"file://{tmp_path}"}
    return Archive(roots[request.param])


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


def _files(archive: Archive) -> list[str]:
    system, path = fsspec.core.url_to_fs(archive.root)
    return list(system.find(path)) if system.exists(path) else []


class Breaking:
    """Entries of which the third cannot be had, after half of the file is written."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __iter__(self) -> Iterator[tuple[Snapshot, bytes]]:
        yield _snapshot(1, b"one"), b"one"
        yield _snapshot(2, b"two" * 100_000), b"two" * 100_000
        raise self._error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("odd")])
def test_nothing_is_published_when_writing_fails(archive: Archive, error: BaseException) -> None:
    expected = ArchiveError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected, match="No space left" if isinstance(error, OSError) else None):
        archive.pack(Breaking(error), NOW)
    assert _files(archive) == []
    assert len(archive.pack([(_snapshot(1, b"one"), b"one")], NOW)) == 1, "and the next one is"
    assert len(_files(archive)) == 1


def test_an_upload_that_fails_at_its_end_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(f"memory://{tmp_path.name}")

    def refuse(_: object) -> None:
        raise OSError(5, "the other side hung up")

    monkeypatch.setattr(MemoryFile, "commit", refuse)
    with pytest.raises(ArchiveError, match="cannot be written: the other side hung up"):
        archive.pack([(_snapshot(1, b"one"), b"one")], NOW)
    monkeypatch.undo()
    assert _files(archive) == []
    assert len(archive.pack([(_snapshot(1, b"one"), b"one")], NOW)) == 1


@pytest.mark.parametrize(
    ("error", "kind"), [(EOFError("cut short"), ArchiveDamaged), (OSError(28, "No space left on device"), ArchiveError)]
)
def test_a_file_that_cannot_be_rewritten_stays_as_it_was(
    archive: Archive, error: Exception, kind: type[ArchiveError]
) -> None:
    bodies = {1: b"one" * 1000, 2: b"two" * 1000}
    pointers = dict(archive.pack([(_snapshot(n, body), body) for n, body in bodies.items()], NOW))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(archive_module, "_copied", lambda *_: (_ for _ in ()).throw(error))
        with pytest.raises(ArchiveError, match="cannot be rewritten") as told:
            archive.without(pointers[1].file, [pointers[1].offset], NOW)
    assert told.type is kind, "a full disk is no damage"
    assert len(_files(archive)) == 1
    assert {n: archive.read(pointer) for n, pointer in pointers.items()} == bodies
