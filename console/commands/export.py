"""`copydesk export`: the articles as a file."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from console.desk import Desk, pass_desk

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Article


@click.command()
@click.argument("form", metavar="jsonl", type=click.Choice(["jsonl"]))
@click.argument("dest", metavar="DEST|-")
@click.option("--source", "source_name", help="Only articles that this source listed first.")
@pass_desk
def command(desk: Desk, form: str, dest: str, source_name: str | None) -> None:  # noqa: ARG001 - more forms will come
    """Write every article as a canonical record, one JSON object a line.

    The file appears under its name only when it is whole. `-` writes to standard output.

    \b
    Example:
      copydesk export jsonl articles.jsonl
      copydesk export jsonl - | gzip > articles.jsonl.gz
    """
    with desk.store() as store, store.reading() as tx, _destination(dest) as out:
        total = _count(tx)
        hidden = not sys.stderr.isatty() or dest == "-"
        with click.progressbar(_lines(tx, source_name), length=total, file=sys.stderr, hidden=hidden) as lines:
            written = sum(1 for line in lines if out.write(line))
    click.echo(f"{written} articles written to {'standard output' if dest == '-' else dest}", err=True)


def _count(tx: "Connection") -> int:
    from storage import reading

    return reading.counts(tx)["articles"]


def _lines(tx: "Connection", source_name: str | None) -> Iterator[str]:
    from storage import reading

    for article in _all(tx, source_name):
        yield json.dumps(reading.to_json(article), ensure_ascii=False) + "\n"


def _all(tx: "Connection", source_name: str | None) -> Iterator["Article"]:
    from storage import reading

    last = 0
    while batch := reading.listed(tx, after=last, limit=500, source_name=source_name):
        yield from batch
        last = batch[-1].id


@contextmanager
def _destination(dest: str) -> Iterator[IO[str]]:
    if dest == "-":
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    final = Path(dest)
    part = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
