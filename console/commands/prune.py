"""`copydesk prune`: let go what is older than it is to be kept."""

import sys
from collections import Counter

import click

from console.desk import Desk, now, pass_desk
from console.progress import Pace, shown_rate
from console.render import print_facts, print_json

_NAMES = {
    "polls": "polls forgotten",
    "sightings": "sightings forgotten",
    "versions": "old versions without text",
    "bodies": "stored bodies deleted",
    "archive_files": "archive files deleted",
    "postings": "likeness postings deleted",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go; delete nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, dry_run: bool, as_json: bool) -> None:
    """Let go what is older than the settings keep_…_days and the sources' `retention` say.

    It works in small steps and may be stopped at any moment; the next call goes on. Workers do the same once a day. The
    change feed, current texts, and the pages' identities stay. An archive file goes when the time of all its records is
    over.

    \b
    Example:
      copydesk prune --dry-run
      copydesk --set keep_archive_days=365 prune
    """
    from storage.pruning import WHAT, prune

    gone = Counter(dict.fromkeys(WHAT, 0))
    stopped, pace = False, Pace()
    shown = sys.stderr.isatty() and not as_json

    def told(what: str, count: int) -> None:
        gone[what] += count
        if shown:
            rate = shown_rate(pace.at(sum(gone.values())))
            click.echo(f"\r{sum(gone.values())} so far{f', {rate}' if rate else ''}  ", nl=False, err=True)

    with desk.store() as store:
        try:
            prune(store, desk.settings(), now(), dry=dry_run, told=told)
        except KeyboardInterrupt:
            stopped = True
    if shown:
        click.echo("\r", nl=False, err=True)
    if as_json:
        print_json({**gone, "dry_run": dry_run, "stopped": stopped}, lines=False)
    else:
        click.echo("a dry run; this would go:" if dry_run else "gone:")
        print_facts([(_NAMES[what], count) for what, count in gone.items()])
    if stopped:
        click.echo("copydesk: stopped; the next call goes on where this one was", err=True)
        click.get_current_context().exit(130)
