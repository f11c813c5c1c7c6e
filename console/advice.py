"""What a person can do about a reason; see advice.toml."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import click


def advice(reason: str | None) -> str | None:
    """What to do about a reason, if there is anything to say."""
    return _all().get(reason or "")


def print_advice(reasons: Iterable[str | None]) -> None:
    """Print one line for each of the reasons that something can be done about."""
    for reason in dict.fromkeys(reasons):
        if said := advice(reason):
            click.echo(f"{reason}: {said}")


@cache
def _all() -> dict[str, str]:
    return tomllib.loads(files("console").joinpath("advice.toml").read_text("utf-8"))
