"""`copydesk recipe`: site recipes, tried before they are used."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json, print_table

if TYPE_CHECKING:
    from storage.records import Exchange
    from storage.settings import Settings
    from tasks.extract.recipes import Recipe
    from tasks.trial import Trial


@click.group()
def command() -> None:
    """Try site recipes: CSS selectors for sites that the general rules read badly.

    \b
    Example:
      copydesk recipe test recipes.toml https://news.example/2026/budget
      copydesk recipe test recipes.toml saved.html --name harbour
    """


@command.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("what", metavar="URL|HTML-FILE")
@click.option("--name", help="Which recipe of the file; without it, the one for the address's site, or the only one.")
@click.option("--url", help="The address that the HTML file was saved from.")
@click.option("--on", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Take the layout of that day.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_desk
def test(
    desk: Desk, file: Path, what: str, name: str | None, url: str | None, on: datetime | None, as_json: bool
) -> None:
    """Say for each field what a recipe finds on a page, and what would be found without it.

    A page of the web is fetched once, politely, into no store. Exit 1 when selectors find nothing usable.

    \b
    Example:
      copydesk recipe test recipes.toml https://news.example/2026/budget
      copydesk recipe test recipes.toml old.html --url https://news.example/2019/budget --on 2019-05-01
    """
    from storage.records import Rejection
    from tasks.extract.recipes import load_recipes
    from tasks.trial import try_recipe

    recipes = load_recipes(file)
    page = _fetched(desk.settings(), what) if _is_url(what) else _saved(Path(what), url)
    layout = _layout(recipes, file, name, page, on)
    result = try_recipe(_material(page), layout)
    if isinstance(result, Rejection):
        _say_rejected(result, as_json=as_json)
        click.get_current_context().exit(1)
    _print(layout, result, as_json=as_json)
    if any(one.failed for one in result):
        click.get_current_context().exit(1)


def _layout(
    recipes: "Mapping[str, Recipe]", file: Path, name: str | None, page: "Exchange", on: datetime | None
) -> "Recipe":
    from storage.errors import UsageError
    from tasks.extract.recipes import recipe_for

    chosen = recipe_for(recipes, name=name, site=_site(page.url))
    if chosen is None and len(recipes) == 1:
        [chosen] = recipes.values()
    if chosen is None:
        raise UsageError(f"{file}: no recipe is for {page.url}; --name takes one of: {', '.join(recipes)}")
    layout = chosen.at(on.replace(tzinfo=UTC) if on else page.fetched_at)
    if layout is None:
        raise UsageError(f"{file}: {chosen.name} ends on {chosen.valid_until} and has no layout for that day")
    return layout


def _saved(path: Path, url: str | None) -> "Exchange":
    from storage.records import Exchange

    body = path.read_bytes()
    address = url or f"https://unknown.invalid/{path.name}"
    return Exchange(url=address, status=200, headers=(("Content-Type", "text/html"),), body=body, fetched_at=now())


def _fetched(settings: "Settings", url: str) -> "Exchange":
    """The page as a crawl gets it: robots, redirects and guard included. Raises NotFound with the reason."""
    import tempfile
    from dataclasses import replace

    from console.oneshot import fetch_one, quiet

    with tempfile.TemporaryDirectory() as folder:
        origin = {**settings.origin, "data": "option", "database": "option", "archive": "option"}
        aside = replace(settings, data=Path(folder), database="", archive="", origin=origin)
        return fetch_one(quiet(aside), url)


def _material(page: "Exchange") -> Any:
    from tasks.extract.material import Material

    facts = {name: getattr(page, name) for name in ("url", "status", "headers", "body", "fetched_at")}
    return Material(**facts)


def _say_rejected(rejection: Any, *, as_json: bool) -> None:
    from console.views import whole

    if as_json:
        print_json({"rejected": whole(rejection)}, lines=False)
    else:
        click.echo(f"no article is found on that page, with the recipe or without: {rejection.reason}", err=True)


def _print(layout: "Recipe", trials: "list[Trial]", *, as_json: bool) -> None:
    from console.views import whole

    if as_json:
        fields = {one.field: {**whole(one), "failed": one.failed} for one in trials}
        until = layout.valid_until.isoformat() if layout.valid_until else None
        print_json({"recipe": layout.name, "valid_until": until, "fields": fields}, lines=False)
        return
    until = f", layout until {layout.valid_until}" if layout.valid_until else ""
    click.echo(f"recipe {layout.name}{until}")
    rows = [(one.field, _short(one.found), _source(one), _short(one.otherwise)) for one in trials]
    print_table(("field", "with the recipe", "from", "without it"), rows)
    for one in trials:
        if one.failed:
            click.echo(f"copydesk: {one.field}: nothing usable at {', '.join(one.selectors)}", err=True)


def _source(one: "Trial") -> str:
    return f"{one.source or 'nothing'}{' (selectors found nothing)' if one.failed else ''}"


def _short(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, str) and len(value) > 60:
        words = len(value.split())
        return f"{value[:60]}… ({words} words)"
    return value


def _site(url: str) -> str:
    from crawler.urls import site_of

    try:
        return site_of(url)
    except ValueError:
        return ""


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))
