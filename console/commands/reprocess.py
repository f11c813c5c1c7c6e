"""`copydesk reprocess`: read articles anew by the present rules."""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.params import source_names
from console.progress import progress_bar
from console.render import print_json, print_table

if TYPE_CHECKING:
    from tasks.reprocess import Report


@click.command()
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Only articles whose present version was fetched then or later (UTC).",
)
@click.option(
    "--source",
    "source_name",
    metavar="NAME",
    shell_complete=source_names,
    help="Only articles that this source listed first.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Processes that read at the same time; as many as there are cores without it.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@pass_desk
def command(
    desk: Desk, since: datetime | None, source_name: str | None, dry_run: bool, processes: int | None, as_json: bool
) -> None:
    """Read articles anew from the archive, by the present code and recipes, and file what comes out differently.

    Each article that changes gets a version of the class `reprocessed` and a row in the change feed. A text is never
    replaced by a worse one. Articles whose bytes are damaged are named, and the exit code is 1.

    \b
    Example:
      copydesk reprocess --dry-run
      copydesk reprocess --since 2026-03-01 --source harbour-feed --processes 4
    """
    from storage import rereading, sources
    from tasks.extract.recipes import load_recipes
    from tasks.readers import readers, useful
    from tasks.reprocess import reprocess

    settings = desk.settings()
    recipes = load_recipes(settings.recipes) if settings.recipes else {}
    start = since.replace(tzinfo=UTC) if since else None
    with desk.store() as store:
        with store.reading() as tx:
            if source_name is not None:
                sources.get(tx, source_name)  # says so if there is none
            many = rereading.count(tx, since=start, source_name=source_name)
        chosen: dict[str, Any] = {"since": start, "source_name": source_name, "dry_run": dry_run}
        count = processes or useful(many)
        with ExitStack() as stack:
            if count > 1:
                chosen["examined"] = stack.enter_context(readers(store, settings, recipes, count)).examine
            advance = stack.enter_context(progress_bar(many, "articles"))
            report = reprocess(store, recipes=recipes, clock=now, progress=advance, **chosen)
    if as_json:
        print_json({"dry_run": dry_run, **as_plain(report)}, lines=False)
    else:
        _print(report, dry_run=dry_run)
    for failed in report.failed:
        click.echo(f"copydesk: article {failed.article_id} ({failed.url}): {failed.error}", err=True)
    if report.failed:
        click.get_current_context().exit(1)


def as_plain(report: "Report") -> dict[str, Any]:
    """The report as JSON."""
    from console.views import whole

    by_field = {
        name: {"changed": count, "examples": whole(report.examples[name])}
        for name, count in report.fields.most_common()
    }
    totals = {"read": report.read, "changed": report.changed, "unchanged": report.unchanged}
    return {**totals, "kept": dict(report.kept), "failed": whole(report.failed), "fields": by_field}


def _print(report: "Report", *, dry_run: bool) -> None:
    words = "would change" if dry_run else "changed"
    click.echo(f"{report.read} articles read anew: {report.changed} {words}, {report.unchanged} come out as they are")
    for reason, count in sorted(report.kept.items()):
        click.echo(f"{count} kept as they are: {reason}")
    if not report.fields:
        return
    rows = [
        (name if number == 0 else "", report.fields[name] if number == 0 else None, one.article_id, one.old, one.new)
        for name, _ in report.fields.most_common()
        for number, one in enumerate(report.examples[name])
    ]
    print_table(("field", words, "in article", "old", "new"), rows)
