"""`copydesk export`: the articles as files for others to read."""

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.params import files, source_names
from console.progress import progress_bar
from storage.errors import ExportError, UsageError

if TYPE_CHECKING:
    from storage.database import Tx
    from storage.datasets.place import Place
    from storage.filters import Filter
    from storage.store import Store

FORMS = ("jsonl", "csv", "parquet", "rss", "atom", "warc")
_FEEDS = ("rss", "atom")
_MEMORY = 50_000_000
_LOOK_S = 1.0
_DAY = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def _filters(function: Callable[..., None]) -> Callable[..., None]:
    """The options that choose articles."""
    for option in reversed(
        [
            click.option("--source", shell_complete=source_names, help="Only articles that this source listed first."),
            click.option("--site", help="Only this registrable domain."),
            click.option("--publisher", help="Only this publisher."),
            click.option("--language", help="Only this language, as de."),
            click.option("--section", help="Only this section."),
            click.option("--access", type=click.Choice(["free", "metered", "paywall", "consent", "partial"])),
            click.option("--published-since", type=_DAY, help="Published at this UTC time or later."),
            click.option("--published-until", type=_DAY, help="Published before this UTC time."),
            click.option("--seen-since", type=_DAY, help="First seen at this UTC time or later."),
            click.option("--primary", is_flag=True, default=None, help="Of each story, only the primary article."),
        ]
    ):
        function = option(function)
    return function


@click.command()
@click.argument("form", metavar="FORM", type=click.Choice(FORMS))
@click.argument("dest", metavar="DEST|-", shell_complete=files)
@click.option("--changes", is_flag=True, help="A folder that grows: take in what changed since the last time.")
@click.option("--follow", is_flag=True, help="Go on as news come, until stopped.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries of rss and atom.")
@_filters
@pass_desk
def command(desk: Desk, form: str, dest: str, changes: bool, follow: bool, limit: int, **chosen: Any) -> None:
    """Write articles as jsonl, csv, parquet, rss, atom or warc.

    jsonl, csv, rss, atom and warc make one file; parquet makes a folder with a file for each day. With --changes or
    --follow, jsonl and parquet make a folder in which each row of the change feed stands exactly once. DEST is a path
    or any fsspec URL (s3://, gs://, …); a file is there under its name only when it is whole. `-` is standard output.

    \b
    Example:
      copydesk export jsonl articles.jsonl --language de
      copydesk export parquet lake/articles
      copydesk export parquet s3://lake/changes --follow
      copydesk export rss public/feed.xml --source harbour --follow
    """
    having = _having(chosen)
    with desk.store() as store:
        if form in _FEEDS:
            _feed(store, form, dest, having, limit, follow=follow)
        elif changes or follow:
            _grow(store, form, dest, having, follow=follow)
        elif form == "parquet":
            _days(store, form, dest, having)
        else:
            _file(store, form, dest, having)


def _having(chosen: dict[str, Any]) -> "Filter":
    from storage.filters import Filter
    from storage.records import Access

    values: dict[str, Any] = {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in chosen.items()
    }
    if values["access"]:
        values["access"] = Access(values["access"])
    return Filter(**values)


def _file(store: "Store", form: str, dest: str, having: "Filter") -> None:
    from storage.datasets import whole

    with store.reading() as tx, _opened(dest) as out, _progress(tx, dest) as told:
        if form == "warc":
            written = whole.write_warc(store, tx, out, having, told)
        else:
            written = whole.write_file(tx, form, out, having, told)
    click.echo(f"{written} articles written to {'standard output' if dest == '-' else dest}", err=True)


def _days(store: "Store", form: str, dest: str, having: "Filter") -> None:
    from storage import changes
    from storage.datasets import manifest, whole

    place = _folder(dest)
    old = manifest.load(place)
    if old is not None and old.kind != "articles":
        raise UsageError(f"{dest} holds a dataset of {old.kind}; give another folder")
    with store.reading() as tx, _progress(tx, dest) as told:
        made = whole.write_days(tx, form, place, having, told, changes.last(tx))
    for part in old.parts if old else ():
        if part.file not in {one.file for one in made.parts}:
            place.delete(part.file)
    written = sum(part.rows for part in made.parts)
    click.echo(f"{written} articles in {len(made.parts)} files written to {dest}", err=True)


def _grow(store: "Store", form: str, dest: str, having: "Filter", *, follow: bool) -> None:
    from storage.datasets.follow import FOLLOWED, advance

    if form not in FOLLOWED:
        raise UsageError(f"--changes and --follow make {' or '.join(FOLLOWED)}, not {form}")
    place, written = _folder(dest), 0
    while True:
        taken = advance(store, place, form, having)
        written += taken
        if not taken and not follow:
            break
        if not taken:
            threading.Event().wait(_LOOK_S)
    click.echo(f"{written} changes taken into {dest}", err=True)


def _feed(store: "Store", form: str, dest: str, having: "Filter", limit: int, *, follow: bool) -> None:
    from storage import changes, reading
    from storage.datasets.feeds import FEEDS

    seen = -1
    while True:
        with store.reading() as tx:
            last = changes.last(tx)
            found = reading.newest(tx, limit=limit, having=having) if last != seen else []
        if last != seen:
            seen = last
            with _opened(dest) as out:
                out.write(FEEDS[form](found, title="Copydesk", link="urn:copydesk:newest", now=now()))
            click.echo(f"{len(found)} articles written to {dest}", err=True)
        if not follow:
            return
        threading.Event().wait(_LOOK_S)


def _folder(dest: str) -> "Place":
    from storage.datasets.place import Place

    if dest == "-":
        raise UsageError("this makes a folder of files, which cannot go to standard output; give a folder")
    return Place(dest)


@contextmanager
def _opened(dest: str) -> Iterator[IO[bytes]]:
    from storage.datasets.place import Place

    if dest == "-":
        with SpooledTemporaryFile(_MEMORY) as kept:  # some forms ask where they stand, which a pipe cannot tell
            yield kept
            kept.seek(0)
            _pour(kept)
        return
    folder, _, name = dest.rpartition("/")
    with Place(folder or ".").publish(name) as out:
        yield out


def _pour(kept: IO[bytes]) -> None:
    from storage.durable import complaint

    try:
        shutil.copyfileobj(kept, sys.stdout.buffer)
        sys.stdout.flush()
    except BrokenPipeError:  # who stops reading has what he wanted
        raise
    except OSError as error:
        raise ExportError(f"standard output: cannot be written: {complaint(error)}") from error


@contextmanager
def _progress(tx: "Tx", dest: str) -> Iterator[Callable[[int], None]]:
    from storage import reading

    with progress_bar(reading.counts(tx)["articles"], "articles", shown=dest != "-") as advance:
        yield advance
