import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words import fold, tokens, word_count


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("“Don’t” stop – it’s U.S. policy…", ["don", "t", "stop", "it", "s", "u", "s", "policy"]),
        ("Straße ＡＢＣ ﬁne", ["strasse", "abc", "fine"]),
        ("up 3.5% to $7", ["up", "3", "5", "%", "to", "$", "7"]),
        ("from -3 to −4, 9-12", ["from", "-3", "to", "-4", "9", "12"]),
        ("東京 大学ABC", ["東", "京", "大", "学", "abc"]),
        ("और पढ़ें", ["और", "पढ़ें"]),
        ("می\u200cشود", ["میشود"]),
        ("❤\ufe0f →", []),
    ],
)
def test_tokens(text: str, wanted: list[str]) -> None:
    assert tokens(text) == [unicodedata.normalize("NFKC", word) for word in wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", 0),
        ("— …", 0),
        ("The high-profile U.S. case – again", 5),
        ("東京で ABC 放送", 6),
        ("สวัสดีครับ", 2),
        ("한국어 뉴스", 2),
    ],
)
def test_word_count(text: str, wanted: int) -> None:
    assert word_count(text) == wanted


@given(st.text())
def test_canonically_equivalent_texts_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.lists(st.text("abcÄß漢字9", min_size=1)), st.sampled_from([" ", "\n\n", "\u00a0", ", ", "… ", " – "]))
def test_white_space_and_punctuation_do_not_matter(words: list[str], glue: str) -> None:
    assert fold(glue.join(words)) == fold(" ".join(words))
    assert fold(glue.join(words).upper()) == fold(" ".join(words))
