"""Cleans the characters of a text: entities, invisible and control characters, odd spaces, Unicode form."""

import re
import unicodedata
from html.entities import html5

from storage.characters import storable

_REMOVED = (
    "\\x00-\\x08\\x0e-\\x1f\\x7f"  # C0 controls but the line breaks and the tab; U+0000 is refused by PostgreSQL
    "\\x81\\x8d\\x8f\\x90\\x9d"  # C1 controls that windows-1252 leaves undefined
    "\\u00ad\\u200b\\u2060-\\u2064\\ufeff"  # soft hyphen, zero-width space, word joiner and kin, inner BOM
    "\\u202a-\\u202e\\u2066-\\u206f"  # bidi embeddings and isolates: a cut text would leave them open
    "\\ufff9-\\ufffc"  # interlinear annotation, object replacement
    "\\ue000-\\uf8ff"  # private use: the icons of a page's own fonts
    "\\ufdd0-\\ufdef\\ufffe\\uffff"  # noncharacters
    "\\ud800-\\udfff"  # lone surrogates: no UTF-8 for them
)
# ZWNJ and ZWJ (U+200C, U+200D) carry meaning in Persian, Indic scripts and emoji; LRM, RLM and ALM close themselves.

_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
"""What a C1 control means in practice: the windows-1252 character (HTML, 'numeric character reference end state')."""

_LINE = "\n"
_REPLACED = {
    **{chr(code): character for code, character in _C1.items() if character},
    **dict.fromkeys("\u2010\u2011", "-"),
    **dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\r\x0b\u2028", _LINE),
    **dict.fromkeys("\x0c\u2029", _LINE * 2),
}
_ODD = re.compile(f"\\r\\n|[{_REMOVED}{re.escape(''.join(_REPLACED))}]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});")
_LONGEST = 34
_BLANK_LINES = re.compile(r"\n\s*\n")


def clean_line(text: str) -> str:
    """The text as one clean line: every run of white space, line breaks included, is one space."""
    return unicodedata.normalize("NFC", " ".join(_characters(text).split()))


def clean_text(text: str) -> str:
    """The text with its structure: clean lines, and one empty line between paragraphs."""
    paragraphs = (_lines(part) for part in _BLANK_LINES.split(_characters(text)))
    return unicodedata.normalize("NFC", "\n\n".join(part for part in paragraphs if part))


def clean_address(text: str) -> str:
    """A URL as it was written, but for entities, unstorable characters and outer white space."""
    return storable(decode_entities(text)).strip()


def decode_entities(text: str) -> str:
    """HTML character references decoded as often as they were encoded, in one pass over the text.

    Only references that end in a semicolon count: in plain text `?a=1&copy=2` is an address. Source: WHATWG HTML,
    'named character references' and 'numeric character reference end state'.
    """
    if not _ENTITY.search(text):
        return text
    done: list[str] = []
    for character in text:
        done.append(character)
        if character == ";":
            _reduce(done)
    return "".join(done)


def _reduce(done: list[str]) -> None:
    """Decode the reference that ends the list, and again while what came of it ends another one."""
    while done and done[-1] == ";":
        tail = "".join(done[-_LONGEST:])
        found = _ENTITY.fullmatch(tail, max(tail.rfind("&"), 0))
        decoded = _decoded(found.group()) if found else None
        if found is None or decoded is None:
            return
        del done[-len(found.group()) :]
        done.extend(_replace(unicodedata.normalize("NFC", decoded)))


def _decoded(reference: str) -> str | None:
    body = reference[1:-1]
    if not body.startswith("#"):
        return html5.get(body + ";")
    code = int(f"0{body[1:]}", 16) if body[1] in "xX" else int(body[1:])
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return chr(code)


def _characters(text: str) -> str:
    # NFC comes first because it can make a semicolon or a letter (U+037E, U+212A) that an entity needs, and once
    # more at the end because removed characters may have stood between a letter and its accent.
    return decode_entities(_replace(unicodedata.normalize("NFC", text)))


def _replace(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _ODD.sub(lambda found: _LINE if found.group() == "\r\n" else _REPLACED.get(found.group(), ""), text)


def _lines(paragraph: str) -> str:
    lines = (" ".join(line.split()) for line in paragraph.split(_LINE))
    return _LINE.join(line for line in lines if line)
