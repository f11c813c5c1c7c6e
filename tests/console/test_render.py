"""Tables and text for a terminal."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from console.render import cell, fit, one_line, safe, table, width_of


def test_columns_line_up_and_numbers_stand_right() -> None:
    assert table(("name", "n"), [("a", 5), ("long name", 12)]) == [
        "name        n",
        "a           5",
        "long name  12",
    ]


def test_wide_characters_take_two_columns() -> None:
    first, second = table(("t", "x"), [("日本", "a")])
    assert first.index("x") == 6
    assert width_of(second) == 7


def test_a_narrow_screen_cuts_the_widest_column() -> None:
    lines = table(("id", "title"), [(1, "x" * 200), (2, "short")], width=40)
    assert max(map(len, lines)) == 40
    assert lines[1].endswith("x…")
    assert lines[2].endswith("short")


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert width_of(fit(text, width)) <= width


@given(st.text())
def test_nothing_from_the_web_steers_the_terminal(text: str) -> None:
    assert not set(safe(text)) & set("\x1b\x07\x9b\u202e\r")
    assert "\n" not in one_line(text)


def test_cells() -> None:
    assert cell(None) == ""
    assert cell(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)) == "2026-03-04 05:06"
    assert cell("a\n\x1b[31mb") == "a [31mb"
    assert cell(True) == "yes"
