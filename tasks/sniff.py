"""What kind of file something is, told by its first bytes; names and suffixes are not believed."""

import re
import zlib
from enum import StrEnum

HEAD = 8192
"""Bytes that are enough to tell."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LISTING = re.compile(r"<(?:\w+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|body|meta|title|article|section|main|div|p|h[1-6]|ul|table|a)[\s>/]", re.IGNORECASE
)
_JSON = re.compile(r'[{\[]\s*(?:[{"\]}]|$)')
# First bytes of what people hand in by mistake (Wikipedia, "List of file signatures")
_KNOWN_BINARIES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
)


class Kind(StrEnum):
    """What can be ingested."""

    HTML = "html"
    TEXT = "text"
    JSON = "json"
    WARC = "warc"
    LISTING = "listing"
    """A feed or a sitemap."""


def kind_of(head: bytes) -> Kind | str:
    """The kind of the file that begins with these bytes, or in words why it is none that can be read."""
    if head[:2] == b"\x1f\x8b":
        return kind_of(_gunzipped(head))
    if head.startswith(b"WARC/"):
        return Kind.WARC
    for magic, name in _KNOWN_BINARIES:
        if head.startswith(magic):
            return f"is {name}; HTML, text, JSONL, WARC and feeds can be read"
    text = as_text(head)
    if text is None:
        return "is binary; HTML, text, JSONL, WARC and feeds can be read"
    return _kind_of_text(text.lstrip())


def as_text(head: bytes) -> str | None:
    """The bytes as text, or None where control characters say that they are none."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace")
    controls = sum(byte < 32 and byte not in b"\t\n\r\x0c\x1b" for byte in head)
    if b"\x00" in head or controls * 20 > len(head):
        return None
    return head.decode("utf-8", "replace")


def gunzip(data: bytes, most: int) -> bytes | None:
    """The content of gzip data of one or more members; None when it is damaged. Stops after `most` bytes."""
    out = b""
    try:
        while data and len(out) <= most:
            unpacker = zlib.decompressobj(31)
            out += unpacker.decompress(data, most + 1 - len(out))
            if not unpacker.eof:
                return out if len(out) > most else None
            data = unpacker.unused_data
    except zlib.error:
        return None
    return out


def _gunzipped(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD)
    except zlib.error:
        return b"\x00"  # damaged: nothing that can be read


def _kind_of_text(text: str) -> Kind:
    if _JSON.match(text):
        return Kind.JSON
    listing, markup = _LISTING.search(text), _HTML.search(text)
    if text.startswith("<") and listing and (markup is None or listing.start() < markup.start()):
        return Kind.LISTING
    return Kind.HTML if markup else Kind.TEXT
