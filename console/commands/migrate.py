"""`copydesk migrate`: the database's schema."""

import click

from console.desk import Desk, pass_desk


@click.command()
@pass_desk
def command(desk: Desk) -> None:
    """Make the database's schema, or move an older one forward to what this program needs.

    Stop the workers first; make a copy of the database before a large step.

    \b
    Example:
      copydesk migrate
      copydesk --database postgresql://desk@db/copydesk migrate
    """
    from storage import schema
    from storage.database import open_engine

    engine = open_engine(desk.settings().database_url)
    try:
        before = schema.revision(engine)
        after = schema.migrate(engine)
    finally:
        engine.dispose()
    if before == after:
        click.echo(f"the schema is {after} already")
    else:
        click.echo(f"the schema is {after} now" + (f", was {before}" if before else ", made from nothing"))
