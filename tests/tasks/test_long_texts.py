"""Long texts are worked on in pieces, and come out as in one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks import shingles
from tasks.shingles import shingled
from tasks.words import word_count

PIECES = ("Ferry", "boat", "4.1", "über", "$5", "東京", "ไทย", "(a)", "-7", "A-b", "\n", "\n\n", " ", "  ", "\u2028")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(TEXTS, st.integers(1, 30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_hashes_of_a_text_do_not_depend_on_the_pieces(
    monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    whole = shingled(text)
    with monkeypatch.context() as patch:
        patch.setattr(shingles, "PART", size)
        parts = shingled(text)
    for name in ("words", "lines", "line_hashes", "capital", "digit"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert np.array_equal(whole.runs(), parts.runs())


@given(TEXTS)
def test_words_are_counted_as_in_one_line(text: str) -> None:
    assert word_count(text) == word_count(" ".join(text.splitlines()))
