"""Articles handed in as JSON: one object a line, or one array, in the field names of the canonical record."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from storage.errors import InputError
from storage.records import Exchange, Hints

_BODIES = (
    ("html", "text/html; charset=utf-8"),
    ("content_html", "text/html; charset=utf-8"),
    ("text", "text/plain; charset=utf-8"),
)
_STRINGS = {
    "title": "title",
    "language": "language",
    "section": "section",
    "publisher": "publisher",
    "description": "summary",
}


def records(name: str, text: str) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Each record with its place in the file, or an error where one cannot be read."""
    whole = _whole(text)
    if isinstance(whole, list):
        for number, item in enumerate(whole, start=1):
            yield f"{name}: record {number}", _object(f"{name}: record {number}", item)
    elif isinstance(whole, dict):
        yield name, whole
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"{name}: line {number}", _parsed(f"{name}: line {number}", line)


def exchange_of(where: str, record: Mapping[str, Any], now: datetime) -> tuple[Exchange, Hints]:
    """The page that a record stands for, as if it had been fetched. Raises InputError naming the place and the key."""
    body, kind = _body(where, record)
    url = record.get("url") or f"urn:sha256:{hashlib.sha256(body).hexdigest()}"
    if not isinstance(url, str) or not url.startswith(("http://", "https://", "urn:")):
        raise InputError(f"{where}: url: {url!r} is no http or https address")
    hints = _hints(where, record)
    return Exchange(url=url, status=200, headers=(("Content-Type", kind),), body=body, fetched_at=now), hints


def _whole(text: str) -> Any:
    if "\n" in text.strip() and not text.lstrip().startswith("["):
        first = text.lstrip().split("\n", 1)[0]
        if first.rstrip().endswith("}"):
            return None  # one object a line
    try:
        return json.loads(text)
    except ValueError:
        return None


def _parsed(where: str, line: str) -> dict[str, Any] | InputError:
    try:
        return _object(where, json.loads(line))
    except (ValueError, RecursionError) as error:
        return InputError(f"{where}: no JSON: {error}")


def _object(where: str, value: Any) -> dict[str, Any] | InputError:
    return value if isinstance(value, dict) else InputError(f"{where}: must be an object, not {str(value)[:40]!r}")


def _body(where: str, record: Mapping[str, Any]) -> tuple[bytes, str]:
    for key, kind in _BODIES:
        value = record.get(key)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{where}: {key}: must be a string")
        if value and value.strip():
            return _whole_text(key, value, record.get("title")).encode("utf-8", "replace"), kind
    raise InputError(f"{where}: has neither html nor text")


def _whole_text(key: str, value: str, title: Any) -> str:
    # a plain text's first paragraph is its headline: without one, the record's own title goes there
    return f"{title}\n\n{value}" if key == "text" and isinstance(title, str) and title.strip() else value


def _hints(where: str, record: Mapping[str, Any]) -> Hints:
    texts = {hint: _string(where, key, record.get(key)) for key, hint in _STRINGS.items()}
    times = {key: _time(where, key, record.get(key)) for key in ("published_at", "modified_at")}
    return Hints(
        authors=_strings(where, "authors", record.get("authors", record.get("author"))),
        keywords=_strings(where, "keywords", record.get("keywords")),
        **texts,  # type: ignore[arg-type]
        **times,  # type: ignore[arg-type]
    )


def _string(where: str, key: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InputError(f"{where}: {key}: must be a string, not {value!r}")
    return value or None


def _strings(where: str, key: str, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value or []
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise InputError(f"{where}: {key}: must be a string or a list of strings, not {value!r}")
    return tuple(item for item in listed if item.strip())


def _time(where: str, key: str, value: Any) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {key}: {value!r} is no time like 2026-03-04T05:06:07Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
