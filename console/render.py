"""Rows to aligned columns, and text from the web made safe for a terminal."""

import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

# C0, DEL, C1 (a terminal obeys some of them) and the marks that reorder what is shown (Unicode UAX 9)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_GAP = 2
_LEAST = 8
"""Columns of the screen below which no column is cut."""


def safe(text: str) -> str:
    """The text without characters that steer a terminal; line ends and tabs stay."""
    return _UNSAFE.sub("", text)


def one_line(text: str) -> str:
    """The text on one line, safe for a terminal."""
    return " ".join(safe(text.replace("\r", "\n")).split())


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal: wide characters take two, combining marks none (Unicode UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def fit(text: str, width: int) -> str:
    """The text cut to that many columns, with an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def cell(value: Any) -> str:
    """How a value stands in a table: times to the minute, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(str(value))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int | None = None) -> list[str]:
    """The lines of a table: columns aligned, numbers to the right; with a width, the widest columns are cut to fit."""
    body = [list(row) for row in rows]
    texts = [list(head), *([cell(value) for value in row] for row in body)]
    widths = [max(width_of(row[at]) for row in texts) for at in range(len(head))]
    if width is not None:
        widths = _shrink(widths, width - _GAP * (len(widths) - 1))
    right = [_numbers(row[at] for row in body) for at in range(len(head))]
    return [_line(row, widths, right) for row in texts]


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; cut to the screen and with a bold head on a terminal only."""
    screen = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for number, line in enumerate(table(head, rows, width=screen)):
        click.echo(click.style(line, bold=True) if number == 0 else line)


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in two columns; a value of several lines keeps them."""
    listed = [(name, value) for name, value in facts if value not in (None, "", ())]
    wide = max((width_of(name) for name, _ in listed), default=0)
    for name, value in listed:
        click.echo(f"{click.style(name.ljust(wide), bold=True)}  {cell(value)}")


def print_json(value: Any, *, lines: bool = True) -> None:
    """Print one JSON value, on one line or indented; escaped where the output's encoding cannot hold it."""
    ascii_only = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(value, ensure_ascii=ascii_only, indent=None if lines else 2))


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _numbers(values: Iterable[Any]) -> bool:
    return all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values)


def _shrink(widths: list[int], room: int) -> list[int]:
    widths = list(widths)
    while sum(widths) > room and max(widths) > _LEAST:
        widest = widths.index(max(widths))
        rest = sorted(widths)[-2] if len(widths) > 1 else 0
        widths[widest] = max(_LEAST, min(widths[widest] - 1, max(rest, widths[widest] - (sum(widths) - room))))
    return widths


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, width, to_right in zip(row, widths, right, strict=True):
        shown = fit(text, width)
        blank = " " * (width - width_of(shown))
        parts.append(blank + shown if to_right else shown + blank)
    return (" " * _GAP).join(parts).rstrip()
