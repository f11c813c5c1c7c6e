"""`copydesk crawl`: one crawl, here and now."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from console.advice import print_advice
from console.desk import Desk, now, pass_desk
from console.params import source_names
from console.progress import Seldom, growing_bar
from console.render import print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.oneshot import Run, Wish
    from storage.store import Store


@click.command()
@click.argument("what", nargs=-1, metavar="[SOURCE|URL]...", shell_complete=source_names)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds to wait, in all, for sites that ask to be left alone for a moment.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_desk
def command(desk: Desk, what: tuple[str, ...], wait: float, as_json: bool) -> None:
    """Fetch and process what is due, or the named sources and addresses now, and say what became of each page.

    What else is due on the same sites is fetched with it. Exit 1 when a poll failed or a page went to quarantine.

    \b
    Example:
      copydesk crawl
      copydesk crawl news.example-feed.xml
      copydesk crawl https://news.example/2026/budget
    """
    from console import oneshot
    from console.rests import no_contact

    settings = desk.settings()
    if warning := no_contact(settings):
        click.echo(f"copydesk: {warning}", err=True)
    with desk.store(create=any(_is_url(one) for one in what)) as store:
        wish = store.write(lambda tx: _wish(tx, what))
        with _progress(store, shown=not as_json) as tell:
            run = oneshot.run(settings, store, wish, wait_s=wait, progress=tell)
    if as_json:
        print_json(summary(run), lines=False)
    else:
        print_summary(run)
    if run.failed:
        click.get_current_context().exit(1)


def summary(run: "Run") -> dict[str, Any]:
    """What a run came to, as JSON."""
    from console.views import whole

    plain = whole(run)
    plain["pages"] = plain.pop("tallies")
    return {**plain, "failed": run.failed}


def print_summary(run: "Run") -> None:
    """Print what became of the pages of a run and which polls failed."""
    click.echo(f"{_counted(run.polls, 'source')} polled, {_counted(run.fetched, 'page')} fetched")
    if run.tallies:
        rows = [(one.disposition, one.reason, one.count, one.example) for one in run.tallies]
        print_table(("what became of them", "why", "pages", "for example"), rows)
    if run.failed_polls:
        click.echo()
        rows_ = [(one.source, one.outcome, one.status, one.note) for one in run.failed_polls]
        print_table(("failed poll", "why", "status", "note"), rows_)
        print_advice(one.outcome for one in run.failed_polls)
    if run.crashed:
        click.echo("copydesk: the crawl process ended with an error, see above; what it had fetched is kept", err=True)
    if run.waiting_until is not None:
        click.echo(f"the next work is due at {run.waiting_until:%Y-%m-%d %H:%M:%S} UTC")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _wish(tx: "Connection", what: tuple[str, ...]) -> "Wish":
    """What the words name; sources are made due, other addresses become pages to be fetched."""
    from console.oneshot import Wish
    from storage import sources
    from storage.errors import NotFound, UsageError

    by_url = {one.config.url: one.config.name for one in _sources(tx)} if any(_is_url(one) for one in what) else {}
    ids: set[int] = set()
    for one in what:
        if _is_url(one) and one not in by_url:
            ids.add(_want_page(tx, one))
            continue
        try:
            [found] = sources.trigger(tx, [by_url.get(one, one)], now())
        except NotFound as error:
            raise NotFound(f"{error}; an address to fetch begins with http:// or https://") from error
        if found.paused:
            raise UsageError(f"{found.config.name} is paused; 'copydesk sources resume {found.config.name}' first")
        ids.add(found.id)
    return Wish(source_ids=frozenset(ids))


def _want_page(tx: "Connection", url: str) -> int:
    from storage import sources
    from storage.records import Candidate, Via
    from tasks.ingest import want

    want(tx, Candidate(url=url, via=Via.MANUAL), now())
    return sources.manual(tx, now()).id


def _sources(tx: "Connection") -> Iterator[Any]:
    from console.commands.sources import all_sources

    return all_sources(tx)


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


@contextmanager
def _progress(store: "Store", *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """The pages that are done, of those and all that wait: counted now and then, as polls find more."""
    from console import questions

    waiting = Seldom(lambda: questions.waiting_pages(store, now()), every_s=2.0)
    with growing_bar("pages", shown=shown) as bar:

        def tell(processed: int, fetched: int) -> None:
            if shown and sys.stderr.isatty():
                bar(processed, max(fetched, processed + waiting()))

        yield tell
