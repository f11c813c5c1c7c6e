import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.diff import Kind, diff, marked, sentences

OLD = 'The yard employs 430 people. The tide was low. "We wait," said Mr. Thorne.\n\nThe first boat leaves at noon.'
PARTS = st.lists(
    st.sampled_from(["The tide was low. ", "Boats left at 4.5 knots!\n\n", "“Yes,” she said. ", "水位低。", "x"])
)


def test_a_changed_number_is_shown_in_its_sentence() -> None:
    changes = diff(OLD, OLD.replace("430", "340"))
    assert marked(changes) == "~ The yard employs [-430-]{+340+} people."


def test_sentences_that_come_and_go_are_told_apart_from_changed_ones() -> None:
    new = OLD.replace("The tide was low. ", "Rain had set in before dawn. ")
    assert marked(diff(OLD, new)).splitlines() == ["- The tide was low.", "+ Rain had set in before dawn."]


def test_context_shows_what_stands_around() -> None:
    new = OLD.replace("430", "340")
    assert marked(diff(OLD, new), context=1).splitlines()[1] == "  The tide was low."


def test_equal_texts_have_no_changes() -> None:
    assert marked(diff(OLD, OLD)) == ""
    assert diff("", "") == []


def test_white_space_alone_is_not_framed() -> None:
    assert (
        marked(diff("The boats wait here today.", "The boats wait  here now."))
        == "~ The boats wait here [-today-]{+now+}."
    )


def test_an_inserted_sentence_before_a_changed_one_keeps_the_order() -> None:
    kinds = [one.kind for one in diff("The boats wait here today.", "A new day came. The boats wait there today.")]
    assert kinds == [Kind.ADDED, Kind.CHANGED]


@pytest.mark.parametrize("text", [OLD, "no end", "水位低。船待つ。", "a\n\nb", " . "])
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@settings(max_examples=80)
@given(PARTS.map("".join), PARTS.map("".join))
def test_before_and_after_give_both_texts(old: str, new: str) -> None:
    changes = diff(old, new)
    assert "".join(one.before for one in changes) == "".join(sentences(old))
    assert "".join(one.after for one in changes) == "".join(sentences(new))


def test_a_text_without_sentence_ends_takes_no_time() -> None:
    words = " ".join(f"word{n}" for n in range(20_000))
    changes = diff(words, f"{words} more")
    assert [piece.kind for piece in changes[0].pieces] == [Kind.REMOVED, Kind.ADDED]
