"""The forms of a dataset with a row for each article: JSONL, CSV and Parquet, all with the canonical record's names."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import IO, Any

from storage.errors import UsageError

Row = Mapping[str, Any]
Writer = Callable[[Iterable[Row], IO[bytes]], int]
"""Writes rows to an open file; returns how many."""

LEADING = ("seq", "kind", "at")
"""The columns of a change, which stand before those of the article in a dataset of changes."""
COLUMNS = (
    "id",
    "url",
    "source",
    "publisher",
    "title",
    "subtitle",
    "description",
    "authors",
    "credit",
    "dateline",
    "published_at",
    "published_precision",
    "modified_at",
    "language",
    "section",
    "keywords",
    "image",
    "text",
    "blocks",
    "word_count",
    "access",
    "license",
    "tdm",
    "is_primary",
    "cluster_id",
    "version",
    "change_class",
    "content_hash",
    "first_seen",
    "fetched_at",
    "withdrawn_at",
    "archive",
    "provenance",
)
_TIMES = ("at", "published_at", "modified_at", "first_seen", "fetched_at", "withdrawn_at")
_LISTS = ("authors", "keywords")
_NUMBERS = ("seq", "id", "word_count", "cluster_id", "version")
_GROUP = 2_000
"""Rows of a Parquet row group: some megabytes of text, so that writing needs little memory."""


def jsonl(rows: Iterable[Row], out: IO[bytes]) -> int:
    """One JSON object a line, in UTF-8."""
    count = 0
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        count += 1
    return count


def write_csv(rows: Iterable[Row], out: IO[bytes]) -> int:
    """RFC 4180 with a header line; lists are joined by "; ", blocks and provenance are left out."""
    first, rows = _peek(rows)
    names = [name for name in _names(first) if name not in ("blocks", "provenance", "archive")]
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True, errors="replace")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([_flat(row.get(name)) for name in names])
        count += 1
    text.detach()
    return count


def parquet(rows: Iterable[Row], out: IO[bytes]) -> int:
    """Parquet with zstd; times are UTC, authors and keywords lists, blocks and provenance JSON texts.

    Raises UsageError where pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and 150 MB
        from pyarrow import parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: "
            f"{sys.executable} -m pip install -r requirements-parquet.txt, in Copydesk's folder"
        ) from error
    first, rows = _peek(rows)
    names = _names(first)
    schema = pa.schema([(name, _arrow(pa, name)) for name in names])
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while group := list(islice(rows, _GROUP)):
            table = {name: [_value(name, row.get(name)) for row in group] for name in names}
            writer.write_table(pa.table(table, schema=schema))
            count += len(group)
    return count


FORMS: dict[str, Writer] = {"jsonl": jsonl, "csv": write_csv, "parquet": parquet}


def _peek(rows: Iterable[Row]) -> tuple[Row, Iterable[Row]]:
    rows = iter(rows)
    first = next(rows, None)
    return (first or {}), (chain([first], rows) if first is not None else iter(()))


def _names(row: Row) -> list[str]:
    return [*(name for name in LEADING if name in row), *COLUMNS]


def _flat(value: Any) -> Any:
    """A value for a table's cell. What a spreadsheet would run as a formula is made plain text (OWASP)."""
    if isinstance(value, (list, tuple)):
        value = "; ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _arrow(pa: Any, name: str) -> Any:
    if name in _TIMES:
        return pa.timestamp("us", tz="UTC")
    if name in _LISTS:
        return pa.list_(pa.string())
    if name in _NUMBERS:
        return pa.int64()
    return pa.bool_() if name == "is_primary" else pa.string()


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in ("blocks", "provenance", "archive"):
        return json.dumps(value, ensure_ascii=False)
    return value
