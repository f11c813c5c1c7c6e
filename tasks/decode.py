"""Turns the bytes of a page into text, by the order of the WHATWG: BOM, header, declaration, statistics."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import webencodings

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([^\s"'/>;]+)""", re.IGNORECASE)
_META = re.compile(rb"<meta[\s/][^<>]*+>", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_XML = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
# WHATWG names Python's narrower codec where browsers read the wider one.
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949", "big5": "big5hkscs"}
_ISO_2022_JP = codecs.lookup("iso-2022-jp").name
_JAPANESE = re.compile(rb"\x1b\$[@B]")
"""The escape by which ISO-2022-JP goes over to Japanese; all of its bytes are ASCII's (RFC 1468)."""
_PRESCAN = 1024
_SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text, the encoding it was read in, and what named that encoding."""

    text: str
    encoding: str
    source: str
    """`bom`, `header`, `meta`, `utf-8` (the bytes are valid UTF-8), `detector` or `default`."""


def decode(body: bytes, content_type: str | None) -> Decoded:
    """Read `body` in its encoding (WHATWG HTML, "determining the character encoding"). Never raises.

    One departure: bytes that are valid UTF-8 beyond ASCII are read as UTF-8 even if a label names a single-byte or
    East Asian encoding, for such bytes practically never occur in those. U+FFFD stands for what cannot be decoded.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return Decoded(body[len(bom) :].decode(name, "replace"), name, "bom")
    label, source = _declared(body, content_type)
    if label is None and _JAPANESE.search(body):
        label, source = _ISO_2022_JP, "detector"
    if label is None or not label.startswith("utf-16"):
        text = _as_utf8(body)
        if text is not None and (label != _ISO_2022_JP or not text.isascii()):
            named = label if label == "utf-8" or (label and text.isascii()) else None
            return Decoded(text, named or "utf-8", source if named else "utf-8")
    if label is not None:
        return Decoded(_read(body, label), label, source)
    return _detected(body)


def _declared(body: bytes, content_type: str | None) -> tuple[str | None, str]:
    found = _CHARSET.search((content_type or "").encode("ascii", "ignore"))
    name = _codec(found[1]) if found else None
    if name:
        return name, "header"
    return _prescan(body), "meta"


def _prescan(body: bytes) -> str | None:
    """The encoding that the markup declares; a declared UTF-16 means UTF-8, for the markup was readable as ASCII."""
    # The standard looks at 1024 bytes; templates with long heads made browsers look on, so the whole head is read.
    end = max(_PRESCAN, body.find(b"<body", 0, _SAMPLE), body.find(b"<BODY", 0, _SAMPLE))
    head = _COMMENT.sub(b"", body[:end])
    xml = _XML.match(head)
    labels = [found[1] for meta in _META.findall(head) if (found := _CHARSET.search(meta))]
    for label in [*labels, *([xml[1]] if xml else [])]:
        name = _codec(label)
        if name:
            return "utf-8" if name.startswith("utf-16") else name
    return None


def _codec(label: bytes) -> str | None:
    """The Python codec of a WHATWG label, None for an unknown one."""
    encoding = webencodings.lookup(label.decode("ascii", "ignore"))
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    return _WIDER.get(encoding.name) or str(encoding.codec_info.name)


def _as_utf8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A body cut in the middle of a character at its very end is still UTF-8.
        cut = error.reason == "unexpected end of data" and error.start >= 256
        return body[: error.start].decode("utf-8") + "\ufffd" if cut and not body[: error.start].isascii() else None


def _read(body: bytes, name: str) -> str:
    if name == "cp1252":
        # The WHATWG decoder maps the five bytes that Python's leaves undefined to the C1 controls.
        return body.decode("cp1252", "copydesk_c1")
    return body.decode(name, "replace")


def _c1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("copydesk_c1", _c1)


def _detected(body: bytes) -> Decoded:
    """Ask statistics, on the part of the bytes that is not ASCII markup."""
    # One bad byte in a long UTF-8 text is damage, not another encoding.
    text = body.decode("utf-8", "replace")
    bad, beyond = text.count("\ufffd"), len(text) - len(text.encode("ascii", "ignore"))
    if beyond and bad * 10 <= beyond:
        return Decoded(text, "utf-8", "utf-8")
    from charset_normalizer import from_bytes  # noqa: PLC0415  (needed by few pages)

    best = from_bytes(_telling(body), steps=5, chunk_size=2048, cp_exclusion=["utf_7"]).best()
    encoding = webencodings.lookup(best.encoding.replace("_", "-")) if best else None
    if best is None:
        return Decoded(_read(body, "cp1252"), "cp1252", "default")
    name = _WIDER.get(encoding.name, encoding.codec_info.name) if encoding else best.encoding
    return Decoded(_read(body, name), name, "detector")


def _telling(body: bytes) -> bytes:
    """The lines that hold bytes beyond ASCII: 20 kB of script before the text mislead statistics."""
    lines = [line for line in re.sub(rb"<[^<>]*+>", b"\n", body).split(b"\n") if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE]
