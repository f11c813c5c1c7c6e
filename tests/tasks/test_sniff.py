"""What a file is, told by its first bytes."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.sniff import HEAD, Kind, gunzip, kind_of


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"<!DOCTYPE html><html>", Kind.HTML),
        (b"\xef\xbb\xbf\n <p>A fragment.</p>", Kind.HTML),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>", Kind.HTML),
        ("<html><body>".encode("utf-16"), Kind.HTML),
        (b"<?xml version='1.0'?>\n<!-- a --><rss version='2.0'><channel>", Kind.LISTING),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", Kind.LISTING),
        (b"<rdf:RDF xmlns:rdf='x'>", Kind.LISTING),
        (b"<urlset><url>", Kind.LISTING),
        (b'{"url": "https://x.example/"}\n', Kind.JSON),
        (b'[\n {"url": 1}]', Kind.JSON),
        (b"{\n", Kind.JSON),
        (b"[Correction] The mayor did not resign.\n\nText.", Kind.TEXT),
        (b"A headline\n\nA paragraph with 3 < 5 in it.", Kind.TEXT),
        ("Überschrift".encode("cp1252"), Kind.TEXT),
        (b"WARC/1.0\r\nWARC-Type: warcinfo", Kind.WARC),
        (gzip.compress(b"WARC/1.1\r\nWARC-Type: response", mtime=0), Kind.WARC),
        (gzip.compress(b"<html>", mtime=0), Kind.HTML),
    ],
)
def test_kinds(head: bytes, kind: Kind) -> None:
    assert kind_of(head) is kind


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04word", "a ZIP archive"),
        (b"\x7fELF\x02\x01\x01\x00", "binary"),
        (b"\x1f\x8bnot gzip", "binary"),
    ],
)
def test_what_cannot_be_read(head: bytes, why: str) -> None:
    found = kind_of(head)
    assert not isinstance(found, Kind)
    assert why in found


@given(st.binary(max_size=HEAD))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    assert kind_of(head)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_gzip_of_several_members(parts: list[bytes]) -> None:
    packed = b"".join(map(gzip.compress, parts))
    assert gunzip(packed, 10_000) == b"".join(parts)


def test_gzip_that_is_torn_or_grows() -> None:
    assert gunzip(gzip.compress(b"x" * 1000, mtime=0)[:-9], 10_000) is None
    grown = gunzip(gzip.compress(b"0" * 10_000_000, mtime=0), 1000)
    assert grown is not None
    assert len(grown) == 1001
