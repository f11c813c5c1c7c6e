"""`copydesk restore`: a backup brought back."""

from pathlib import Path

import click

from console.desk import Desk, pass_desk


@click.command()
@click.argument("src", type=click.Path(path_type=Path))
@pass_desk
def command(desk: Desk, src: Path) -> None:
    """Fill an empty data folder, or an empty PostgreSQL database and archive, from the backup SRC.

    Nothing that exists is written over. Each file is compared with its digest; prove the rest with `copydesk audit`.
    A reader of the change feed that was ahead of the backup has to begin anew, at 0.

    \b
    Example:
      copydesk --data restored restore /mnt/backups/2026-03-10
      copydesk --data restored audit
    """
    from storage.restore import restore
    from storage.schema import HEAD

    settings = desk.settings()
    found = restore(settings, src)
    click.echo(
        f"{found.database} database and {len(found.archive)} archive files of {found.made_at:%Y-%m-%d %H:%M} UTC"
    )
    if found.schema != HEAD:
        click.echo("its schema is older than this program's: run 'copydesk migrate'")
