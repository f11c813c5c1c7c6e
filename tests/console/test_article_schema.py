"""storage/article.schema.json is what readers really get."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from storage import reading, snapshots
from storage.records import Access, BlockKind, ChangeClass, Precision
from storage.settings import load_settings
from storage.store import open_store

SCHEMA = json.loads((Path(reading.__file__).parent / "article.schema.json").read_text("utf-8"))
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def faults(value: Any, schema: dict[str, Any], place: str = "record") -> Iterator[str]:
    """Where a value breaks the schema, for the words of JSON Schema that ours uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if all(list(faults(value, part, place)) for part in schema["anyOf"]):
            yield f"{place}: fits none"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place}: is not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not in {schema['enum']}"
    yield from _type_faults(value, schema.get("type"), place)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _object_faults(value, schema, place)


def _type_faults(value: Any, named: Any, place: str) -> Iterator[str]:
    names = [named] if isinstance(named, str) else named or []
    fits = any(value is None if name == "null" else isinstance(value, TYPES[name]) for name in names)
    if names and not fits:
        yield f"{place}: {value!r} is no {names}"


def _object_faults(value: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in set(schema.get("required", ())) - value.keys():
        yield f"{place}.{name}: is missing"
    for name, item in value.items():
        if name not in known and others is False:
            yield f"{place}.{name}: is not in the schema"
        part = known.get(name, others if isinstance(others, dict) else {})
        yield from faults(item, part, f"{place}.{name}")


@pytest.fixture
def record(cli: Callable[..., Result], seed: Path, tmp_path: Path) -> Any:
    """A real record, its exchange packed into the archive."""
    cli("ingest", str(seed))
    store = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    assert snapshots.pack(store, datetime.now(UTC), most_bytes=1, after=timedelta(0)) == 1
    store.close()
    return json.loads(cli("articles", "--json").stdout)


def test_a_real_record_has_exactly_these_keys(record: Any) -> None:
    assert record.keys() == SCHEMA["properties"].keys()
    assert SCHEMA["required"] == list(SCHEMA["properties"])
    assert record["archive"] is not None
    assert list(faults(record, SCHEMA)) == []


def test_a_wrong_record_is_seen(record: Any) -> None:
    broken = copy.deepcopy(record)
    broken["version"] = "1"
    broken["blocks"][0]["kind"] = "poem"
    broken["archive"]["colour"] = "red"
    del broken["title"]
    assert len(list(faults(broken, SCHEMA))) == 4


def test_the_values_of_each_enumeration_are_the_records_own() -> None:
    properties = SCHEMA["properties"]
    assert properties["access"]["enum"] == list(Access)
    assert properties["change_class"]["enum"] == list(ChangeClass)
    assert properties["published_precision"]["enum"] == [*Precision, None]
    assert SCHEMA["$defs"]["block"]["properties"]["kind"]["enum"] == list(BlockKind)
    assert properties["schema"]["const"] == reading.SCHEMA_VERSION
