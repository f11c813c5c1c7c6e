"""One source entry, as a mapping of keys to values, to a checked source configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.errors import SourceError
from storage.records import RETAINED, Headers, SourceConfig, SourceKind

RESERVED = frozenset({"manual"})
"""Names that a source of an operator cannot have."""

MOST_CONCURRENCY = 8
"""Requests to one site at the same time; more than a browser makes is no longer polite."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TEXTS = ("timezone", "language", "publisher", "recipe", "cron")
_VARIABLES = ("basic", "bearer")
_TABLES = ("headers", "cookies", "retention")
_KEYS = frozenset(
    {"name", "url", "kind", "every", "include", "exclude", "priority", "proxy", "render", "delay", "concurrency"}
    | {*_TEXTS, *_VARIABLES, *_TABLES}
)
_UNSET: Mapping[str, Any] = {}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOGIN = re.compile(r"(?:[^:@/?#\s${}]+|\$\{[A-Za-z_]\w*\}):\$\{[A-Za-z_]\w*\}", re.ASCII)
"""A user, by name or by reference, and a password by reference."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~\w-]+")


def source_config(entry: Mapping[str, Any], where: str) -> SourceConfig:
    """One checked configuration. Raises SourceError naming the place, the key and what is wrong with its value."""
    for key in entry.keys() - _KEYS:
        raise SourceError(f"{where}: unknown key {key!r}; known: {', '.join(sorted(_KEYS))}")
    url = _url(entry.get("url"), "url", where)
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
        cookies=_cookies(entry.get("cookies", _UNSET), where),
        basic=_variable(entry, "basic", where),
        bearer=_variable(entry, "bearer", where),
        proxy=_proxy(entry.get("proxy"), where),
        render=_truth(entry.get("render", False), "render", where),
        delay_s=_delay(entry.get("delay"), where),
        concurrency=_concurrency(entry.get("concurrency", 1), where),
        retention=_retention(entry.get("retention", _UNSET), where),
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


def _url(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SourceError(f"{where}: {key}: is missing")
    value = value.strip()
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if good and "@" in parts.netloc:  # said without the value: it holds a password
        raise SourceError(f"{where}: {key}: holds a password; name an environment variable with 'basic' instead")
    if not good or re.search(r"\s", value):
        raise SourceError(f"{where}: {key}: {value!r} is no http or https address")
    return str(value)


def _proxy(value: Any, where: str) -> str | None:
    """The address of a proxy, with or without a log-in by reference. A log-in in clear is not repeated in a message."""
    if value is None:
        return None
    scheme, _, rest = str(value).strip().partition("://")
    login, at, host = rest.rpartition("@")
    if at and not _LOGIN.fullmatch(login):
        form = "http://USER:${VARIABLE}@HOST:PORT, with the name of an environment variable"
        raise SourceError(f"{where}: proxy: its log-in must be written as {form}")
    address = _url(f"{scheme}://{host}", "proxy", where)
    if address.count("/") > 2:
        raise SourceError(f"{where}: proxy: {address!r} must end after the port")
    return f"{scheme}://{login}{at}{host}"


def _truth(value: Any, key: str, where: str) -> bool:
    if not isinstance(value, bool):
        raise SourceError(f"{where}: {key}: must be true or false, not {value!r}")
    return value


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


def _variable(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    """The name of an environment variable. A value that is none may be a secret: no message repeats it."""
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise SourceError(f"{where}: {key}: must be the name of an environment variable that holds the secret")
    if key == "bearer" and entry.get("basic") is not None:
        raise SourceError(f"{where}: bearer: excludes basic; keep one of the two")
    return value


def _integer(value: Any, key: str, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise SourceError(f"{where}: {key}: must be a whole number, not {value!r}")
    return value


def _concurrency(value: Any, where: str) -> int:
    if not 1 <= _integer(value, "concurrency", where) <= MOST_CONCURRENCY:
        raise SourceError(f"{where}: concurrency: must be from 1 to {MOST_CONCURRENCY}, not {value}")
    return int(value)


def _delay(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3600:
        raise SourceError(f"{where}: delay: must be seconds from 0 to 3600, not {value!r}")
    return float(value)


def _interval(value: Any, where: str) -> int | None:
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise SourceError(f"{where}: every: {error}") from error


def _check_schedule(texts: Mapping[str, str], entry: Mapping[str, Any], where: str) -> None:
    if "cron" in texts and entry.get("every") is not None:
        raise SourceError(f"{where}: cron: excludes every; keep one of the two")
    zone = texts.get("timezone", "UTC")
    if not _is_zone(zone):
        raise SourceError(f"{where}: timezone: {zone!r} is no IANA time zone, like Europe/Berlin")
    if "cron" in texts:
        _check_cron(texts["cron"], where)


@lru_cache(maxsize=1024)
def _is_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


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


def _headers(value: Any, where: str) -> Headers:
    pairs = _pairs(value, "headers", where)
    for name, _ in pairs:
        if name.lower() in ("authorization", "cookie", "proxy-authorization"):
            raise SourceError(f"{where}: headers: {name} would be stored in clear; use basic, bearer or cookies")
    return pairs


def _cookies(value: Any, where: str) -> Headers:
    pairs = _pairs(value, "cookies", where)
    for name, text in pairs:
        if ";" in text or "," in text:
            raise SourceError(f"{where}: cookies: the value of {name!r} holds a separator (RFC 6265 section 4.1.1)")
    return pairs


def _pairs(value: Any, key: str, where: str) -> Headers:
    if not isinstance(value, Mapping):
        raise SourceError(f"{where}: {key}: must be a table of names and values, not {value!r}")
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or not isinstance(text, str) or re.search(r"[\r\n\0]", text):
            raise SourceError(f"{where}: {key}: {name!r} is no {key[:-1]} with a value of one line")
        if text.startswith("env:") and not _VARIABLE.fullmatch(text[4:]):
            raise SourceError(f"{where}: {key}: {name!r}: what follows env: is no name of an environment variable")
    return tuple(value.items())


def _retention(value: Any, where: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise SourceError(f"{where}: retention: must be a table of kinds and days, not {value!r}")
    for kind in value:
        if kind not in RETAINED:
            raise SourceError(f"{where}: retention: {kind!r} is none of {', '.join(RETAINED)}")
    return tuple((kind, _days(days, kind, where)) for kind, days in value.items())


def _days(value: Any, kind: str, where: str) -> int:
    """Days as `30`, `30d` or `forever`, which is 0."""
    if value == "forever":
        return 0
    found = re.fullmatch(r"([1-9]\d{0,5})d?", str(value).strip())
    if found is None:
        raise SourceError(f"{where}: retention: {kind}: must be days, like 30, 30d or forever, not {value!r}")
    return int(found[1])
