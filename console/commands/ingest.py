"""`copydesk ingest`: files and addresses by hand."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.desk import Desk, now, pass_desk
from console.params import files
from console.progress import progress_bar
from console.render import one_line, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.settings import Settings
    from storage.store import Store
    from tasks.extract.recipes import Recipe
    from tasks.ingest import Item, Piece
    from tasks.outcome import Outcome

_WORDS = {"new": "new article", "same": "unchanged", "version": "new version", "twin": "duplicate", "kept": "unchanged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one piece of the input."""

    input: str
    url: str | None
    outcome: str
    disposition: str | None
    reason: str
    article_id: int | None
    title: str | None


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="PATH|URL|-...", shell_complete=files)
@click.option("--url", help="The address that the one file was saved from.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each piece.")
@pass_desk
def command(desk: Desk, what: tuple[str, ...], url: str | None, as_json: bool) -> None:
    """Take in saved pages, plain text, JSONL, WARC files, feed files, folders of these, standard input, or addresses.

    What each file is, its content tells. A JSONL line is an object with html or text, and url, title, published_at,
    authors, language where known. The same file twice makes no second article. A file that cannot be read is named
    with the reason; the others still go in, and the exit code is 1.

    \b
    Example:
      copydesk ingest saved.html notes/ crawl.warc.gz
      copydesk ingest --url https://news.example/budget page.html
      curl -s https://news.example/budget | copydesk ingest --url https://news.example/budget -
    """
    settings = desk.settings()
    taking = _Taking(settings=settings)
    with desk.store(create=True) as store:
        rows = _rows(store, taking, what, url)
    _print(rows, taking, as_json=as_json)
    if taking.failures or any(row.disposition == "quarantined" for row in rows):
        click.get_current_context().exit(1)


@dataclass(slots=True, kw_only=True)
class _Taking:
    """One call's tally."""

    settings: "Settings"
    failures: int = 0
    listed: int = 0
    skipped: int = 0
    pages: set[int] = field(default_factory=set)

    def fail(self, message: str) -> None:
        """Tell of a piece that could not be read."""
        self.failures += 1
        click.echo(f"copydesk: {one_line(message)}", err=True)


def _rows(store: "Store", taking: _Taking, what: tuple[str, ...], url: str | None) -> list[Row]:
    from console.oneshot import process_left

    inputs = _expanded(what)
    if url is not None and len(inputs) != 1:
        raise click.UsageError("--url goes with exactly one file")
    recipes = _recipes(taking.settings)
    rows: list[Row] = []
    web = [one for one in inputs if _is_url(one)]
    files = [one for one in inputs if not _is_url(one)]
    with progress_bar(len(files), "files", shown=len(files) > 1) as advance:
        for one in files:
            rows += _take_file(store, taking, one, url, recipes)
            advance(1)
    process_left(taking.settings, store, recipes, only=taking.pages, patient=False)  # their parts came after them
    return rows + (_fetch(store, taking, web) if web else [])


def _expanded(what: tuple[str, ...]) -> list[str]:
    from tasks.ingest import files_in

    inputs: list[str] = []
    for one in what:
        inputs += [one] if one == "-" or _is_url(one) else [str(path) for path in files_in(Path(one))]
    return inputs


def _take_file(
    store: "Store", taking: _Taking, name: str, url: str | None, recipes: "Mapping[str, Recipe]"
) -> Iterator[Row]:
    from storage.errors import InputError

    try:
        for piece in _pieces(name, taking.settings.max_bytes, url):
            row = _take(store, taking, piece, recipes)
            if row is not None:
                yield row
    except InputError as error:
        taking.fail(str(error))


def _pieces(name: str, most: int, url: str | None) -> "Iterator[Piece]":
    from tasks.ingest import read_path, read_stream

    if name == "-":
        return read_stream("standard input", sys.stdin.buffer, now(), most=most, url=url)
    return read_path(Path(name), now(), most=most, url=url)


