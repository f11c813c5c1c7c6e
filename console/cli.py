"""The `copydesk` command: its global options, its commands by name, and how every error ends."""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from console.desk import Desk, pass_desk
from storage.errors import CopydeskError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VERSION = "0.1.0"
"""As in pyproject.toml; run from a checkout there is no installed package to ask."""

COMPLETE = "_COPYDESK_COMPLETE"
"""The variable by which a shell asks what may come next, however the program is called."""

COMMANDS = {
    "demo": "See everything at work on an invented newsroom.",
    "sources": "Say which sources are watched.",
    "crawl": "Fetch and process what is due, or what you name.",
    "ingest": "Take in files, folders, standard input, addresses.",
    "up": "Run everything on this machine until stopped.",
    "worker": "Run a worker of the queues.",
    "scheduler": "Run a scheduler.",
    "web": "Serve pages and an API over HTTP.",
    "password": "Say who may log in.",
    "tokens": "Say which programs may call.",
    "trigger": "Make sources due now.",
    "backfill": "Fetch a source's older articles.",
    "status": "Show how the whole stands.",
    "articles": "List articles.",
    "search": "Find articles by their words.",
    "show": "Show one article, its versions and provenance.",
    "reprocess": "Read articles anew by the present rules.",
    "recluster": "Decide anew which articles tell one story.",
    "recipe": "Try a site recipe on a page.",
    "explain": "Say everything that is known of an address.",
    "changes": "Read the change feed.",
    "consumers": "Keep readers' places in the change feed.",
    "webhooks": "Tell other systems of every change.",
    "export": "Write the articles to a file.",
    "withdraw": "Take an article's text out for good, or hide it.",
    "prune": "Let go what is older than it is to be kept.",
    "quarantine": "See and decide on pages that failed for good.",
    "audit": "Prove that every page is accounted for.",
    "backup": "Copy database and archive while everything runs.",
    "restore": "Fill an empty store from a backup.",
    "migrate": "Make or update the database's schema.",
    "settings": "List every setting and where it came from.",
    "completion": "Let a shell complete commands and names.",
    "help": "Show the manual of a command.",
}
"""In the order of `copydesk --help`; each is the module of that name in console.commands, imported when called."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named, and whose errors end in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"console.commands.{cmd_name}").command
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands that begin so, without importing them; and the options."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=told) for name, told in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe ends it without a complaint: who stops reading has what he wanted."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_output()
            ctx.exit(0)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command and leave with its exit code: 0 done, 1 failed or fell short, 2 wrong usage, 130 stopped."""
        desk = Desk()
        given = kwargs | {"standalone_mode": False, "obj": desk, "complete_var": COMPLETE}
        code = _run(lambda: click.Group.main(self, *args, **given), desk)
        sys.exit(code)


def _run(call: Any, desk: Desk) -> int:
    try:
        code = call()
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        return 0
    except click.Abort as error:
        interrupted = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        return _fail("stopped", 130 if interrupted else 1, desk)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CopydeskError as error:
        return _fail(str(error), 2 if isinstance(error, UsageError) else 1, desk)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", 1, desk)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int, desk: Desk) -> int:
    from console.render import one_line
    from storage.masking import masked

    if desk.debug:
        import traceback

        traceback.print_exc()
    click.echo(f"copydesk: {masked(one_line(message))}", err=True)
    return code


def _forget_output() -> None:
    """Let the interpreter's last flush go nowhere instead of complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _keep_settings(_ctx: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE; 'copydesk settings' lists the keys")
    return dict(pair.split("=", 1) for pair in pairs)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data", metavar="FOLDER", help="Folder of everything (default: copydesk-data here).")
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option("--broker", metavar="URL", help="redis://… or amqp://…; without it, `up` starts its own.")
@click.option("--set", "pairs", metavar="KEY=VALUE", multiple=True, callback=_keep_settings, help="Any other setting.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(VERSION, prog_name="copydesk")
@pass_desk
def main(
    desk: Desk, data: str | None, database: str | None, broker: str | None, pairs: dict[str, str], debug: bool
) -> None:
    """Watch news sources, fetch their articles politely, and keep one clean, versioned record of each.

    \b
    Example:
      copydesk demo
      copydesk sources add https://news.example/feed.xml
      copydesk crawl
      copydesk articles
    """
    named = {"data": data, "database": database, "broker": broker}
    desk.options = pairs | {name: value for name, value in named.items() if value is not None}
    desk.debug = debug
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        click.get_current_context().color = False


if __name__ == "__main__":
    main()
