"""Column types that mean the same on SQLite and PostgreSQL: UTC times, text both accept, JSON, large integers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from storage.characters import storable

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite gives rowids only to a column declared INTEGER."""


def storable_json(value: Any) -> Any:
    """The value with every string in it storable."""
    if isinstance(value, str):
        return storable(value)
    if value is None:
        return None
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(item) for item in value]
    return value


class Chars(TypeDecorator[str]):
    """Text of any length that both databases accept."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Scrub on the way in."""
        return None if value is None else storable(value)


class Json(TypeDecorator[Any]):
    """A JSON value; jsonb on PostgreSQL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick jsonb where there is one."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Scrub on the way in."""
        return storable_json(value)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time: timestamptz, or RFC 3339 text of fixed width (which sorts as time) on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, which has no time type."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times; write text on SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} offered to the database")
        value = value.astimezone(UTC)
        return f"{value.isoformat(timespec='microseconds')[:-6]}Z" if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Always aware, always UTC."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
