"""`copydesk trigger`: make sources due now."""

import click

from console.desk import Desk, now, pass_desk


@click.command()
@click.argument("names", nargs=-1, required=True)
@pass_desk
def command(desk: Desk, names: tuple[str, ...]) -> None:
    """Make sources due now, before all others, and ask for them anew even if they say that nothing changed.

    \b
    Example:
      copydesk trigger news.example-feed.xml
    """
    from storage import sources

    with desk.store() as store:
        found = store.write(lambda tx: sources.trigger(tx, names, now()))
    for one in found:
        paused = " but it is paused: 'copydesk sources resume' lets it be polled" if one.paused else ""
        click.echo(f"{one.config.name} is due now{paused}")
    click.echo("a running 'copydesk up' or scheduler takes them within its tick; else 'copydesk crawl' does it here")
