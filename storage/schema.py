"""Making the schema, and moving it forward: a fresh one at once, an older one by Alembic's numbered steps."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from storage.database import Tx, transaction
from storage.errors import SchemaError, StoreBusy, StoreError
from storage.reader_tables import ARTICLES_VIEW, SEARCH_INDEX
from storage.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_VERSION_TABLE = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""
HEAD = "0013"
"""The newest migration; a test compares it with the migrations' folder."""


def prepare(engine: Engine, *, create: bool = True) -> None:
    """See that the schema is the one this code needs, creating it in an empty database.

    Raises SchemaError for an older or newer one: only `copydesk migrate` changes what exists.
    """
    present = revision(engine)
    if present is None and create:
        create_fresh(engine)
    elif present is None:
        raise SchemaError("the database is empty; 'copydesk migrate' makes the schema")
    elif present != HEAD:
        raise _other(present)


def _other(present: str) -> SchemaError:
    age = "newer than this program; install the newer Copydesk" if present > HEAD else "older; run 'copydesk migrate'"
    return SchemaError(f"the database's schema is {present}, this program needs {HEAD}: it is {age}")


def revision(engine: Engine) -> str | None:
    """The schema's revision, or None in an empty database.

    Raises StoreBusy when there is no connection, StoreError where the file is no database.
    """
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except OperationalError as error:
        raise StoreBusy(f"database {engine.url.render_as_string()}: {str(error.orig).splitlines()[0]}") from error
    except DatabaseError as error:
        raise StoreError(f"database {engine.url.render_as_string()}: {str(error.orig).splitlines()[0]}") from error


def create_fresh(engine: Engine) -> None:
    """Create every table and view in one transaction; a second process that does the same waits and finds it done."""
    with transaction(engine, writes=True) as tx:
        if tx.dialect.name == "postgresql":
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(HEAD)})
        if inspect(tx).has_table("alembic_version"):
            return
        metadata.create_all(tx)
        for statement in (*SEARCH_INDEX[tx.dialect.name], ARTICLES_VIEW):
            tx.execute(text(statement))
        tx.execute(text(_VERSION_TABLE))
        tx.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def migrate(engine: Engine, *, to: str = "head") -> str:
    """Move the schema forward to the newest revision, all steps in one transaction; returns the revision.

    A migration that is interrupted leaves what was there. Raises SchemaError for a newer schema, and StoreError.
    """
    present = revision(engine)
    if present is not None and present > HEAD:
        raise _other(present)
    with transaction(engine, writes=True) as tx:
        migrate_in(tx, to=to)
    return revision(engine) or ""


def migrate_in(tx: Tx, *, to: str = "head") -> None:
    """The same as a part of a transaction that does more."""
    from alembic import command  # noqa: PLC0415 - a second of start-up that only this needs

    config = _config()
    config.attributes["connection"] = tx
    command.upgrade(config, to)


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
