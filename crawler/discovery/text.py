"""Plain text out of the titles and bodies of entries, and bodies with absolute links."""

from __future__ import annotations

import html
import re
from functools import cache
from html.entities import html5
from importlib import resources
from urllib.parse import urljoin

MAX_TEXT = 2_000
"""Characters of a title or summary that are kept."""

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNSEEN = re.compile(r"(?is)<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_ATTRIBUTE = re.compile(
    r"""(?P<head>\s(?P<name>href|src|poster|cite|srcset)\s*=\s*)(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'<>]+))""",
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """Drop what neither XML nor a database takes: controls, lone surrogates, non-characters."""
    return _UNSTORABLE.sub("", text)


def plain(text: str, *, is_html: bool) -> str | None:
    """Return a title as plain text on one line, or None if nothing is left.

    Titles are escaped once too often or once too little. In HTML all known tags go; in plain text only whole pairs of
    them (`<em>so</em>`), as a lone `<b>` may be meant. A `<` that begins no known element stays.
    """
    text = scrub(text[: 4 * MAX_TEXT])
    if is_html:
        text = _tags().sub("", _UNSEEN.sub("", text))
    text = _pairs().sub(r"\2", unescape(text))
    return " ".join(text.split())[:MAX_TEXT] or None


def plain_body(markup: str) -> str | None:
    """Return the beginning of an entry's description as plain text on one line, or None if nothing is left."""
    text = _tags().sub(" ", _UNSEEN.sub(" ", scrub(markup[: 16 * MAX_TEXT])))
    return " ".join(unescape(text).split())[:MAX_TEXT] or None


def unescape(text: str) -> str:
    """Undo character references that end in a semicolon; `AT&T` and `?a=1&copy=2` stay as they are."""
    return scrub(_REFERENCE.sub(_referred, text))


def has_markup(text: str) -> bool:
    """Return whether the text holds a tag of a known element."""
    return _tags().search(text) is not None


def absolute_links(markup: str, base: str) -> str:
    """Return the markup with its relative links resolved against `base`; all else stays as it is."""
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(lambda match: _absolute(match, base), tag[0]), scrub(markup))


def _referred(match: re.Match[str]) -> str:
    # Not html.unescape for a name: it reads `&notreal;` as `&not` and a rest.
    text = match[0]
    return html.unescape(text) if text[1] == "#" else html5.get(text[1:], text)


def _absolute(match: re.Match[str], base: str) -> str:
    value = match["double"] or match["single"] or match["bare"] or ""
    link = html.unescape(value).strip()
    if not link or link.startswith("#"):
        return match[0]
    if match["name"].lower() == "srcset":
        resolved = ", ".join(_join(base, *part.strip().partition(" ")) for part in link.split(", ") if part.strip())
    else:
        resolved = _join(base, link)
    return f'{match["head"]}"{html.escape(resolved)}"'


def _join(base: str, link: str, *rest: str) -> str:
    try:
        return urljoin(base, link) + "".join(rest)
    except ValueError:  # an unreadable link stays as it was written
        return link + "".join(rest)


@cache
def _names() -> str:
    lines = resources.files("crawler.data").joinpath("html_elements.txt").read_text("utf-8").splitlines()
    return "|".join(name for line in lines if not line.startswith("#") for name in line.split())


@cache
def _tags() -> re.Pattern[str]:
    return re.compile(rf"</?(?:{_names()})(?:\s[^<>]*)?/?>", re.IGNORECASE)


@cache
def _pairs() -> re.Pattern[str]:
    return re.compile(rf"<({_names()})(?:\s[^<>]*)?>([^<>]*)</\1\s*>", re.IGNORECASE)
