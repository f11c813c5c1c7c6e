"""`copydesk trigger`: make sources due now."""

import click

from console.desk import Desk, now, pass_desk
from console.params import source_names


@click.command()
@click.argument("names", nargs=-1, required=True, shell_complete=source_names)
@pass_desk
def command(desk: Desk, names: tuple[str, ...]) -> None:
    """Make sources due now, before all others, and ask for them anew even if they say that nothing changed.

    \b
    Example:
      copydesk trigger news.example-feed.xml
    """
    from console.rests import resting
    from storage import sites, sources

    moment = now()
    with desk.store() as store:
        found = store.write(lambda tx: sources.trigger(tx, names, moment))
        with store.reading() as tx:
            rests = {one.site: resting(sites.get(tx, one.site), moment) for one in found}
    for one in found:
        paused = " but it is paused: 'copydesk sources resume' lets it be polled" if one.paused else ""
        waits = f" but {one.site} {rests[one.site]}" if rests[one.site] and not paused else ""
        click.echo(f"{one.config.name} is due now{paused}{waits}")
    click.echo("a running 'copydesk up' or scheduler takes them within its tick; else 'copydesk crawl' does it here")
