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
