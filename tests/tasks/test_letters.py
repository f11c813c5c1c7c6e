"""Words hashed straight from the characters are the words that the patterns find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.letters import latin_words
from tasks.vocabulary import Kind, Vocabulary
from tasks.words import written

PIECES = (
    *("Ferry", "boat", "4.1", "über", "Straße", "ßen", "Ǆ", "ŉ", "ªb", "½", "ﬁn", "_a_", "ʼn"),
    *("$5", "$-5", "-7", "+3", "--8", "(-9", "“-6", "−4", "5%", "€", "‰", "-", "+", "a-b", "-a", "1-2", "it’s"),
    *(" ", "  ", "\n", "\n\n", "\t", "\r\n", "\u2028", "\xa0", "\u2009", "\xad", "\u200d", "\0", "…", "(", "."),
)
LATIN = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
ANY = st.text(st.characters(max_codepoint=0x20CF, exclude_categories=["Cs"]), max_size=40)


@given(LATIN | ANY)
def test_words_kinds_and_line_breaks_are_those_of_the_patterns(text: str) -> None:
    found = latin_words(text)
    if found is None:
        return
    hashes, kinds = Vocabulary().look_up(written(text))
    is_word = kinds != Kind.BREAK
    assert found[0].tolist() == hashes[is_word].tolist()
    assert found[1].tolist() == kinds[is_word].tolist()
    assert found[2].tolist() == np.cumsum(~is_word)[is_word].tolist()


@pytest.mark.parametrize("text", ["", " ", "\n", "-", "Straße", "“It’s” – 5 %", "a\n-4 (+3)", "ﬁ"])
def test_latin_text_goes_the_quick_way(text: str) -> None:
    assert latin_words(text) is not None


@pytest.mark.parametrize("text", ["Привет", "東京", "İstanbul", "e\u0301\u0321", "ไทย", "𝐀й"])
def test_other_letters_do_not(text: str) -> None:
    assert latin_words(text) is None
