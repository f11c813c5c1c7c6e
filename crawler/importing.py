"""Source entries from TOML, OPML and CSV files to checked source configurations; no file and no database is touched."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crawler.source_entry import seconds, slug, source_config
from storage.errors import SourceError
from storage.records import SourceConfig

__all__ = ["read_sources", "seconds", "slug", "source_config"]

_NUMBERS = {"priority": int, "concurrency": int, "delay": float}
"""Keys whose cells in a CSV file are numbers."""
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""What the cells of `render` may say."""
_DOTTED = ("headers", "cookies", "retention")
"""Keys of which a CSV file has a column for each name: `headers.Accept-Language`."""


def read_sources(name: str, data: bytes) -> list[SourceConfig | SourceError]:
    """The sources of a TOML, OPML or CSV file in order, with an error in the place of each bad entry.

    A CSV file (RFC 4180; comma, semicolon or tab) begins with a row of the same keys. Raises SourceError when the file
    as a whole cannot be read; `name` is how errors call it.
    """
    entries = _opml(name, data) if _is_xml(data) else _csv(name, data) if _is_csv(data) else _toml(name, data)
    seen: dict[str, str] = {}
    return [found for where, entry in entries if (found := _checked(where, entry, seen)) is not None]


def _checked(where: str, entry: Mapping[str, Any], seen: dict[str, str]) -> SourceConfig | SourceError | None:
    try:
        config = source_config(entry, where)
    except SourceError as error:
        return error
    if config.name in seen:
        # a reader's OPML lists a feed once in each of its folders
        repeated = seen[config.name] == config.url and "xmlUrl" in where
        return None if repeated else SourceError(f"{where}: name: {config.name!r} stands twice in this file")
    seen[config.name] = config.url
    return config


def _is_xml(data: bytes) -> bool:
    return data[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").startswith(b"<")


def _toml(name: str, data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceError(f"{name}: neither TOML, OPML nor CSV: {error}") from error
    for key in document.keys() - {"source"}:
        raise SourceError(f"{name}: unknown key {key!r}; sources stand under [[source]] or [source.NAME]")
    yield from _named(name, document.get("source", []))


def _named(name: str, sources: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    listed: Iterable[tuple[str, Any]]
    if isinstance(sources, dict):
        listed = [
            (f"source.{key}", {"name": key, **entry} if isinstance(entry, dict) else entry)
            for key, entry in sources.items()
        ]
    else:
        listed = [(f"source {number}", entry) for number, entry in enumerate(sources, start=1)]
    for label, entry in listed:
        if not isinstance(entry, dict):
            raise SourceError(f"{name}: {label}: must be a table with at least a url, not {entry!r}")
        yield f"{name}: {label}", entry


def _opml(name: str, data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Outlines with an xmlUrl, however deeply nested (OPML 2.0, opml.org/spec2.opml)."""
    root = _xml(name, data)
    if root is None or root.tag.lower() != "opml":
        raise SourceError(f"{name}: the XML is no OPML: its root is <{root.tag if root is not None else 'nothing'}>")
    found = False
    for outline in root.iter("outline"):
        plain = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        found = found or "xmlurl" in plain
        if "xmlurl" in plain or plain.get("type", "").lower() == "rss":
            label = plain.get("text") or plain.get("title") or plain.get("xmlurl") or "?"
            entry = {"url": plain.get("xmlurl", "")} | (
                {"language": plain["language"]} if plain.get("language") else {}
            )
            yield f"{name}: outline {label!r} (line {outline.sourceline}) xmlUrl", entry
    if not found:
        raise SourceError(f"{name}: no outline in it has an xmlUrl")


def _xml(name: str, data: bytes) -> Any:
    from lxml import etree  # noqa: PLC0415 - only OPML needs it

    # lenient, because readers export unescaped ampersands; nothing is loaded and nothing is expanded
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"{name}: no XML: {error}") from error
    dtd = root.getroottree().docinfo.internalDTD if root is not None else None
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise SourceError(f"{name}: declares XML entities, which no OPML needs; remove the <!ENTITY> lines")
    return root


def _is_csv(data: bytes) -> bool:
    columns = re.split(r"[,;\t]", _first_line(data))
    return "url" in (column.strip().strip('"').lower() for column in columns)


def _first_line(data: bytes) -> str:
    return data[:4096].decode("utf-8-sig", "replace").lstrip("\r\n").partition("\n")[0].strip("\r")


def _csv(name: str, data: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: not UTF-8: {error}") from error
    separator = max(",;\t", key=_first_line(data).count)
    rows = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator)
    columns = [_column(label) for label in next(rows)]
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield f"{name}: line {rows.line_num}", _entry(columns, row)
    except csv.Error as error:
        raise SourceError(f"{name}: line {rows.line_num}: {error}") from error


def _column(label: str) -> str:
    key, dot, rest = label.strip().partition(".")
    return f"{key.lower()}{dot}{rest}"


def _entry(columns: list[str], row: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if len(row) > len(columns):
        entry[f"column {len(columns) + 1}"] = row[-1]  # an unknown key, and told as one
    for column, cell in zip(columns, row, strict=False):
        value, (key, _, inner) = cell.strip(), column.partition(".")
        if not value:
            continue
        if inner and key in _DOTTED:
            entry.setdefault(key, {})[inner] = value
        else:
            entry[column] = _cell(column, value)
    return entry


def _cell(column: str, value: str) -> Any:
    if column == "render":
        return _TRUTHS.get(value.lower(), value)  # the check of the key says what is wrong with another word
    return _number(value, _NUMBERS[column]) if column in _NUMBERS else value


def _number(text: str, kind: type[int] | type[float]) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text  # the check of the key says what is wrong with it
