"""`copydesk scheduler`: the process that hands out what is due."""

import click

from console.desk import Desk, pass_desk


@click.command()
@pass_desk
def command(desk: Desk) -> None:
    """Run a scheduler until it is stopped. Any number may run; each piece of work is handed out once.

    \b
    Example:
      copydesk --broker redis://redis:6379/0 scheduler
    """
    from tasks.schedule import serve

    serve(desk.settings())
