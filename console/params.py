"""Kinds of option values that several commands take."""

from typing import Any

import click


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
