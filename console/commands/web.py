"""`copydesk web`: the HTTP door."""

import os
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from console.desk import Desk, pass_desk
from storage.errors import UsageError

if TYPE_CHECKING:
    from storage.store import Store


@click.command()
@click.option("--host", help="Address to bind to (setting web_host).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to bind to (setting web_port).")
@click.option(
    "--password-variable",
    metavar="NAME",
    help="Environment variable with the password of the person 'desk', who may then log in.",
)
@pass_desk
def command(desk: Desk, host: str | None, port: int | None, password_variable: str | None) -> None:
    """Serve pages for people and an API for programs over HTTP until it is stopped.

    While nobody has a password, only this machine can read, and nobody can change anything.

    \b
    Example:
      copydesk web
      curl http://127.0.0.1:8000/api/articles
    """
    import uvicorn

    from console.web import create_app
    from console.web.requests import name_requests
    from tasks.logs import set_up

    settings = desk.settings()
    address = host or settings.web_host
    if password_variable:
        _let_in(desk, password_variable)
    with desk.store(create=True) as store:
        _must_be_guarded(store, address)
        app = create_app(store, settings)
        bound = settings.web_port if port is None else port
        set_up(settings, run=f"web-{os.uname().nodename}-{os.getpid()}")
        name_requests()
        uvicorn.run(app, host=address, port=bound, log_config=None, server_header=False)


def _let_in(desk: Desk, variable: str) -> None:
    from console.commands.password import set_password

    if not os.environ.get(variable):
        raise UsageError(f"the environment variable {variable} is not set; it must hold the password of 'desk'")
    set_password(desk, "desk", os.environ[variable])


def _must_be_guarded(store: "Store", address: str) -> None:
    from storage import accounts

    with store.reading() as tx:
        if not is_loopback(address) and not accounts.is_closed(tx):
            raise UsageError(
                f"{address} can be reached from other machines, and nobody has a password yet; "
                "'copydesk password NAME' sets one, or bind to 127.0.0.1"
            )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach a server that is bound to the address."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
