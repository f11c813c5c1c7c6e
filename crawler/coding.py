"""Undoing a body's content coding (RFC 9110 section 8.4), strictly: what is cut short or too large is no body."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

ACCEPTED = "gzip, deflate, br, zstd"
"""What requests offer."""

_CHUNK = 65_536
_MOST_FRAMES = 1_000
"""Members or frames of one body: after each, all that is left is copied, and a megabyte holds 50,000 of them."""
_MANY = f"more than {_MOST_FRAMES} compressed streams in one body"
_MAGIC = b"\x1f\x8b"
_PLAIN = re.compile(
    rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype|\?xml|html|head|body|rss|feed|rdf:rdf|urlset|sitemapindex)[\s>]"
)
"""How a document begins, and no compressed stream: its bytes would have to be letters by chance."""
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""Window sizes by which zlib tells its three containers apart."""


class TooLarge(ValueError):
    """The decoded body passes the limit."""


class CutShort(ValueError):
    """The coded stream ends before its end, or is damaged: the body is not the whole one."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def decode(body: bytes, codings: Iterable[str], most: int) -> bytes:
    """The body without its codings, the last one applied undone first. `most` bytes may come out.

    A coding that nobody knows, and the name of one on a body that is plain markup or no gzip, leave the body as it is:
    a proxy undid the coding and left its name. Raises TooLarge and CutShort.
    """
    names = [name.strip().lower() for line in codings for name in line.split(",")]
    for name in reversed(names):
        if name in _DECODERS and body and not _PLAIN.match(body):
            body = _DECODERS[name](body, most)
    return body


def known(codings: Iterable[str]) -> bool:
    """Whether all of these codings can be undone."""
    return all(name.strip().lower() in (*_DECODERS, "identity", "") for line in codings for name in line.split(","))


def library(*names: str) -> Any:
    """The first module of those names that there is; Scrapy brings one for each coding. Raises ImportError."""
    *others, last = names
    for name in others:
        with suppress(ImportError):
            return import_module(name)
    return import_module(last)


def _gunzip(body: bytes, most: int) -> bytes:
    """RFC 1952; several members follow each other, and what stands after the last is not part of it."""
    whole, left = bytearray(), body
    for _ in range(_MOST_FRAMES):
        if left[:2] != _MAGIC:
            return bytes(whole) or left
        member = zlib.decompressobj(_GZIP)
        whole += _inflated(member, left, most - len(whole))
        left = member.unused_data
    raise TooLarge(_MANY)


def _inflate(body: bytes, most: int) -> bytes:
    try:
        return _inflated(zlib.decompressobj(_ZLIB), body, most)
    except CutShort:  # some servers send the bare stream, and browsers take both
        return _inflated(zlib.decompressobj(_RAW), body, most)


def _inflated(decoder: zlib._Decompress, body: bytes, most: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    while rest and not decoder.eof:
        try:
            parts.append(decoder.decompress(rest, _CHUNK))
        except zlib.error as error:
            if "data check" in str(error) and body[:2] == _MAGIC:
                return _unchecked(body, most)
            raise CutShort(str(error)) from error
        size += len(parts[-1])
        _check(size, most)
        rest = decoder.unconsumed_tail
    if not decoder.eof:
        raise CutShort("the compressed stream has no end")
    return b"".join(parts)


def _unchecked(body: bytes, most: int) -> bytes:
    """A gzip stream that is whole but for its checksum, which browsers do not look at: all but its last eight bytes."""
    try:
        whole = zlib.decompressobj(_GZIP).decompress(body[:-8], most + 1)
    except zlib.error as error:
        raise CutShort(str(error)) from error
    _check(len(whole), most)
    return whole


def _unbrotli(body: bytes, most: int) -> bytes:
    brotli = library("brotli", "brotlicffi")
    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size, data = 0, body
    while not decoder.is_finished():
        try:
            part = decoder.process(data, output_buffer_limit=_CHUNK)
        except brotli.error as error:
            raise CutShort(str(error)) from error
        if not part and not data:
            raise CutShort("the compressed stream has no end")
        data = b""
        parts.append(part)
        size += len(part)
        _check(size, most)
    return b"".join(parts)


def _unzstd(body: bytes, most: int) -> bytes:
    """RFC 8878; frames follow each other."""
    zstd = library("compression.zstd", "backports.zstd")
    whole, left = bytearray(), body
    for _ in range(_MOST_FRAMES):
        if not left:
            return bytes(whole)
        frame = zstd.ZstdDecompressor()
        try:
            whole += _fed(frame, left, most - len(whole))
        except zstd.ZstdError as error:
            raise CutShort(str(error)) from error
        left = frame.unused_data
    raise TooLarge(_MANY)


def _fed(decoder: _Decoder, body: bytes, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while not decoder.eof:
        part = decoder.decompress(body, _CHUNK)
        if not part and not body:
            raise CutShort("the compressed stream has no end")
        body = b""
        parts.append(part)
        size += len(part)
        _check(size, most)
    return b"".join(parts)


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"more than {most} bytes after decompression")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
