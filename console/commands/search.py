"""`copydesk search`: find articles by their words."""

from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json

if TYPE_CHECKING:
    from storage.query import Query
    from storage.records import Article
    from storage.search import Snippet
    from storage.store import Store

_MOST_STEPS = 500


@click.command(context_settings={"ignore_unknown_options": True})  # -word is a part of the query
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most articles.")
@click.option("--newest", is_flag=True, help="Newest first instead of best first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: the record with its snippet.")
@pass_desk
def command(desk: Desk, query: tuple[str, ...], limit: int, newest: bool, as_json: bool) -> None:
    """Find articles: words, "a phrase", -not, field:value.

    Words are found in all their forms, with or without accents. Fields: source, site, publisher, author, language,
    section, access, title, after, before.

    \b
    Example:
      copydesk search ferry strike
      copydesk search '"ferry strike" -weather language:en after:2026-03-01'
    """
    from storage.query import parse

    asked = parse(" ".join(query))
    with desk.store() as store:
        _catch_up(store)
        for found, shown in _found(store, asked, limit=limit, newest=newest):
            print_json(_json(found, shown)) if as_json else _print(found, shown)


def _catch_up(store: "Store") -> None:
    """Bring the index up to the present, as far as nobody else is at it; the rest comes by itself."""
    from storage import search
    from storage.errors import StoreBusy

    try:
        for _ in range(_MOST_STEPS):
            if not store.write(lambda tx: search.catch_up(tx, now())):
                return
    except StoreBusy as error:
        click.echo(f"copydesk: the newest articles may be missing: {error}", err=True)


def _found(store: "Store", query: "Query", *, limit: int, newest: bool) -> "list[tuple[Article, Snippet]]":
    from storage import reading, search

    with store.reading() as tx:
        hits = search.search(tx, query, limit=limit, newest=newest)
        known = {one.id: one for one in reading.some(tx, [hit.article_id for hit in hits])}
    return [(known[hit.article_id], search.snippet(known[hit.article_id], query)) for hit in hits]


def _json(found: "Article", shown: "Snippet") -> dict[str, Any]:
    from storage.reading import to_json

    return {**to_json(found), "snippet": {"text": shown.text, "marks": [list(mark) for mark in shown.marks]}}


def _print(found: "Article", shown: "Snippet") -> None:
    content = found.content
    day = content.published_at.date().isoformat() if content.published_at else "no date"
    click.echo(f"{click.style(str(found.id), dim=True)}  {click.style(content.title, bold=True)}")
    click.echo(f"    {day} · {found.source} · {content.url}")
    click.echo(f"    {_marked(shown)}\n")


def _marked(shown: "Snippet") -> str:
    parts, at = [], 0
    for start, end in shown.marks:
        parts += [shown.text[at:start], click.style(shown.text[start:end], underline=True, bold=True)]
        at = end
    return "…" + "".join([*parts, shown.text[at:]]) + "…"
