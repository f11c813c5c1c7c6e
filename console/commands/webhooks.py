"""`copydesk webhooks`: addresses that are told of every change."""

import click

from console.desk import Desk, now, pass_desk
from console.render import print_json, print_table


@click.group()
def command() -> None:
    """Tell other systems of every change by a signed POST, in order, until they take it.

    \b
    Example:
      copydesk webhooks add mart https://mart.example/hook --secret-variable MART_SECRET
      copydesk webhooks list
    """


@command.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--secret-variable", required=True, help="Environment variable with the secret to sign with.")
@click.option("--articles/--no-articles", default=True, show_default=True, help="Send each article's record along.")
@click.option("--since", type=click.IntRange(min=0), help="Begin after this row of the change feed (default: now).")
@pass_desk
def add(desk: Desk, name: str, url: str, secret_variable: str, articles: bool, since: int | None) -> None:
    """Tell an address of what changes from now on.

    The secret is read from the environment of the workers when they deliver, and is not stored. Deliveries are signed
    as Standard Webhooks describes: a HMAC-SHA256 over "ID.TIMESTAMP.BODY".

    \b
    Example:
      copydesk webhooks add mart https://mart.example/hook --secret-variable MART_SECRET
    """
    from crawler.addresses import refusal
    from storage import webhooks
    from storage.errors import UsageError

    if code := refusal(url, desk.settings().allow_addresses):
        raise UsageError(f"{url}: {code}; give a public http(s) address, or allow it by the setting allow_addresses")
    options = {"secret_variable": secret_variable, "with_articles": articles, "since": since, "now": now()}
    with desk.store(create=True) as store:
        store.write(lambda tx: webhooks.add(tx, name, url, **options))  # type: ignore[arg-type]


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_desk
def list_webhooks(desk: Desk, as_json: bool) -> None:
    """List webhooks, how far each is, and what stands in the way.

    \b
    Example:
      copydesk webhooks list
    """
    from console.views import whole
    from storage import webhooks

    found = desk.read(webhooks.listed)
    if as_json:
        for one in found:
            print_json(whole(one))
    elif found:
        rows = [(one.name, one.url, one.lag, "parked" if one.parked_at else one.next_at, one.problem) for one in found]
        print_table(("webhook", "address", "behind", "next try", "problem"), rows)
    else:
        click.echo("no webhooks yet; 'copydesk webhooks add NAME URL' adds one")


@command.command("resume")
@click.argument("name")
@pass_desk
def resume(desk: Desk, name: str) -> None:
    """Try a webhook again at once, also a parked one; it goes on where it stopped.

    \b
    Example:
      copydesk webhooks resume mart
    """
    from storage import webhooks

    desk.write_each([name], webhooks.resume)


@command.command("remove")
@click.argument("name")
@pass_desk
def remove(desk: Desk, name: str) -> None:
    """Tell an address no more.

    \b
    Example:
      copydesk webhooks remove mart
    """
    from storage import webhooks

    desk.write_each([name], webhooks.remove)
