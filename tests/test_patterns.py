"""The patterns of the code mean the same on every Python that it runs on."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [file for top in ("crawler", "tasks", "storage", "console") for file in (ROOT / top).rglob("*.py")]
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_group_is_possessive(file: Path) -> None:
    """Python before 3.11.5 matches such a group wrongly where its alternatives backtrack (CPython issue 106052)."""
    lines = [line for line in file.read_text("utf-8").splitlines() if 'r"' in line or "r'" in line]
    assert [line for line in lines if _POSSESSIVE_GROUP.search(_CLASS.sub("x", line))] == []