def _take(store: "Store", taking: _Taking, piece: "Piece", recipes: "Mapping[str, Recipe]") -> Row | None:
    from storage.errors import InputError
    from tasks.ingest import Item, Listed, want

    if isinstance(piece, InputError):
        taking.fail(str(piece))
    elif isinstance(piece, Item):
        return _take_item(store, taking, piece, recipes)
    elif isinstance(piece, Listed):
        taking.listed += 1
        candidate = piece.candidate
        store.write(lambda tx: want(tx, candidate, now()))
        return _row(piece.where, candidate.url, "listed", reason="to_be_fetched")
    else:
        taking.skipped += 1
        return _row(piece.where, None, "skipped", reason=piece.reason)
    return None


def _take_item(store: "Store", taking: _Taking, item: "Item", recipes: "Mapping[str, Recipe]") -> Row:
    from console.oneshot import process
    from tasks.ingest import put

    page_id = store.write(lambda tx: put(tx, item, now()))
    taking.pages.add(page_id)
    outcome = process(taking.settings, store, [page_id], recipes, patient=False)[0]
    with store.reading() as tx:
        return _outcome_row(tx, item.where, item.exchange.url, outcome)


def _outcome_row(tx: "Connection", where: str, url: str, outcome: "Outcome") -> Row:
    word = _WORDS.get(outcome.kind.value, outcome.kind.value)
    row = _row(where, url, word, reason=outcome.reason, disposition=outcome.disposition)
    return _with_article(tx, row, outcome.article_id)


def _fetch(store: "Store", taking: _Taking, urls: list[str]) -> list[Row]:
    """Fetch addresses as a crawl does, and say where each stands then."""
    from console import oneshot, questions
    from storage import sources
    from storage.records import Candidate, Via
    from tasks.ingest import want

    for url in urls:
        store.write(lambda tx, url=url: want(tx, Candidate(url=url, via=Via.MANUAL), now()))  # type: ignore[misc]
    manual = store.write(lambda tx: sources.manual(tx, now()))
    oneshot.run(taking.settings, store, oneshot.Wish(source_ids=frozenset({manual.id})))
    rows = []
    with store.reading() as tx:
        for url in urls:
            page = questions.page_at(tx, url)
            assert page is not None
            word = page.disposition.value if page.disposition else "waiting"
            row = _row(url, page.url, word, reason=page.reason or "not_fetched_yet", disposition=page.disposition)
            rows.append(_with_article(tx, row, page.article_id))
    taking.failures += sum(row.outcome == "waiting" for row in rows)
    return rows


def _row(where: str, url: str | None, outcome: str, *, reason: str, disposition: str | None = None) -> Row:
    ended = str(disposition) if disposition else None
    return Row(input=where, url=url, outcome=outcome, disposition=ended, reason=reason, article_id=None, title=None)


def _with_article(tx: "Connection", row: Row, article_id: int | None) -> Row:
    from dataclasses import replace

    from storage import reading

    if article_id is None:
        return row
    return replace(row, article_id=article_id, title=reading.get(tx, article_id).content.title)


def _print(rows: list[Row], taking: _Taking, *, as_json: bool) -> None:
    from console.views import whole

    if as_json:
        for row in rows:
            print_json(whole(row))
        return
    shown = [row for row in rows if row.outcome != "skipped"]
    if shown:
        lines = [(row.input, row.outcome, row.reason, row.article_id, row.title) for row in shown]
        print_table(("input", "what became of it", "why", "article", "title"), lines)
    if taking.listed:
        click.echo(f"{taking.listed} entries name a page without its text: 'copydesk crawl' fetches them")
    if taking.skipped:
        click.echo(f"{taking.skipped} records are no pages (pictures, redirects, errors) and were skipped")


def _recipes(settings: "Settings") -> "Mapping[str, Recipe]":
    from tasks.extract.recipes import load_recipes

    return load_recipes(settings.recipes) if settings.recipes else {}


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))
