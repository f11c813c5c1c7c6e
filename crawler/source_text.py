"""A source's configuration as the TOML entry that it can be read from again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from storage.records import SourceConfig, SourceKind

_PLAIN = ("language", "publisher", "recipe", "cron", "basic", "bearer", "proxy")


def source_text(config: SourceConfig) -> str:
    """One line for each key that differs from the default; `source_config` of it gives an equal configuration."""
    return "".join(f"{key} = {_toml(value)}\n" for key, value in _entry(config))


def _entry(config: SourceConfig) -> Iterator[tuple[str, Any]]:
    yield from (("name", config.name), ("url", config.url))
    if config.kind is not SourceKind.AUTO:
        yield "kind", config.kind.value
    if config.interval_s is not None:
        yield "every", config.interval_s
    if config.timezone != "UTC":
        yield "timezone", config.timezone
    yield from ((key, value) for key in _PLAIN if (value := getattr(config, key)) is not None)
    yield from ((key, list(value)) for key in ("include", "exclude") if (value := getattr(config, key)))
    yield from ((key, dict(value)) for key in ("headers", "cookies", "retention") if (value := getattr(config, key)))
    yield from ((key, value) for key in ("render", "priority") if (value := getattr(config, key)))
    if config.delay_s is not None:
        yield "delay", config.delay_s
    if config.concurrency != 1:
        yield "concurrency", config.concurrency


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + " }"
    # a JSON string is a TOML basic string (toml.io, "String") where DEL is written as an escape
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
