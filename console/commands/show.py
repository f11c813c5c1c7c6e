"""`copydesk show`: one article."""

from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, pass_desk
from console.render import print_facts, print_json, print_table, safe

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Article


@click.command()
@click.argument("which", metavar="ID|URL")
@click.option("--why", is_flag=True, help="Say where each field's value comes from.")
@click.option("--versions", is_flag=True, help="List its versions.")
@click.option("--text", is_flag=True, help="Print only its text.")
@click.option("--json", "as_json", is_flag=True, help="The whole record as one JSON object.")
@pass_desk
def command(desk: Desk, which: str, why: bool, versions: bool, text: bool, as_json: bool) -> None:
    """Show one article, by its id or by any address that led to it.

    \b
    Example:
      copydesk show 12
      copydesk show 12 --why
      copydesk show https://news.example/2026/budget --text
    """
    from storage import reading

    found, history = desk.read(lambda tx: (one := _find(tx, which), reading.versions(tx, one.id) if versions else []))
    if as_json:
        print_json({**reading.to_json(found), **_history(history)}, lines=False)
    elif text:
        click.echo(safe(found.content.text))
    elif why:
        rows = [(n, p.source, p.confidence, p.raw) for n, p in sorted(found.content.provenance.items())]
        print_table(("field", "from", "confidence", "as it stood there"), rows)
    elif versions:
        print_table(_VERSION_HEAD, [_version_line(one) for one in history])
    else:
        _print(found)


_VERSION_HEAD = ("version", "class", "fetched", "words", "title")


def _find(tx: "Connection", which: str) -> "Article":
    from console import questions
    from storage import reading
    from storage.errors import NotFound

    if which.isdecimal():
        return reading.get(tx, int(which))
    found = questions.article_at(tx, which)
    if found is None:
        raise NotFound(f"no article is filed under {which}; 'copydesk explain' says what is known of an address")
    return found


def _history(history: "list[Article]") -> dict[str, Any]:
    from storage import reading

    return {"versions": [reading.to_json(one) for one in history]} if history else {}


def _version_line(one: "Article") -> tuple[Any, ...]:
    content = one.content
    return (one.version, one.change_class, content.fetched_at, len(content.text.split()), content.title)


def _print(found: "Article") -> None:
    content = found.content
    click.echo(click.style(safe(content.title), bold=True))
    print_facts(
        [
            ("", content.subtitle),
            ("id", f"{found.id}, version {found.version} ({found.change_class})"),
            ("address", content.url),
            ("source", found.source),
            ("publisher", content.publisher),
            ("authors", ", ".join(content.authors)),
            ("published", content.published_at),
            ("modified", content.modified_at),
            ("language", content.language),
            ("section", content.section),
            ("keywords", ", ".join(content.keywords)),
            ("access", content.access),
            ("cluster", f"{found.cluster_id}{' (primary)' if found.is_primary else ''}"),
            ("fetched", content.fetched_at),
            ("withdrawn", found.withdrawn_at),
        ]
    )
    click.echo(f"\n{safe(content.text)}")
