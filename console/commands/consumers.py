"""`copydesk consumers`: readers of the change feed that the store keeps a place for."""

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json, print_table


@click.group()
def command() -> None:
    """Keep a reader's place in the change feed, so that it goes on where it stopped.

    \b
    Example:
      copydesk consumers add warehouse
      copydesk consumers list
      copydesk consumers reset warehouse --to 0
    """


@command.command("add")
@click.argument("name")
@click.option("--since", type=click.IntRange(min=0), default=0, help="Begin after this row (default: at the start).")
@pass_desk
def add(desk: Desk, name: str, since: int) -> None:
    """Keep a place for a new reader.

    \b
    Example:
      copydesk consumers add warehouse --since 1200
    """
    from storage import consumers

    with desk.store() as store:
        store.write(lambda tx: consumers.add(tx, name, now(), since=since))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def list_consumers(desk: Desk, as_json: bool) -> None:
    """List readers with their place and how far behind they are.

    \b
    Example:
      copydesk consumers list
    """
    from console.views import whole
    from storage import consumers

    found = desk.read(consumers.listed)
    if as_json:
        for one in found:
            print_json(whole(one))
    elif found:
        print_table(("consumer", "place", "behind", "since"), [(one.name, one.seq, one.lag, one.at) for one in found])
    else:
        click.echo("no readers yet; 'copydesk consumers add NAME' keeps a place for one")


@command.command("reset")
@click.argument("name")
@click.option("--to", "seq", type=click.IntRange(min=0), required=True, help="The last row that counts as read.")
@pass_desk
def reset(desk: Desk, name: str, seq: int) -> None:
    """Let a reader read again from a row, or skip to one.

    \b
    Example:
      copydesk consumers reset warehouse --to 0
    """
    from storage import consumers

    desk.write_each([name], lambda tx, one: consumers.reset(tx, one, seq, now()))


@command.command("remove")
@click.argument("name")
@pass_desk
def remove(desk: Desk, name: str) -> None:
    """Forget a reader.

    \b
    Example:
      copydesk consumers remove warehouse
    """
    from storage import consumers

    desk.write_each([name], consumers.remove)
