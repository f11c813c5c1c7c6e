"""Opening SQLite or PostgreSQL by one code base, with transactions that mean the same on both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, RootTransaction, Select, create_engine, event, exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from storage.errors import SettingsError, StoreBusy, StoreError, StoreFull

Tx = Connection
"""An open transaction: what every verb of the store takes first."""

_CHANGE_LOCK = 0x0C09_DE5C
"""Key of the PostgreSQL advisory lock that puts deciding writers in line."""
_in_line: WeakSet[RootTransaction] = WeakSet()
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""A server that is gone without a word is noticed after half a minute, not after two hours (PostgreSQL manual, libpq
connection parameters; the last is in milliseconds). What the URL says of it wins."""
_MOST_PREPARED = 400
_BUSY_STATES = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08000", "08003", "08006", "25P03", "53300"}
"""SQLSTATEs after which the same transaction may succeed (PostgreSQL manual, appendix A)."""
_DISK_FULL = "53100"
SQLITE_DISK = ("SQLITE_FULL", "SQLITE_IOERR")
"""What SQLite calls a disk without room, or one that fails: beyond a limit on the size of files it tells them not apart
(sqlite.org/rescode.html)."""


def open_engine(url: str, *, cache_mb: int = 64) -> Engine:
    """An engine for the URL. Raises SettingsError where it names neither SQLite nor PostgreSQL.

    `cache_mb`: how much of a SQLite file each connection may hold in memory.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise SettingsError(f"database: {url!r} is no database URL; give sqlite:///FILE or postgresql://…") from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.database or "", url, cache_mb)
    if parsed.get_backend_name() == "postgresql":
        alive = {name: value for name, value in _ALIVE.items() if name not in parsed.query}
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=alive)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    raise SettingsError(f"database: {parsed.drivername!r} is not supported; give sqlite:///FILE or postgresql://…")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # A list of ids makes another statement for each length: with the default of 100 they would drive each other out.
    connection.prepared_max = _MOST_PREPARED


def _open_sqlite(file: str, url: str, cache_mb: int) -> Engine:
    if file in ("", ":memory:"):
        raise SettingsError("database: an in-memory SQLite cannot be shared by several processes; give sqlite:///FILE")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "connect", lambda connection, _record: _prepare_sqlite(connection, cache_mb))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, cache_mb: int) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: see _begin_sqlite
    # Whoever read the change feed up to N must never meet another N, so a commit that was seen has to outlive a power
    # cut: with NORMAL the last ones might not. It costs a sync a commit: a tenth of an article's time on a slow disk.
    # The deduplication index is entered at random places: with the default cache of 2 MB each would be read from disk.
    safe = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON")
    # And each changes a dozen pages at random: with a checkpoint at each 1,000 of them, not 4,000 (16 MB), one article
    # in eighty would wait for one.
    fast = (f"cache_size=-{cache_mb * 1024}", "wal_autocheckpoint=4000")
    for pragma in (*safe, *fast):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at the start: a reader that turns writer midway fails at once when another wrote
    writes = connection.get_execution_options().get("writes", False)
    prepared(connection, "BEGIN IMMEDIATE" if writes else "BEGIN", {})


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Tx]:
    """A transaction that commits at the end, or rolls back on an error. Raises StoreBusy and StoreError."""
    place = engine.url.render_as_string()
    with wrapped_errors(place), engine.connect().execution_options(writes=writes) as connection, connection.begin():
        yield connection


@contextmanager
def wrapped_errors(place: str = "") -> Iterator[None]:
    """Turn the drivers' errors into ours; errors of programming pass through unchanged. `place` is the database."""
    try:
        yield
    except (exc.ProgrammingError, exc.IntegrityError):
        raise
    except exc.DBAPIError as error:
        words = str(error.orig).strip().splitlines()[0]
        if _is_full(error):
            raise StoreFull(f"database {place}: {words}; make room on its disk, then do it again") from error
        kind = StoreBusy if _may_pass(error) else StoreError
        raise kind(f"database: {words}") from error


def _is_full(error: exc.DBAPIError) -> bool:
    name = getattr(error.orig, "sqlite_errorname", "")
    return name.startswith(SQLITE_DISK) or getattr(error.orig, "sqlstate", None) == _DISK_FULL


def _may_pass(error: exc.DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    message = str(error.orig)
    lost = isinstance(error, exc.OperationalError) and state is None and "disk" not in message
    return (
        state in _BUSY_STATES
        or "database is locked" in message
        or "database is busy" in message
        or (lost and "unable to open" not in message and "sqlite" not in type(error.orig).__module__)
    )


def stand_in_line(tx: Tx) -> None:
    """Let no other writer of articles pass until this transaction ends.

    A sequence alone gives readers gaps: a late commit hides behind the cursor. SQLite has one writer anyway.
    """
    this = tx.get_transaction()
    if tx.dialect.name == "postgresql" and this is not None and this not in _in_line:
        _in_line.add(this)
        prepared(tx, "SELECT pg_advisory_xact_lock(%(key)s)", {"key": _CHANGE_LOCK})


def plan_anew(tx: Tx) -> None:
    """Have the statements of this transaction planned for their values, as these decide which way is fast.

    PostgreSQL would after some calls take one plan for all values of a statement (its manual, PREPARE), and compile
    those that it takes to be long, which they are not: they end after a page of rows (JIT).
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off"))


def prepared(tx: Tx, statement: str, values: dict[str, Any] | list[dict[str, Any]]) -> list[Any]:
    """Run a statement in the driver's own words, for each of a list of values, and return its rows as tuples.

    For the few statements that run for every article: the way through the expression language takes several times as
    long as they do. Errors are SQLAlchemy's, as everywhere.
    """
    dbapi = tx.dialect.loaded_dbapi
    cursor: Any = tx.connection.cursor()
    try:
        if isinstance(values, list) and len(values) > 1:
            cursor.executemany(statement, values)
            return []
        values = values[0] if isinstance(values, list) else values
        return _rows(cursor, statement, values, on_postgresql=tx.dialect.name == "postgresql")
    except dbapi.Error as error:
        raise exc.DBAPIError.instance(statement, values, error, dbapi.Error) from error
    finally:
        cursor.close()


def _rows(cursor: Any, statement: str, values: dict[str, Any], *, on_postgresql: bool) -> list[Any]:
    if on_postgresql:  # as bytes: bytea as text is twice as long; and to look at a description is to have it made
        cursor.execute(statement, values, binary=True)
        return list(cursor.fetchall()) if (found := cursor.pgresult) and found.nfields else []
    cursor.execute(statement, values)
    return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def pipelined(tx: Tx) -> Iterator[None]:
    """Send the statements of the block one after the other, and wait for the server once, at its end.

    For statements that return no rows. Errors may come at the end of the block; they are SQLAlchemy's, as everywhere.
    """
    if tx.dialect.name != "postgresql":
        yield
        return
    dbapi = tx.dialect.loaded_dbapi
    connection: Any = tx.connection.driver_connection
    try:
        with connection.pipeline():
            yield
    except dbapi.Error as error:
        raise exc.DBAPIError.instance("", None, error, dbapi.Error) from error


def insert(tx: Tx, table: Any) -> Any:
    """An INSERT that knows ON CONFLICT, in the dialect of the transaction."""
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def skip_locked(query: Select[Any]) -> Select[Any]:
    """Leave rows that another claims at this moment to the other (SQLite's single writer needs no such thing)."""
    return query.with_for_update(skip_locked=True)


def chunks(items: list[Any], size: int = 500) -> Iterator[list[Any]]:
    """The list in pieces that stay below the databases' limits on bound parameters."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
