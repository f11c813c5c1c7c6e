"""How much room the store takes: the database, its index of near-duplicates, the archive."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exc, func, select, text

from storage.database import Tx
from storage.records import Record
from storage.tables import fingerprint, line, posting, posting_page, posting_recent

_INDEX = (fingerprint, posting, posting_page, posting_recent, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Record):
    """Bytes of each part."""

    database_bytes: int
    index_bytes: int | None
    """Of the fingerprints, postings and lines by which near-duplicates are found, a part of the database; None where
    an SQLite was built without the table that tells it (dbstat)."""
    archive_files: int
    archive_bytes: int
    """To the end of the last body in each file."""


def usage(tx: Tx) -> Usage:
    """The room that the store takes now."""
    files, size = tx.execute(text(_ARCHIVE)).one()
    lite = tx.dialect.name == "sqlite"
    whole = _LITE_DATABASE if lite else "SELECT pg_database_size(current_database())"
    return Usage(
        database_bytes=int(tx.execute(text(whole)).scalar_one()),
        index_bytes=_lite_index(tx) if lite else _index(tx),
        archive_files=int(files),
        archive_bytes=int(size),
    )


# Each file's name is found from the one before it, and its size is the end of its last body: two looks into an index
# for each file of thousands of records.
_ARCHIVE = """
WITH RECURSIVE file (name) AS (
    SELECT min(archive_file) FROM snapshot WHERE archive_file IS NOT NULL
    UNION ALL
    SELECT (SELECT min(archive_file) FROM snapshot WHERE archive_file > file.name) FROM file WHERE file.name IS NOT NULL
)
SELECT count(name), COALESCE(SUM((
    SELECT archive_offset + archive_length FROM snapshot
    WHERE archive_file = name ORDER BY archive_offset DESC LIMIT 1
)), 0)
FROM file WHERE name IS NOT NULL
"""
_LITE_DATABASE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"


def _index(tx: Tx) -> int:
    sizes = [tx.execute(select(func.pg_total_relation_size(table.name))).scalar_one() for table in _INDEX]
    return sum(map(int, sizes))


def _lite_index(tx: Tx) -> int | None:
    names = [name for table in _INDEX for name in (table.name, *(str(index.name) for index in table.indexes))]
    query = text("SELECT sum(pgsize) FROM dbstat WHERE name IN :names").bindparams(bindparam("names", expanding=True))
    try:
        return int(tx.execute(query, {"names": names}).scalar() or 0)
    except exc.OperationalError:
        return None
