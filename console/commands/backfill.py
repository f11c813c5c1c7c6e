"""`copydesk backfill`: fetch a source's older articles."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.params import source_names
from console.render import print_facts, print_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.backfills import Backfill


@click.command()
@click.argument("source", shell_complete=source_names)
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="First day, in UTC.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Last day (default: today).")
@click.option("--stop", is_flag=True, help="Stop it; the same dates later go on where it stood.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, source: str, since: datetime | None, until: datetime | None, stop: bool, as_json: bool) -> None:
    """Ask for the articles of a span of days, out of a source's sitemaps; without dates, say how far that is.

    The crawl does it, with `copydesk crawl` or `copydesk up`, at a lower priority than news, and goes on after an
    interruption. Exit 1 when there is no backfill to show or to stop.

    \b
    Example:
      copydesk backfill news.example-feed.xml --from 2025-01-01 --to 2025-03-31
      copydesk backfill news.example-feed.xml
    """
    if since is None and until is not None:
        raise click.UsageError("--to needs --from")
    if stop:
        desk.write_each([source], _stop)
    elif since is not None:
        first = since.replace(tzinfo=UTC)
        last = (until.replace(tzinfo=UTC) if until else now().replace(hour=0, minute=0, second=0, microsecond=0)) + DAY
        if last <= first:
            raise click.UsageError("--to lies before --from")
        desk.write_each([source], lambda tx, name: _start(tx, name, first, last))
    _show(desk.read(lambda tx: _known(tx, source)), source, as_json=as_json)


DAY = timedelta(days=1)


def _start(tx: "Connection", name: str, since: datetime, until: datetime) -> None:
    from storage import backfills, sources

    [found] = sources.trigger(tx, [name], now(), fresh=False)
    backfills.start(tx, found.id, since, until, now())


def _stop(tx: "Connection", name: str) -> None:
    from storage import backfills, sources
    from storage.errors import NotFound

    if not backfills.stop(tx, sources.get(tx, name).id):
        raise NotFound(f"no backfill of {name} is open")


def _known(tx: "Connection", name: str) -> "Backfill":
    from storage import backfills, sources
    from storage.errors import NotFound

    found = backfills.of_source(tx, sources.get(tx, name).id)
    if found is None:
        raise NotFound(f"no backfill of {name} was ever asked for; --from DATE asks for one")
    return found


def _show(job: "Backfill", name: str, *, as_json: bool) -> None:
    from console.views import whole

    facts: dict[str, Any] = {"source": name, "from": job.since.date(), "to": (job.until - DAY).date()}
    facts |= {"state": job.state, "files read": len(job.done), "files to read": len(job.todo)}
    facts |= {"files that failed": ", ".join(job.failed[:3]) or 0}
    facts |= {"new addresses": job.found, "addresses without a date": job.undated}
    if as_json:
        print_json({**whole(job), "source": name}, lines=False)
        return
    print_facts(facts.items())
