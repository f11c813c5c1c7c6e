"""Source entries from TOML and OPML files to checked source configurations; no file and no database is touched."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.errors import SourceError
from storage.records import SourceConfig, SourceKind

RESERVED = frozenset({"manual"})
"""Names that a source of an operator cannot have."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TEXTS = ("timezone", "language", "publisher", "recipe", "cron")
_KEYS = frozenset({"name", "url", "kind", "every", "include", "exclude", "headers", "priority", *_TEXTS})
_UNSET: Mapping[str, Any] = {}


def read_sources(name: str, data: bytes) -> list[SourceConfig | SourceError]:
    """The sources of a TOML or OPML file in order, with an error in the place of each bad entry.

    Raises SourceError when the file as a whole cannot be read; `name` is how errors call it.
    """
    entries = _opml(name, data) if _is_xml(data) else _toml(name, data)
    seen: dict[str, str] = {}
    return [found for where, entry in entries if (found := _checked(where, entry, seen)) is not None]


def source_config(entry: Mapping[str, Any], where: str) -> SourceConfig:
    """One checked configuration. Raises SourceError naming the place, the key and what is wrong with its value."""
    for key in entry.keys() - _KEYS:
        raise SourceError(f"{where}: unknown key {key!r}; known: {', '.join(sorted(_KEYS))}")
    url = _url(entry.get("url"), where)
    name = _text(entry, "name", where) or slug(url)
    if name in RESERVED or not name.isprintable():
        raise SourceError(f"{where}: name: {name!r} cannot be the name of a source; choose another")
    texts = {key: value for key in _TEXTS if (value := _text(entry, key, where)) is not None}
    _check_schedule(texts, entry, where)
    return SourceConfig(
        name=name,
        url=url,
        kind=_kind(entry.get("kind", "auto"), where),
        interval_s=_interval(entry.get("every"), where),
        include=_patterns(entry, "include", where),
        exclude=_patterns(entry, "exclude", where),
        headers=_headers(entry.get("headers", _UNSET), where),
        priority=_integer(entry.get("priority", 0), "priority", where),
        **texts,
    )


def slug(url: str) -> str:
    """The name of a source that was given none: its host and path, with hyphens for what is not a letter or digit."""
    parts = urlsplit(url)
    return re.sub(r"[^\w.]+", "-", f"{parts.netloc}{parts.path}-{parts.query}".lower()).strip("-._")


def seconds(value: Any) -> int:
    """The seconds of `90`, `5m`, `1h` or `2d`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhd]?)", str(value).strip().lower())
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{value!r} is no duration; write seconds, or 5m, 1h, 2d")
    return int(found[1]) * _UNITS[found[2]]


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
        raise SourceError(f"{name}: neither TOML nor OPML: {error}") from error
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


def _url(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SourceError(f"{where}: url: is missing")
    value = value.strip()
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or re.search(r"\s", value):
        raise SourceError(f"{where}: url: {value!r} is no http or https address")
    return str(value)


def _kind(value: Any, where: str) -> SourceKind:
    allowed = [kind.value for kind in SourceKind if kind is not SourceKind.MANUAL]
    if value not in allowed:
        raise SourceError(f"{where}: kind: must be one of {', '.join(allowed)}, not {value!r}")
    return SourceKind(value)


def _text(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    value = entry.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise SourceError(f"{where}: {key}: must be a text, not {value!r}")
    return None if value is None else str(value).strip()


def _integer(value: Any, key: str, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise SourceError(f"{where}: {key}: must be a whole number, not {value!r}")
    return value


def _interval(value: Any, where: str) -> int | None:
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise SourceError(f"{where}: every: {error}") from error


def _check_schedule(texts: Mapping[str, str], entry: Mapping[str, Any], where: str) -> None:
    if "cron" in texts and entry.get("every") is not None:
        raise SourceError(f"{where}: cron: excludes every; keep one of the two")
    _check_zone(texts.get("timezone", "UTC"), where)
    if "cron" in texts:
        _check_cron(texts["cron"], where)


def _check_zone(zone: str, where: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SourceError(f"{where}: timezone: {zone!r} is no IANA time zone, like Europe/Berlin") from error


def _check_cron(line: str, where: str) -> None:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - few sources have one

    try:
        CronSim(line, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise SourceError(f"{where}: cron: {line!r} is no cron expression of five fields: {error}") from error


def _patterns(entry: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = entry.get(key, ())
    listed = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else [value]
    for pattern in listed:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise SourceError(f"{where}: {key}: {pattern!r} is no regular expression: {error}") from error
    return tuple(listed)


def _headers(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise SourceError(f"{where}: headers: must be a table of names and values, not {value!r}")
    for name, text in value.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name) or not isinstance(text, str) or re.search(r"[\r\n\0]", text):
            raise SourceError(f"{where}: headers: {name!r} is no header with a value of one line")
    return tuple(value.items())
