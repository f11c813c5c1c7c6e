"""Compares two versions of a text for a reader: which sentences came, went or changed, and in which words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# A sentence ends at its mark, with the quotes and brackets that close after it, before a space; or at a line's end.
# Between ideographs no space follows the full stop.
_SENTENCE = re.compile(r".+?(?:[.!?…][\"'”’»)\]]*(?=\s)|[。！？][」』”’]*|$)\s*", re.MULTILINE)
_WORD = re.compile(r"\w+(?:[.,'’-]\w+)*|[^\w\s]|\s+")
_ALIKE = 0.5
"""Share of common words from which a sentence counts as changed, and not as one that went and another that came."""
_LONGEST = 400
"""Words of a sentence that is compared word by word; a longer one is shown whole, as before and after."""


class Kind(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that were kept, added or removed."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of either version; a changed one has the pieces of both."""

    kind: Kind
    pieces: tuple[Piece, ...]

    @property
    def before(self) -> str:
        """As it stood in the old version; empty for an added one."""
        return "".join(piece.text for piece in self.pieces if piece.kind is not Kind.ADDED)

    @property
    def after(self) -> str:
        """As it stands in the new version; empty for a removed one."""
        return "".join(piece.text for piece in self.pieces if piece.kind is not Kind.REMOVED)


def diff(old: str, new: str) -> list[Sentence]:
    """The sentences of both versions in reading order; their `after` joined is the new text, `before` the old."""
    before, after = sentences(old), sentences(new)
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [one for code in codes for one in _piece(code, before, after)]


def marked(changes: Sequence[Sentence], *, context: int = 0) -> str:
    """The changes as plain text, a sentence a line: `- ` gone, `+ ` new, `~ ` changed with [-old-]{+new+} words.

    `context` is how many kept sentences are shown on each side of a change (`  `); others are left out.
    """
    near = {
        at
        for at, one in enumerate(changes)
        if any(other.kind is not Kind.KEPT for other in changes[max(at - context, 0) : at + context + 1])
    }
    return "\n".join(_line(one) for at, one in enumerate(changes) if at in near)


def sentences(text: str) -> list[str]:
    """The sentences of a text with the white space after them: joined they are the text."""
    return _SENTENCE.findall(text)


def _piece(code: tuple[str, int, int, int, int], before: list[str], after: list[str]) -> Iterator[Sentence]:
    tag, a, b, c, d = code
    if tag == "equal":
        yield from (_whole(Kind.KEPT, text) for text in before[a:b])
        return
    gone, come = before[a:b], after[c:d]
    # In order: a changed sentence is paired with the first that is left and alike.
    for text in gone:
        match = next((at for at, other in enumerate(come) if _alike(text, other)), None)
        if match is None:
            yield _whole(Kind.REMOVED, text)
            continue
        yield from (_whole(Kind.ADDED, other) for other in come[:match])
        yield Sentence(Kind.CHANGED, tuple(_words(text, come[match])))
        come = come[match + 1 :]
    yield from (_whole(Kind.ADDED, text) for text in come)


def _whole(kind: Kind, text: str) -> Sentence:
    return Sentence(kind, (Piece(kind, text),))


def _alike(one: str, other: str) -> bool:
    a, b = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    return bool(a and b) and len(a & b) >= _ALIKE * max(len(a), len(b))


def _words(old: str, new: str) -> Iterator[Piece]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > 2 * _LONGEST:
        yield from (Piece(Kind.REMOVED, old), Piece(Kind.ADDED, new))
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece(Kind.KEPT, "".join(before[a:b]))
            continue
        if b > a:
            yield Piece(Kind.REMOVED, "".join(before[a:b]))
        if d > c:
            yield Piece(Kind.ADDED, "".join(after[c:d]))


def _line(one: Sentence) -> str:
    signs = {Kind.KEPT: "  ", Kind.ADDED: "+ ", Kind.REMOVED: "- ", Kind.CHANGED: "~ "}
    frames = {Kind.KEPT: ("", ""), Kind.REMOVED: ("[-", "-]"), Kind.ADDED: ("{+", "+}")}
    if one.kind is not Kind.CHANGED:
        return signs[one.kind] + " ".join((one.after or one.before).split())
    shown = [(frames[piece.kind] if piece.text.strip() else ("", ""), piece.text) for piece in one.pieces]
    framed = (f"{start}{text}{end}" for (start, end), text in shown)
    return signs[one.kind] + " ".join("".join(framed).split())
