"""Puts the tags of broken XML right: what is left open in one entry must not swallow the entries after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

DEEPEST = 200
"""Open elements. A parser gives up at 256, and all that follows is lost; the text of deeper ones stays."""

_TOKEN = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w:.\-]*)(?P<rest>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*)>",
    re.DOTALL,
)
_SOUND = re.compile(r"\s*/?")
_ATTRIBUTE = re.compile(
    r"(?P<name>[A-Za-z_][\w:.\-]*)(?:\s*=\s*(?:(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<bare>[^\s\"'<>=]+)))?"
)


@dataclass(slots=True)
class _Open:
    """The elements that are open at some place of a document."""

    stack: list[tuple[str, bool]] = field(default_factory=list)
    """Their names as written, and whether their tags are kept."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many there are of a name in small letters."""

    def begin(self, name: str) -> bool:
        kept = len(self.stack) < DEEPEST
        self.stack.append((name, kept))
        self.counts[name.lower()] += 1
        return kept

    def end(self, name: str) -> Iterator[str]:
        """Close the last element of that name with all in it; one that is not open has no end."""
        while self.counts[name.lower()]:
            last, kept = self.stack.pop()
            self.counts[last.lower()] -= 1
            if kept:
                yield f"</{last}>"
            if last.lower() == name.lower():
                return


def balanced(text: str) -> str:
    """Return the document with an end tag for each start tag and none else, nested no deeper than DEEPEST.

    An end tag closes what was left open within its element (`<p>One<p>Two</description>`); the letter case of the
    two need not be the same. Attributes get the quotation marks and values that they lack (`<a href=/x async>`).
    """
    found, at, parts = _Open(), 0, []
    for token in _TOKEN.finditer(text):
        parts.append(text[at : token.start()])
        at = token.end()
        parts.extend(_paired(token, found))
    return "".join([*parts, text[at:]])


def _paired(token: re.Match[str], found: _Open) -> Iterator[str]:
    name = token["name"]
    if name is None:
        yield token[0]
    elif token["end"]:
        yield from found.end(name)
    elif token["rest"].endswith("/") or found.begin(name):
        yield f"<{name}{_quoted(token['rest'])}>"


def _quoted(rest: str) -> str:
    """The attributes of a start tag, each once; with the slash, where one ends the tag."""
    if _SOUND.fullmatch(rest):
        return rest
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest.removesuffix("/")):
        found.setdefault(match["name"], match["quoted"] or f'"{match["bare"] or ""}"')
    return "".join(f" {name}={value}" for name, value in found.items()) + ("/" if rest.endswith("/") else "")
