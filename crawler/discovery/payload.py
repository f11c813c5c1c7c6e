"""From the bytes of a listing to its text: unpacked within a limit, decoded by what the bytes are."""

from __future__ import annotations

import codecs
import re
import zlib

import webencodings

from crawler.discovery.listing import MAX_BYTES
from storage.errors import DiscoveryError

_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 1_000
"""Of one file: each is followed by a copy of all that is left, and a megabyte holds 50,000 of them."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:\-]+)", re.IGNORECASE)
_DECLARED = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:\-]+)|<meta[^>]*?charset\s*=\s*[\"']?\s*([\w.:\-]+)", re.IGNORECASE
)


def unpack(body: bytes) -> bytes:
    """Undo gzip, told by its magic bytes (RFC 1952), up to twice. Raises DiscoveryError `too_large` or `truncated`."""
    for _ in range(2):
        if body.startswith(_GZIP):
            body = _gunzip(body)
    if len(body) > MAX_BYTES:
        raise DiscoveryError("too_large", f"more than {MAX_BYTES} bytes")
    return body


def decode(body: bytes, content_type: str | None = None) -> str:
    """Return the text: by its BOM, as UTF-8 if it is that, else as the header or the document itself says.

    Labels mean what WHATWG Encoding says they mean (`latin1` is windows-1252). Single bytes that break UTF-8 are
    read as windows-1252, which is what they nearly always are.
    """
    for bom, codec in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(codec, "replace")
    if name := _wide(body[:4]):
        return body.decode(name, "replace")
    labels = _labels(body[:4096], content_type)
    if b"\x1b" not in body:  # escapes: ISO-2022-JP is ASCII by its bytes, and so UTF-8 too
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for encoding in labels:
        if encoding.name != "utf-8":
            return str(webencodings.decode(body, encoding, "replace")[0])
    return body.decode("utf-8", "copydesk.cp1252")


def _gunzip(body: bytes) -> bytes:
    """Unpack all members of a gzip file, never more than the limit into memory."""
    unpacked = bytearray()
    for _ in range(_MOST_MEMBERS):
        if not body.startswith(_GZIP):
            return bytes(unpacked)
        member = zlib.decompressobj(wbits=31)
        try:
            unpacked += member.decompress(body, MAX_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise DiscoveryError("truncated", f"damaged gzip: {error}") from error
        if len(unpacked) > MAX_BYTES:
            raise DiscoveryError("too_large", f"more than {MAX_BYTES} bytes when unpacked")
        if not member.eof:
            raise DiscoveryError("truncated", "the gzip file breaks off")
        body = member.unused_data
    raise DiscoveryError("too_large", f"more than {_MOST_MEMBERS} gzip members")


def _wide(head: bytes) -> str | None:
    if len(head) < 4 or b"<" not in head:
        return None
    if head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    return "utf-16-be" if head[0] == head[2] == 0 and head[1] and head[3] else None


def _labels(head: bytes, content_type: str | None) -> list[webencodings.Encoding]:
    header = _HEADER.search(content_type or "")
    declared = _DECLARED.search(head)
    names = [header[1] if header else "", (declared[1] or declared[2]).decode("ascii") if declared else ""]
    found = [webencodings.lookup(name) for name in names if name]
    return [
        encoding for encoding in found if encoding and not encoding.name.startswith(("utf-16", "x-user", "replacement"))
    ]


def _one_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1


codecs.register_error("copydesk.cp1252", _one_byte)
