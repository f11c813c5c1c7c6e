"""`copydesk explain`: everything the store knows of one address."""

from typing import TYPE_CHECKING, Any

import click

from console.advice import advice
from console.desk import Desk, pass_desk
from console.render import print_facts, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Article, Page


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
    facts = desk.read(lambda tx: _facts(tx, url))
    if as_json:
        print_json(facts, lines=False)
    else:
        _print(facts)
    if facts["page"] is None and facts["article"] is None:
        click.get_current_context().exit(1)


def _facts(tx: "Connection", url: str) -> dict[str, Any]:
    from console import questions
    from console.views import whole
    from storage import pages, snapshots

    key = questions.key_of(url)
    page = pages.find(tx, key) or pages.find(tx, url)
    article = questions.article_at(tx, url)
    names = questions.source_names(tx)
    seen = pages.sightings(tx, page.id) if page else []
    return {
        "address": url,
        "key": key,
        "page": whole(page),
        **_doubts(tx, page),
        "redirects": pages.leads_to(tx, key)[1:],
        "sightings": [{"source": names.get(one.source_id), **whole(one)} for one in seen],
        "snapshots": whole(snapshots.of_page(tx, page.id)) if page else [],
        **_article_facts(tx, article),
        **_site_facts(tx, url, page),
    }


def _doubts(tx: "Connection", page: "Page | None") -> dict[str, Any]:
    from console.views import whole
    from storage import doubts

    return {"gone_since": whole(doubts.gone_since(tx, page.id)) if page else None}


def _article_facts(tx: "Connection", article: "Article | None") -> dict[str, Any]:
    from console import questions
    from console.views import whole
    from storage import changes, reading

    if article is None:
        return {"article": None, "versions": [], "cluster": [], "duplicates": [], "changes": []}
    versions = reading.versions(tx, article.id)
    members = reading.members(tx, article.cluster_id)
    return {
        "article": {
            "id": article.id,
            "url": article.content.url,
            "title": article.content.title,
            "version": article.version,
            "cluster_id": article.cluster_id,
            "is_primary": article.is_primary,
        },
        "versions": [
            {"version": one.version, "class": one.change_class.value, "fetched_at": whole(one.content.fetched_at)}
            for one in versions
        ],
        "cluster": [{"id": one.id, "url": one.content.url} for one in members if one.id != article.id],
        "duplicates": questions.duplicates_of(tx, article.id),
        "changes": whole(changes.of_article(tx, article.id)),
    }


def _site_facts(tx: "Connection", url: str, page: "Page | None") -> dict[str, Any]:
    from console.views import whole
    from crawler.urls import origin_of
    from storage import sites

    try:
        origin = origin_of(page.fetch_url if page else url)
    except ValueError:
        return {"site": None, "robots": None}
    robots = sites.robots_of(tx, [origin]).get(origin)
    told = {"origin": origin, "status": robots.status, "bytes": len(robots.body)} if robots else None
    times = {"fetched_at": whole(robots.fetched_at), "expires_at": whole(robots.expires_at)} if robots else {}
    return {"site": whole(sites.get(tx, page.site)) if page else None, "robots": told | times if told else None}


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
