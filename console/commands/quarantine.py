"""`copydesk quarantine`: pages whose processing failed for good."""

from typing import TYPE_CHECKING

import click

from console.desk import Desk, now, pass_desk
from console.render import print_facts, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.group()
def command() -> None:
    """See pages whose processing failed for good, and decide what becomes of them.

    \b
    Example:
      copydesk quarantine list
      copydesk quarantine show 17
      copydesk quarantine retry 17
    """


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most pages to list.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only page ids above this one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def list_(desk: Desk, limit: int, after: int, as_json: bool) -> None:
    """List quarantined pages by their ids.

    \b
    Example:
      copydesk quarantine list --json
    """
    from console.views import whole
    from storage import quarantine

    found = desk.read(lambda tx: quarantine.listed(tx, after=after, limit=limit))
    if as_json:
        for one in found:
            print_json(whole(one))
    elif not found:
        click.echo("nothing is in quarantine")
    else:
        head = ("page", "since", "stage", "tries", "error", "url")
        print_table(head, [(q.page_id, q.at, q.stage, q.attempts, q.error, q.url) for q in found])


@command.command()
@click.argument("page_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def show(desk: Desk, page_id: int, as_json: bool) -> None:
    """Show one quarantined page with its whole error.

    \b
    Example:
      copydesk quarantine show 17
    """
    from console.views import whole
    from storage import quarantine

    found = whole(desk.read(lambda tx: quarantine.get(tx, page_id)))
    if as_json:
        print_json(found, lines=False)
    else:
        print_facts(found.items())


@command.command()
@click.argument("page_ids", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is in quarantine.")
@pass_desk
def retry(desk: Desk, page_ids: tuple[int, ...], everything: bool) -> None:
    """Give pages another chance: the next crawl or process worker takes them up.

    \b
    Example:
      copydesk quarantine retry 17 18
      copydesk quarantine retry --all
    """
    from storage import quarantine

    ids = _chosen(desk, page_ids, everything=everything)
    desk.write_each(ids, lambda tx, page_id: quarantine.retry(tx, page_id, now()))
    click.echo(f"{len(ids)} pages will be tried again: by 'copydesk crawl', or by the workers where they run")


@command.command()
@click.argument("page_ids", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is in quarantine.")
@pass_desk
def drop(desk: Desk, page_ids: tuple[int, ...], everything: bool) -> None:
    """Give pages up: they count as rejected, dropped_by_hand.

    \b
    Example:
      copydesk quarantine drop 17
    """
    from storage import quarantine

    ids = _chosen(desk, page_ids, everything=everything)
    desk.write_each(ids, lambda tx, page_id: quarantine.drop(tx, page_id, now()))
    click.echo(f"{len(ids)} pages dropped")


def _chosen(desk: Desk, page_ids: tuple[int, ...], *, everything: bool) -> list[int]:
    if bool(page_ids) == everything:
        raise click.UsageError("name the pages by their ids, or give --all")
    if not everything:
        return list(page_ids)
    return desk.read(_everything)


def _everything(tx: "Connection") -> list[int]:
    from storage import quarantine

    found: list[int] = []
    while batch := quarantine.listed(tx, after=found[-1] if found else 0):
        found += [one.page_id for one in batch]
    return found
