"""`copydesk demo`: everything once, on an invented newsroom."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.desk import Desk, now, pass_desk

if TYPE_CHECKING:
    from console.demo.newsroom import Newsroom
    from console.demonstration import Result
    from storage.settings import Settings
    from storage.store import Store


@click.command()
@click.option("--keep", is_flag=True, help="Leave the folder of an earlier demo alone and take another.")
@pass_desk
def command(desk: Desk, keep: bool) -> None:
    """Crawl an invented newsroom of three sites on this machine, twice, and show what happened and why.

    It takes less than a minute and needs no network. Everything goes into the folder copydesk-demo here (or --data).
    Exit 1 where the result is not what the newsroom published.

    \b
    Example:
      copydesk demo
    """
    from console.demo.newsroom import Newsroom
    from console.demonstration import demo_settings, fresh_folder, run
    from storage.audit import audit
    from storage.store import open_store

    folder = fresh_folder(Path(desk.options.get("data", "copydesk-demo")), keep=keep)
    with Newsroom() as newsroom:
        settings = demo_settings(folder, newsroom, desk.options)
        _introduce(newsroom)
        store = open_store(settings)
        try:
            with _progress() as tell:
                result = run(settings, store, newsroom, tell)
            _print(store, result)
            report = audit(store, now())
        finally:
            store.close()
    from console.commands.audit import equation

    click.echo(f"\nAudit: {equation(report.balance)}; {len(report.faults)} faults")
    _judge(result)
    _next_steps(settings)
    if result.differences or report.faults:
        click.get_current_context().exit(1)


def _introduce(newsroom: "Newsroom") -> None:
    click.echo("Three invented newspapers, served on this machine while the demo runs:")
    for site in newsroom.sites.values():
        listings = ", ".join(one.name for one in newsroom.sources if one.url.startswith(site.base + "/"))
        click.echo(f"  {site.title} at {site.base} ({listings})")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    with click.progressbar(length=1, file=sys.stderr, hidden=not sys.stderr.isatty(), show_eta=False) as bar:

        def tell(label: str, processed: int, fetched: int) -> None:
            if bar.label != label:
                bar.label, bar.pos = label, 0
            bar.length = max(fetched, 1)
            bar.update(processed - bar.pos)

        yield tell


def _print(store: "Store", result: "Result") -> None:
    from console.commands.crawl import print_summary
    from console.demonstration import all_articles, shared

    click.secho("\nFirst crawl", bold=True)
    print_summary(result.first)
    click.secho("\nSome minutes later: three new articles, one corrected, one retouched. Second crawl", bold=True)
    print_summary(result.second)
    with store.reading() as tx:
        click.echo()
        for article in all_articles(tx):
            if article.version > 1:
                click.echo(f"{article.version} versions ({article.change_class}): {article.content.url}")
        for group in shared(tx):
            primary = next((one for one in group if one.is_primary), group[0])
            others = ", ".join(one.content.url for one in group if one is not primary)
            click.echo(f"One story on {len(group)} sites: {primary.content.url} first, then {others}")


def _judge(result: "Result") -> None:
    if not result.differences:
        click.echo(f"As expected: {result.articles} of {result.expected} articles")
        return
    click.echo(f"Not as expected: {result.articles} articles, {result.expected} were published; the differences:")
    for line in result.differences:
        click.echo(f"  {line}")


def _next_steps(settings: "Settings") -> None:
    program = os.environ.get("CALLED_AS") or "copydesk"  # a wrapper script says how it was called itself
    told = f"{program} --data {settings.data}"
    click.secho("\nNext:", bold=True)
    steps = (
        (f"{told} articles", "what is in the store"),
        (f"{told} show 1 --why", "one article, and where each field comes from"),
        (f"{told} changes", "the change feed that other systems read"),
        (f"{program} sources add URL", f"watch a site of your own; then {program} crawl"),
    )
    wide = max(len(typed) for typed, _ in steps)
    for typed, meaning in steps:
        click.echo(f"  {typed:{wide}}   {meaning}")
