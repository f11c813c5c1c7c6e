"""Pages in ISO-2022-JP, whose bytes are all ASCII's."""

import pytest

from tasks.decode import decode

TEXT = "<p>図書館の車が山の村に帰る。</p>"
META = '<meta http-equiv="Content-Type" content="text/html; charset=ISO-2022-JP">'


@pytest.mark.parametrize(
    ("head", "content_type", "source"),
    [
        ("", "text/html; charset=iso-2022-jp", "header"),
        (META, "text/html", "meta"),
        ("", "text/html", "detector"),
    ],
)
def test_they_are_read_by_their_label_or_by_their_escapes(head: str, content_type: str, source: str) -> None:
    found = decode(f"{head}{TEXT}".encode("iso-2022-jp"), content_type)
    assert (found.text, found.source) == (f"{head}{TEXT}", source)


def test_an_escape_in_a_page_that_is_labelled_otherwise_says_nothing() -> None:
    assert decode(f"\x1b$B{TEXT}".encode(), "text/html; charset=utf-8").text.endswith(TEXT)
