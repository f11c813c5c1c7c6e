"""What a vocabulary remembers never shows: its answers are those of a fresh one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.vocabulary import Kind, Vocabulary, hashed

WORDS = st.lists(st.sampled_from(["Ferry", "ferry", "7", "+4", "\n", "É", "海", "straße", "STRASSE", "𝐀"]), max_size=12)


@given(st.lists(WORDS, max_size=8))
def test_remembered_or_not_a_word_has_the_same_hash_and_kind(texts: list[list[str]]) -> None:
    short, long = Vocabulary(most=3), Vocabulary()
    for words in texts:
        for vocabulary in (short, long):
            hashes, kinds = vocabulary.look_up(words)
            each = [hashed([word]) for word in words]
            assert hashes.tolist() == [int(one[0][0]) for one in each]
            assert kinds.tolist() == [int(one[1][0]) for one in each]


def test_kinds_are_told_by_the_first_character_and_hashes_are_blind_to_case() -> None:
    hashes, kinds = hashed(["Ferry", "ferry", "7", "-4", "\n", "straße", "STRASSE"])
    assert kinds.tolist() == [Kind.CAPITAL, Kind.PLAIN, Kind.DIGIT, Kind.DIGIT, Kind.BREAK, Kind.PLAIN, Kind.CAPITAL]
    assert hashes[0] == hashes[1]
    assert hashes[5] == hashes[6]
    assert len(np.unique(hashes)) == 5
