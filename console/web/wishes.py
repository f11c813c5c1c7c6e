"""What a caller may ask for over HTTP: a crawl, an address, a file. The API and the pages share it."""

from typing import IO, TYPE_CHECKING

from console.desk import now
from storage import jobs, sources
from storage.errors import InputError
from storage.records import Candidate, Via
from tasks.ingest import Item, Listed, Piece, put, read_file, want

if TYPE_CHECKING:
    from storage.database import Tx
    from storage.store import Store

MOST_UPLOAD = 256_000_000
"""Bytes of an upload."""


def crawl(store: "Store", source: str, asked_by: str) -> int:
    """Have a source polled now, before all others; returns the job. Raises NotFound."""

    def ask(tx: "Tx") -> int:
        found = sources.trigger(tx, [source], now())[0]
        return jobs.add(tx, "crawl", source, asked_by=asked_by, now=now(), source_id=found.id)

    return store.write(ask)


def ingest(store: "Store", url: str, asked_by: str) -> int:
    """Have an address fetched now; returns the job. Raises CopydeskError for what is no web address."""

    def ask(tx: "Tx") -> int:
        page_id = want(tx, Candidate(url=url, via=Via.MANUAL), now())
        return jobs.add(tx, "ingest", url, asked_by=asked_by, now=now(), pages=[page_id])

    return store.write(ask)


def upload(store: "Store", name: str, file: IO[bytes], asked_by: str, *, most: int, url: str | None) -> int:
    """Take in a file, of which one body may have `most` bytes; returns the job, which names what was not readable."""
    taken: list[int] = []
    problems: list[str] = []
    for piece in read_file(name, file, now(), most=most, url=url):
        _take(store, piece, taken, problems)

    def note(tx: "Tx") -> int:
        return jobs.add(tx, "ingest", name, asked_by=asked_by, now=now(), pages=taken, problems=problems)

    return store.write(note)


def _take(store: "Store", piece: Piece, taken: list[int], problems: list[str]) -> None:
    if isinstance(piece, InputError):
        problems.append(str(piece))
    elif isinstance(piece, Item):
        taken.append(store.write(lambda tx: put(tx, piece, now())))
    elif isinstance(piece, Listed):
        taken.append(store.write(lambda tx: want(tx, piece.candidate, now())))
