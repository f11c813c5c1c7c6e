"""`copydesk tokens`: which programs may call the API."""

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json, print_table


@click.group()
def command() -> None:
    """Give programs a token for the HTTP API, list and revoke them.

    Scopes: read; trigger (read, and start crawls and ingestion); admin (everything).

    \b
    Example:
      copydesk tokens add dashboard --scope read
      copydesk tokens list
      copydesk tokens revoke dashboard
    """


@command.command("add")
@click.argument("name")
@click.option("--scope", type=click.Choice(["read", "trigger", "admin"]), default="read", show_default=True)
@pass_desk
def add(desk: Desk, name: str, scope: str) -> None:
    """Make a token and print it: it is shown this once, and kept nowhere.

    \b
    Example:
      copydesk tokens add newsletter --scope read
    """
    from console.web.secrets import digest, new_secret
    from storage import accounts

    secret = new_secret()
    with desk.store(create=True) as store:
        store.write(lambda tx: accounts.add_token(tx, name, digest(secret), accounts.Scope(scope), now()))
    click.echo(secret)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def list_tokens(desk: Desk, as_json: bool) -> None:
    """List tokens by name, never the secrets.

    \b
    Example:
      copydesk tokens list --json
    """
    from console.views import whole
    from storage import accounts

    found = desk.read(accounts.tokens)
    if as_json:
        for one in found:
            print_json(whole(one))
    elif found:
        rows = [(one.name, one.scope, one.created_at, one.revoked_at) for one in found]
        print_table(("name", "scope", "created", "revoked"), rows)
    else:
        click.echo("no tokens yet; 'copydesk tokens add NAME' makes one")


@command.command("revoke")
@click.argument("name")
@pass_desk
def revoke(desk: Desk, name: str) -> None:
    """End a token at once.

    \b
    Example:
      copydesk tokens revoke newsletter
    """
    from storage import accounts

    desk.write_each([name], lambda tx, one: accounts.revoke_token(tx, one, now()))
    click.echo(f"token {name} is no longer valid")
