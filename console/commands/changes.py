"""`copydesk changes`: the change feed."""

import sys
import threading
from typing import TYPE_CHECKING

import click

from console.desk import Desk, pass_desk
from console.render import print_json, print_table

if TYPE_CHECKING:
    from storage.records import Change
    from storage.store import Store


@click.command()
@click.option("--since", type=click.IntRange(min=0), default=0, help="Only rows after this number (default: all).")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Most rows at a time.")
@click.option("--follow", is_flag=True, help="Go on as new rows come, until stopped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def command(desk: Desk, since: int, limit: int, follow: bool, as_json: bool) -> None:
    """List what happened to articles, in the order it was committed.

    Remember the last number you saw and give it as --since: no row below it is ever added later.

    \b
    Example:
      copydesk changes --since 120
      copydesk changes --follow --json
    """
    with desk.store() as store:
        rows = _print(store, since, limit, as_json=as_json)
        last = rows[-1].seq if rows else since
        if not follow and len(rows) == limit:
            click.echo(f"there may be more: --since {last} goes on", err=True)
        while follow:
            if not rows:
                threading.Event().wait(1.0)
            rows = _print(store, last, limit, as_json=as_json)
            last = rows[-1].seq if rows else last


def _print(store: "Store", since: int, limit: int, *, as_json: bool) -> "list[Change]":
    from console.views import whole
    from storage import changes

    with store.reading() as tx:
        rows = changes.read(tx, since, limit)
    if as_json:
        for row in rows:
            print_json(whole(row))
    elif rows:
        print_table(("seq", "at", "what", "article", "version", "cluster"), [_line(row) for row in rows])
    sys.stdout.flush()
    return rows


def _line(row: "Change") -> tuple[object, ...]:
    return (row.seq, row.at, row.kind, row.article_id, row.version, row.cluster_id)
