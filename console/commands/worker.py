"""`copydesk worker`: a process that works off queues."""

import click

from console.desk import Desk, pass_desk


@click.command()
@click.argument("queues", nargs=-1, type=click.Choice(["crawl", "process", "maintain"]))
@click.option("--concurrency", type=click.IntRange(min=1), default=1, show_default=True, help="Tasks at a time.")
@pass_desk
def command(desk: Desk, queues: tuple[str, ...], concurrency: int) -> None:
    """Run a worker for QUEUES (default: all of them) until it is stopped.

    \b
    Example:
      copydesk --broker redis://redis:6379/0 worker crawl
      copydesk --broker redis://redis:6379/0 worker process maintain
    """
    from tasks.up import run_worker

    wanted = queues or ("crawl", "process", "maintain")
    click.get_current_context().exit(run_worker(desk.settings(), wanted, concurrency))
