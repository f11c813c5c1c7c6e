"""`copydesk up`: everything on one machine."""

import click

from console.desk import Desk, pass_desk


@click.command()
@pass_desk
def command(desk: Desk) -> None:
    """Run scheduler, crawlers, workers and web server here, with an embedded broker, until it is stopped.

    With web_port=0 there is no web server.

    \b
    Example:
      copydesk up
      copydesk --data /srv/news --set web_port=0 up
    """
    import sys

    from console.rests import no_contact
    from tasks.up import teller, up

    settings = desk.settings()
    say = teller(settings)
    if warning := no_contact(settings):
        say(warning)
    if settings.web_port:
        say(f"web: http://{settings.web_host}:{settings.web_port}/")
    web = [sys.executable, "-m", "console.cli", "web"] if settings.web_port else []
    click.get_current_context().exit(up(settings, web=web, say=say))
