"""Names and keywords of feeds that were escaped once too often, or wear markup."""

import pytest

from crawler.discovery.entries import labels, people


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('<a href="/team/rq">Rosa Quill</a>', "Rosa Quill"),
        ("Quill &amp; Daughters", "Quill & Daughters"),
        ("Ren&eacute;e <b>Quill</b>", "Renée Quill"),
        ("Jo Lee <desk@a.example>", "Jo Lee"),
        ("desk@a.example (Jo Lee)", "Jo Lee"),
    ],
)
def test_a_name_is_plain_text(written: str, name: str) -> None:
    assert people([written, written]) == (name,)


def test_a_keyword_is_plain_text() -> None:
    assert labels(["Food &amp; drink", "<b>Food</b> & drink", " sea\n", ""]) == ("Food & drink", "sea")
