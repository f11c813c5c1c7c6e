"""`copydesk help`: the manual of a command, as a page."""

import sys
from collections.abc import Callable, Iterator
from inspect import cleandoc

import click

from console.cli import COMMANDS

Write = Callable[[click.HelpFormatter], None]

_CODES = (
    ("0", "Done; also when whoever read the output stopped reading."),
    ("1", "It failed or fell short; a line on standard error says what, where, and what to do."),
    ("2", "Wrong usage, or a wrong setting."),
    ("130", "Stopped by Ctrl-C. What was done stays; the same call goes on with the rest."),
)


@click.command()
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
def command(names: tuple[str, ...]) -> None:
    """Show the manual of a command: what it does, its options, examples, exit codes, and what else to read.

    \b
    Example:
      copydesk help
      copydesk help sources add
    """
    page = manual(click.get_current_context().find_root(), names)
    if sys.stdout.isatty():
        click.echo_via_pager(page)
    else:
        click.echo(page)


def manual(root: click.Context, names: tuple[str, ...]) -> str:
    """The page about the command of that name. Raises click.UsageError where there is none."""
    context = click.Context(root.command, info_name="copydesk", max_content_width=100)
    for name in names:
        found = context.command.get_command(context, name) if isinstance(context.command, click.Group) else None
        if found is None:
            raise click.UsageError(f"there is no command {' '.join(names)!r}; 'copydesk help' lists them")
        context = click.Context(found, info_name=name, parent=context, max_content_width=100)
    made: click.HelpFormatter = context.make_formatter()
    for title, write in _sections(context):
        made.write_heading(title)
        made.indent()
        write(made)
        made.dedent()
        made.write_paragraph()
    return made.getvalue().rstrip()


def _sections(context: click.Context) -> Iterator[tuple[str, Write]]:
    told, _, example = cleandoc(context.command.help or "").partition("\b\nExample:\n")
    brief = " ".join(told.partition("\n\n")[0].split()).rstrip(".")
    yield "NAME", _line(f"{context.command_path} - {brief[:1].lower()}{brief[1:]}")
    yield "SYNOPSIS", _line(" ".join([context.command_path, *context.command.collect_usage_pieces(context)]))
    yield "DESCRIPTION", _line(told.strip())
    options = [row for one in context.command.get_params(context) if (row := one.get_help_record(context))]
    yield "OPTIONS", lambda made: made.write_dl(options)
    if isinstance(context.command, click.Group):
        yield "COMMANDS", lambda made: made.write_dl(list(_commands(context)))
    yield "EXAMPLES", _lines(example)
    yield "EXIT STATUS", lambda made: made.write_dl(_CODES)
    yield "ENVIRONMENT", _line("COPYDESK_NAME sets the setting NAME; COPYDESK_CONFIG names the file of settings.")
    yield "SEE ALSO", _line("docs/commands.md, and for each door to the store a page beside it; copydesk settings")


def _commands(context: click.Context) -> Iterator[tuple[str, str]]:
    group = context.command
    assert isinstance(group, click.Group)
    if context.parent is None:
        yield from COMMANDS.items()
        return
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield name, found.get_short_help_str(100)


def _line(text: str) -> Write:
    return lambda made: made.write_text(text)


def _lines(text: str) -> Write:
    """Lines that stay as they are, but for the blanks before them."""

    def write(made: click.HelpFormatter) -> None:
        for line in text.splitlines():
            made.write(f"{' ' * made.current_indent}{line.strip()}\n")

    return write
