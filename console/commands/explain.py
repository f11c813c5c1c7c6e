"""`copydesk explain`: everything the store knows of one address."""

from typing import Any

import click

from console.advice import advice
from console.desk import Desk, pass_desk
from console.render import print_facts, print_json, print_table


@click.command()
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def command(desk: Desk, url: str, as_json: bool) -> None:
    """Say everything that is known of an address: who listed it, when it was fetched, what became of it and why.

    \b
    Example:
      copydesk explain https://news.example/2026/budget?utm_source=feed
    """
    from console.explaining import facts_of

    facts = desk.read(lambda tx: facts_of(tx, url))
    if as_json:
        print_json(facts, lines=False)
    else:
        _print(facts)
    if facts["page"] is None and facts["article"] is None:
        click.get_current_context().exit(1)


def _print(facts: dict[str, Any]) -> None:
    page, article, site, robots = facts["page"], facts["article"], facts["site"], facts["robots"]
    print_facts([("address", facts["address"]), ("known as", facts["key"])])
    if page is None:
        click.echo("no page of this address was ever seen; 'copydesk crawl URL' fetches it")
    else:
        ended = f"{page['disposition']}: {page['reason']}" if page["disposition"] else None
        print_facts(
            [
                ("page", page["id"]),
                ("state", page["state"]),
                ("became", ended),
                ("advice", advice(page["reason"])),
                ("failed tries", page["attempts"] or None),
                ("next fetch", page["next_at"]),
                ("waits because of", page["reason"] if page["next_at"] and not page["disposition"] else None),
                ("gone since", facts["gone_since"]),
                ("discovered", page["discovered_at"]),
                ("fetched", page["fetched_at"]),
                ("redirects to", " → ".join(facts["redirects"])),
            ]
        )
    if site is not None:
        robots_told = (
            f"status {robots['status']}, {robots['bytes']} bytes, good until {robots['expires_at']}"
            if robots
            else "not asked yet"
        )
        why = f" ({site['blocked_for']})" if site["blocked_for"] else ""
        blocked = f"{site['blocked_until']}{why}" if site["blocked_until"] else None
        print_facts(
            [
                ("site", site["key"]),
                ("delay", f"{site['delay_s']} s"),
                ("blocked until", blocked),
                ("robots", robots_told),
            ]
        )
    if article is not None:
        primary = " (primary of its cluster)" if article["is_primary"] and facts["cluster"] else ""
        print_facts(
            [
                ("article", f"{article['id']}, version {article['version']}{primary}"),
                ("title", article["title"]),
                ("filed under", article["url"]),
            ]
        )
    _print_lists(facts)


def _print_lists(facts: dict[str, Any]) -> None:
    rows = {
        "sightings": ("source", "via", "first_seen", "last_seen", "url"),
        "snapshots": ("id", "status", "fetched_at", "size", "digest"),
        "versions": ("version", "class", "fetched_at"),
        "cluster": ("id", "url"),
        "duplicates": ("reason", "url"),
        "changes": ("seq", "kind", "version", "at"),
    }
    for name, head in rows.items():
        if facts[name]:
            click.secho(f"\n{name}", bold=True)
            print_table(head, [[row[column] for column in head] for row in facts[name]])
