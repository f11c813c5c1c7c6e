"""What the README says of settings and commands is what the code does; its examples run in test_docs.py."""

import re
from pathlib import Path

import pytest

from console.cli import main
from storage.settings import Settings, describe, names

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
DEFAULTS = Settings()


@pytest.mark.parametrize("name", names())
def test_each_setting_stands_in_the_table_with_its_default(name: str) -> None:
    value = getattr(DEFAULTS, name)
    shown = "" if value in ("", ()) else f"`{value}`"
    assert f"| `{name}` | {shown} | {describe()[name]} |" in README


def test_the_table_names_no_other_setting() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", README, re.MULTILINE)) - {"storage", "crawler"} <= set(names())


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?:\./run\.sh|copydesk) ([a-z]+)", README))))
def test_each_command_exists(command: str) -> None:
    scripts = {"test", "check", "bench", "pins"}
    words = {"at", "needs", "watches", "keeps"}
    assert command in scripts | words or main.get_command(None, command) is not None  # type: ignore[arg-type]
