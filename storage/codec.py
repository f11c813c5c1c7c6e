"""Records to plain JSON values and back; defaults are left out, so that a new field changes no stored value."""

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

R = TypeVar("R")
_PLAIN = frozenset({str, int, float, bool, NoneType})


def rfc3339(moment: datetime) -> str:
    """The time as RFC 3339 text in UTC, without a fraction where there is none."""
    text = moment.astimezone(UTC).isoformat(timespec="auto" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def to_plain(value: Any) -> Any:
    """A JSON value for a record, or for anything made of records, times, enumerations and containers."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if is_dataclass(kind):
        named = ((name, getattr(value, name), default) for name, default in _defaults(kind))
        return {name: to_plain(item) for name, item, default in named if item != default}
    if isinstance(value, (Enum, datetime)):
        return value.value if isinstance(value, Enum) else rfc3339(value)
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[R], value: Any) -> R:
    """The record of that type that `to_plain` wrote. Unknown keys are left aside: a newer version wrote them."""
    hints = _hints(cast("Hashable", kind))
    known = {name: _revive(hints[name], item) for name, item in value.items() if name in hints}
    return kind(**known)


def _revive(kind: Any, value: Any) -> Any:  # noqa: PLR0911 - one line per kind of type
    if value is None or kind is Any:
        return value
    if get_origin(kind) in (Union, UnionType):
        return _revive(next(part for part in get_args(kind) if part is not NoneType), value)
    if get_origin(kind) is tuple:
        return _revive_tuple(get_args(kind), value)
    if is_dataclass(kind):
        return from_plain(cast("type[Any]", kind), value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def _revive_tuple(parts: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_revive(parts[0], item) for item in value)
    return tuple(_revive(part, item) for part, item in zip(parts, value, strict=True))


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a record, each with its default; what equals nothing where it has none."""
    return tuple((spec.name, spec.default) for spec in fields(kind))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
