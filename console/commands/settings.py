"""`copydesk settings`: every setting and where its value came from."""

import click

from console.desk import Desk, pass_desk
from console.render import print_json, print_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """List every setting: its value, where that came from, and what it means.

    A later place wins: default, copydesk.toml here (or the file in COPYDESK_CONFIG), COPYDESK_NAME variables, options.

    \b
    Example:
      copydesk settings
      COPYDESK_DELAY_S=2 copydesk settings --json
    """
    from console.choices import chosen

    rows = chosen(desk.settings())
    if as_json:
        for row in rows:
            print_json(dict(zip(("name", "value", "origin", "meaning"), row, strict=True)))
        return
    print_table(("setting", "value", "from", "meaning"), rows)
