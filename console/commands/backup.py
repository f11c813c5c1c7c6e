"""`copydesk backup`: a consistent copy of database and archive."""

from pathlib import Path

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, dest: Path, as_json: bool) -> None:
    """Copy the database, and the archive files it points to, into the new folder DEST while everything runs.

    DEST appears when the copy is complete. On the archive's own file system its files become hard links. Settings,
    recipes and what waits in the broker are not part of it, and `withdraw` does not reach into backups.

    \b
    Example:
      copydesk backup /mnt/backups/2026-03-10
      copydesk --database postgresql://desk@db/copydesk backup /mnt/backups/2026-03-10
    """
    from storage.backup import back_up

    with desk.store() as store:
        made = back_up(store, dest, now())
    if as_json:
        facts = {"dest": str(dest), "database": made.database, "schema": made.schema, "bytes": made.size}
        print_json({**facts, "archive_files": len(made.archive)}, lines=False)
    else:
        click.echo(f"{made.database} database and {len(made.archive)} archive files, {made.size:,} bytes, at {dest}")
