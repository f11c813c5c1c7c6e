"""A migrated schema equals a fresh one; code never works on a schema that is not its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from storage import schema
from storage.database import open_engine
from storage.errors import SchemaError


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    url = (
        f"sqlite:///{tmp_path}/empty.db" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    )
    opened = open_engine(url)
    yield opened
    opened.dispose()


def _shape(engine: Engine) -> dict[str, object]:
    seen = inspect(engine)
    shape: dict[str, object] = {}
    for table in sorted(seen.get_table_names()):
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)]
        indexes = sorted((i["name"] or "", tuple(map(str, i["column_names"]))) for i in seen.get_indexes(table))
        foreign = sorted((f["name"] or "", f["referred_table"]) for f in seen.get_foreign_keys(table))
        shape[table] = (columns, indexes, foreign, seen.get_pk_constraint(table)["constrained_columns"])
    shape["views"] = seen.get_view_names()
    return shape


def _forget(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW articles"))
        names = inspect(connection).get_table_names()
        for name in names:
            cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TABLE {name}{cascade}"))


def test_a_migrated_schema_equals_a_fresh_one(engine: Engine) -> None:
    schema.create_fresh(engine)
    fresh = _shape(engine)
    if engine.dialect.name == "sqlite":
        engine = open_engine(str(engine.url) + ".migrated")
    else:
        _forget(engine)
    assert schema.migrate(engine) == schema.HEAD
    assert _shape(engine) == fresh


def test_the_newest_migration_is_the_one_the_code_needs() -> None:
    folder = ScriptDirectory.from_config(schema._config())
    assert folder.get_current_head() == schema.HEAD


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    schema.migrate(engine)
    assert schema.migrate(engine) == schema.HEAD


@pytest.mark.parametrize(
    ("present", "message"), [("0000", "older; run 'copydesk migrate'"), ("9999", "newer than this program")]
)
def test_another_schema_is_refused(engine: Engine, present: str, message: str) -> None:
    schema.create_fresh(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :present"), {"present": present})
    with pytest.raises(SchemaError, match=message):
        schema.prepare(engine)


def test_an_empty_database_is_left_alone_where_asked(engine: Engine) -> None:
    with pytest.raises(SchemaError, match="'copydesk migrate' makes the schema"):
        schema.prepare(engine, create=False)
    assert schema.revision(engine) is None
