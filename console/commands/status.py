"""`copydesk status`: how the whole stands."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.render import print_facts, print_json, print_table
from console.words import size, when

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--check", is_flag=True, help="Say only whether all is well; exit 1 where it is not.")
@pass_desk
def command(desk: Desk, as_json: bool, check: bool) -> None:
    """Show how many sources, pages and articles there are, and what waits.

    With --check, exit 1 when the database cannot be reached, its schema is not the one this program needs, or no
    scheduler has given a sign of life.

    \b
    Example:
      copydesk status
      copydesk status --check
    """
    if check:
        _check(desk, as_json)
        return
    figures = desk.read(_figures)
    if as_json:
        print_json(figures, lines=False)
        return
    _print(figures)


def _figures(tx: "Connection") -> dict[str, Any]:
    from console import questions
    from console.views import whole
    from storage import changes, events, pages, reading, sites, snapshots, sources
    from storage.usage import usage

    moment = now()
    hot_bodies, hot_bytes = snapshots.hot(tx)
    by = sorted(pages.counts(tx).items(), key=lambda item: tuple(part or "" for part in item[0]))
    named = ("state", "disposition", "reason")
    return {
        "at": whole(moment),
        "sources": sources.counts(tx, moment),
        "next_due": whole(sites.next_due(tx)),
        "leases": questions.leases(tx, moment),
        "stale_leases": len(sites.stale_leases(tx, moment)),
        "pages": [{**dict(zip(named, key, strict=True)), "count": count} for key, count in by],
        **reading.counts(tx),
        "hot_bodies": hot_bodies,
        "hot_bytes": hot_bytes,
        "storage": whole(usage(tx)),
        "last_change": changes.last(tx),
        "events": events.counts(tx),
        "open_events": [whole(one) for one in events.current(tx, limit=20)],
        "closed_events": [whole(one) for one in events.closed(tx, moment - timedelta(days=1), limit=20)],
    }


def _print(figures: dict[str, Any]) -> None:
    known, room = figures["sources"], figures["storage"]
    print_facts(
        [
            (
                "sources",
                f"{known['sources']} ({known['due']} due, {known['paused']} paused, {known['failing']} failing)",
            ),
            ("next work", f"{when(figures['next_due'])} UTC" if figures["next_due"] else "none"),
            ("sites in work", f"{figures['leases']} ({figures['stale_leases']} abandoned)"),
            ("articles", f"{figures['articles']} in {figures['versions']} versions"),
            ("shared stories", figures["shared_clusters"]),
            ("hot bodies", f"{figures['hot_bodies']} ({size(figures['hot_bytes'])})"),
            ("database", _database(figures["storage"], figures["articles"])),
            ("archive", f"{size(room['archive_bytes'])} in {room['archive_files']} files"),
            ("last change", figures["last_change"]),
        ]
    )
    if figures["open_events"]:
        click.echo()
        rows = [(row["opened_at"], row["kind"], row["source"], row["detail"]) for row in figures["open_events"]]
        print_table(("open since", "event", "source", "detail"), rows)
    if figures["closed_events"]:
        click.echo()
        rows = [(row["closed_at"], row["kind"], row["source"], row["detail"]) for row in figures["closed_events"]]
        print_table(("closed within a day", "event", "source", "detail"), rows)
    if figures["pages"]:
        click.echo()
        rows = [(row["state"], row["disposition"], row["reason"], row["count"]) for row in figures["pages"]]
        print_table(("pages", "disposition", "reason", "count"), rows)


def _database(room: dict[str, Any], articles: int) -> str:
    whole = size(room["database_bytes"])
    if room["index_bytes"] is None:
        return whole
    each = f", {room['index_bytes'] // articles} bytes an article" if articles else ""
    return f"{whole}, of them {size(room['index_bytes'])} to find near-duplicates{each}"


def _check(desk: Desk, as_json: bool) -> None:
    from console.health import faults

    found = faults(desk.settings(), now())
    if as_json:
        print_json({"ok": not found, "faults": found})
    else:
        click.echo("ok" if not found else "\n".join(found), err=bool(found))
    if found:
        click.get_current_context().exit(1)
