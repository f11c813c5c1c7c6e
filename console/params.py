"""Kinds of option values that several commands take."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_MOST = 100
"""Names that are offered: who has more types a letter first."""


class Duration(click.ParamType[int]):
    """Seconds, or a number with s, m, h or d behind it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds."""
        from crawler.importing import seconds

        try:
            return seconds(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def pairs(_ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """What was given as NAME=VALUE, again and again, as a mapping."""
    for one in given:
        if "=" not in one:
            raise click.BadParameter(f"{one!r} is not {param.metavar}")
    return dict(one.split("=", 1) for one in given)


def source_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The sources whose names begin so, for a shell that completes; none where the store cannot be read."""
    from console.desk import Desk
    from storage import sources
    from storage.errors import CopydeskError

    given = ctx.find_root().params
    named = {name: given[name] for name in ("data", "database") if given.get(name)}
    try:
        found = Desk(options={**(given.get("pairs") or {}), **named}).read(
            lambda tx: sources.listed(tx, prefix=incomplete, limit=_MOST)
        )
    except CopydeskError:  # a shell that completes has no place for a complaint
        return []
    return [one.config.name for one in found]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Let the shell complete names of files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]
