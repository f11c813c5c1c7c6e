"""`copydesk password`: who may log in."""

import sys

import click

from console.desk import Desk, now, pass_desk
from storage.errors import UsageError

_SHORTEST = 10


@click.command()
@click.argument("name", required=False)
@click.option("--stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@click.option("--remove", is_flag=True, help="Take this person's right to log in.")
@pass_desk
def command(desk: Desk, name: str | None, stdin: bool, remove: bool) -> None:
    """Give a person a password for the web pages; without a name, list who may log in.

    From the first password on, nobody reads or writes over HTTP without logging in or sending a token.

    \b
    Example:
      copydesk password ada
      copydesk password ada --stdin < password.txt
      copydesk password ada --remove
    """
    from storage import accounts

    if name is None:
        for known in desk.read(accounts.names):
            click.echo(known)
    elif remove:
        desk.write_each([name], accounts.remove)
        click.echo(f"{name} may no longer log in")
    else:
        set_password(desk, name, sys.stdin.read().strip("\r\n") if stdin else _asked())
        click.echo(f"{name} may log in")


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def set_password(desk: Desk, name: str, password: str) -> None:
    """Let a person log in. Raises UsageError for a short password."""
    from console.web.secrets import hash_password, matches
    from storage import accounts

    if len(password) < _SHORTEST:
        raise UsageError(f"the password is too short; take at least {_SHORTEST} characters")
    with desk.store(create=True) as store:
        with store.reading() as tx:
            kept = accounts.password_hash(tx, name)
        if not matches(kept, password):  # the same one again logs nobody out: start scripts may say it each time
            store.write(lambda tx: accounts.set_password(tx, name, hash_password(password), now()))
