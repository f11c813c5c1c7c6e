"""`copydesk recluster`: decide anew which articles tell one story."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.progress import progress_bar
from console.render import print_json, print_table

if TYPE_CHECKING:
    from tasks.recluster import Report


@click.command()
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Only articles that were filed or changed then or later (UTC).",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@pass_desk
def command(desk: Desk, since: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Decide the clusters anew from the stored fingerprints, and move the articles that belong elsewhere.

    Fingerprints of an earlier version of the algorithm are computed anew first. Each article that moves has a row
    `clustered` in the change feed; a cluster that ends points to its successor. A run may be stopped and started
    again; one that follows a complete run changes nothing.

    \b
    Example:
      copydesk recluster --dry-run
      copydesk recluster --since 2026-03-01
    """
    from storage import reading
    from tasks.recluster import recluster

    settings = desk.settings()
    start = since.replace(tzinfo=UTC) if since else None
    horizon = timedelta(days=settings.candidate_days) if settings.candidate_days else timedelta(days=36_500)
    with desk.store() as store:
        with store.reading() as tx:
            many = reading.counts(tx)["articles"]
        with progress_bar(many, "articles") as advance:
            report = recluster(store, clock=now, since=start, horizon=horizon, dry_run=dry_run, progress=advance)
    if as_json:
        print_json({"dry_run": dry_run, **as_plain(report)}, lines=False)
    else:
        _print(report, dry_run=dry_run)


def as_plain(report: "Report") -> dict[str, Any]:
    """The report as JSON."""
    from console.views import whole

    totals = {"prints": report.prints, "read": report.read, "changed_meanwhile": report.skipped}
    return {**totals, "moves": whole(report.moves)}


def _print(report: "Report", *, dry_run: bool) -> None:
    words = ("would be computed anew", "would move") if dry_run else ("computed anew", "moved")
    if report.prints:
        click.echo(f"{report.prints} fingerprints of an earlier algorithm {words[0]}")
    click.echo(f"{report.read} articles looked at: {len(report.moves) - report.skipped} {words[1]}")
    if report.skipped:
        click.echo(f"{report.skipped} changed meanwhile and stay; run it again")
    if report.moves:
        rows = [
            (
                one.article_id,
                one.before,
                one.into or "new",
                None if one.similarity is None else f"{one.similarity:.2f}",
                one.reason,
                one.url,
            )
            for one in report.moves
        ]
        print_table(("article", "from cluster", "to cluster", "similarity", "reason", "address"), rows)
