"""Records as JSON with every key always there, for programs that read the command line."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from storage.records import Article, Source


def whole(value: Any) -> Any:
    """A JSON value that keeps defaults and nulls; what `to_plain` leaves out for storage, a reader wants to see."""
    from storage.codec import rfc3339

    if is_dataclass(value) and not isinstance(value, type):
        return {spec.name: whole(getattr(value, spec.name)) for spec in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def source_json(source: Source) -> dict[str, Any]:
    """A source: what the operator said and what was learned, side by side."""
    plain = whole(source)
    config = plain.pop("config")
    fixed = config.pop("interval_s")
    names = {key: [name for name, _ in config[key]] for key in ("headers", "cookies")}
    return {**config, **plain, "every_s": fixed, **names, "retention": dict(config["retention"])}


def article_line(article: Article) -> tuple[Any, ...]:
    """An article as a row of a table."""
    content = article.content
    return (article.id, content.published_at, article.source, article.version, content.title, content.url)


ARTICLE_HEAD = ("id", "published", "source", "version", "title", "url")
