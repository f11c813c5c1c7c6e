"""`copydesk articles`: the articles in the store."""

import click

from console.desk import Desk, pass_desk
from console.params import source_names
from console.render import print_json, print_table


@click.command()
@click.option(
    "--source", "source_name", shell_complete=source_names, help="Only articles that this source listed first."
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Most articles to list.")
@click.option(
    "--after", type=click.IntRange(min=0), default=0, help="Only ids above this one: the last of a page before."
)
@click.option("--json", "as_json", is_flag=True, help="One whole record a line.")
@pass_desk
def command(desk: Desk, source_name: str | None, limit: int, after: int, as_json: bool) -> None:
    """List articles by id, each once at its current version.

    \b
    Example:
      copydesk articles --limit 20
      copydesk articles --json | jq -r .title
    """
    from console.views import ARTICLE_HEAD, article_line
    from storage import reading

    found = desk.read(lambda tx: reading.listed(tx, after=after, limit=limit, source_name=source_name))
    if as_json:
        for one in found:
            print_json(reading.to_json(one))
        return
    if not found:
        click.echo("no articles here yet; 'copydesk crawl' or 'copydesk ingest PATH' brings some in")
        return
    print_table(ARTICLE_HEAD, [article_line(one) for one in found])
    if len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].id} lists the next", err=True)
