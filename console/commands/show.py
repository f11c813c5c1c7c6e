"""`copydesk show`: one article."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, pass_desk
from console.render import print_facts, print_json, print_table, safe

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.records import Article
    from tasks.candidates import Why


@click.command()
@click.argument("which", metavar="ID|URL")
@click.option("--why", is_flag=True, help="Say where each field's value comes from, and what else the page says.")
@click.option(
    "--diff",
    metavar="[N|N:M]",
    is_flag=False,
    flag_value="last",
    help="Show what its last version changed, or version N, or what lies between N and M, by sentence and word.",
)
@click.option("--versions", is_flag=True, help="List its versions.")
@click.option("--text", is_flag=True, help="Print only its text.")
@click.option("--json", "as_json", is_flag=True, help="The whole record as one JSON object.")
@pass_desk
def command(desk: Desk, which: str, why: bool, diff: str | None, versions: bool, text: bool, as_json: bool) -> None:
    """Show one article, by its id or by any address that led to it.

    \b
    Example:
      copydesk show 12
      copydesk show 12 --why
      copydesk show 12 --diff 1:3
      copydesk show https://news.example/2026/budget --text
    """
    from storage import reading

    found, history = desk.read(lambda tx: (one := _find(tx, which), reading.versions(tx, one.id) if versions else []))
    reasons = _why(desk, found) if why else []
    if as_json:
        print_json({**reading.to_json(found), **_history(history), **_reasons(reasons)}, lines=False)
    elif text:
        click.echo(safe(found.content.text))
    elif why:
        print_table(_WHY_HEAD, [line for one in reasons for line in _why_lines(one)])
        _print_decision(desk, found.id)
    elif diff:
        click.echo(safe(_difference(desk, found.id, diff)))
    elif versions:
        print_table(_VERSION_HEAD, [_version_line(one) for one in history])
    else:
        _print(found)


def _print_decision(desk: Desk, article_id: int) -> None:
    """How it was decided where the article belongs: with what it was compared, and how alike the two were."""
    from storage import reading

    told = desk.read(lambda tx: reading.decision(tx, article_id))
    click.echo()
    rank = "the primary" if told["primary_article_id"] == article_id else f"led by article {told['primary_article_id']}"
    facts = [("decision", told["reason"]), ("similarity", _share(told["similarity"])), ("credit", told["credit"])]
    print_facts([*facts, ("cluster", f"{told['cluster_id']}, {rank} ({told['primary_reason']})")])
    moved = told["evidence"].get("recluster")
    if moved:
        print_facts([("moved", f"from cluster {moved['from']} to {moved['to']} at {moved['at']} ({moved['reason']})")])
    compared = told["evidence"].get("compared", ())
    if compared:
        names = ("jaccard", "containment", "numbers", "names", "title", "length")
        rows = [
            (
                one["article"],
                one["cluster"],
                f"{one['probability']:.3f}",
                *(_share(one["measures"].get(name)) for name in names),
            )
            for one in compared
        ]
        print_table(("compared with", "cluster", "probability", *names), rows)


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _difference(desk: Desk, article_id: int, which: str) -> str:
    from storage import reading
    from tasks.diff import diff, marked

    history = {one.version: one for one in desk.read(lambda tx: reading.versions(tx, article_id))}
    chosen = _pair(which, max(history))
    if chosen[0] == 0:
        return "it has one version only" if len(history) == 1 else "version 1 is the first: it changed nothing"
    absent = next((number for number in reversed(chosen) if number not in history), None)
    if absent is not None:
        raise click.BadParameter(f"there is no version {absent}: it has 1 to {max(history)}", param_hint="--diff")
    old, new = (history[number] for number in chosen)
    pruned = next((one.version for one in (old, new) if one.pruned_at), None)
    if pruned is not None:
        return f"the text of version {pruned} was pruned: its time was over"
    before, after = (f"{one.content.title}\n{one.content.text}" for one in (old, new))
    return marked(diff(before, after), context=1) or f"the same text; {new.change_class}"


def _pair(which: str, last: int) -> tuple[int, int]:
    """The versions to compare; 0 stands for what was before the first."""
    if which == "last":
        return last - 1, last
    numbers = which.split(":")
    if len(numbers) > 2 or not all(part.isdecimal() and int(part) > 0 for part in numbers):
        told = f"{which!r} is neither a version's number nor two, like 1:3"
        raise click.BadParameter(told, param_hint="--diff")
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (int(numbers[0]) - 1, int(numbers[0]))


_BRIEF = 120
"""Characters of a long value that a table shows."""
_VERSION_HEAD = ("version", "class", "fetched", "words", "title")


_WHY_HEAD = ("field", "", "from", "confidence", "as it stood there", "read as")


def _why(desk: Desk, found: "Article") -> "list[Why]":
    """The reasons for each field; the candidates that lost are read once more from the bytes of this version."""
    from storage import articles
    from storage.errors import ArchiveError, NotFound
    from storage.records import Rejection
    from storage.rereading import Place
    from tasks.candidates import explained
    from tasks.extract.recipes import load_recipes
    from tasks.rereading import findings

    settings = desk.settings()
    recipes = load_recipes(settings.recipes) if settings.recipes else {}
    with desk.store() as store:
        with store.reading() as tx:
            page_id = articles.page_of(tx, found.id)
        place = Place(
            article_id=found.id,
            url=found.content.url,
            version=found.version,
            page_id=page_id,
            snapshot_id=found.snapshot_id,
        )
        try:
            _, seen = findings(store, place, recipes)
        except (ArchiveError, NotFound) as error:
            click.echo(f"copydesk: what else the page says cannot be read: {error}", err=True)
            return explained(found, None)
    if isinstance(seen, Rejection):
        click.echo(f"copydesk: by the present rules this page has no article: {seen.reason}", err=True)
        return explained(found, None)
    return explained(found, seen)


def _why_lines(one: "Why") -> Iterator[tuple[Any, ...]]:
    """The winner first, then each candidate that lost."""
    name = one.field
    if one.winner is not None:
        yield (name, "chosen", one.winner.source, one.winner.confidence, one.winner.raw, "")
        name = ""
    for lost in one.lost:
        yield (name, "lost", lost.source, lost.confidence, _brief(lost.raw), _brief(lost.value))
        name = ""


def _brief(text: str) -> str:
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}… ({len(text)} characters)"


def _reasons(reasons: "list[Why]") -> dict[str, Any]:
    from console.views import whole

    if not reasons:
        return {}
    return {"why": {one.field: {"winner": whole(one.winner), "lost": whole(one.lost)} for one in reasons}}


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
    from storage.codec import to_plain

    if not history:
        return {}
    return {"versions": [reading.to_json(one) | {"pruned_at": to_plain(one.pruned_at)} for one in history]}


def _version_line(one: "Article") -> tuple[Any, ...]:
    content = one.content
    return (one.version, one.change_class, content.fetched_at, one.word_count, content.title)


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
            ("credit", content.credit),
            ("dateline", content.dateline),
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
