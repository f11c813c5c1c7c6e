"""SECURITY.md names tests that exist, and says nothing without one."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEXT = (HERE.parent / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:\w+/)?test_\w+\.py(?:::\w+)?)`", TEXT)))


@pytest.mark.parametrize("named", NAMED)
def test_each_named_test_exists(named: str) -> None:
    file, _, test = named.partition("::")
    assert f"def {test}" in (HERE / file).read_text("utf-8")


def test_each_row_names_one() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and " try to |" not in line]
    rows = [row for row in rows if not row.startswith("| what happens")]
    assert len(rows) > 20
    assert [row for row in rows if "`" not in row.rsplit("|", 2)[1]] == []
