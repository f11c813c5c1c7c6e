import pytest

from tasks import compare


def test_overlap_measures() -> None:
    short, long = "a b c d e", "a b c d e f g h"
    found = compare.overlap(short, long)
    assert (found.resemblance, found.containment, found.forward) == (0.5, 1.0, 1.0)
    assert compare.overlap(long, short).forward == 0.5
    assert compare.overlap("a b", long) == compare.Overlap(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("The council voted", "The council voted on Tuesday.", True),
        ("The council vot…", "The council voted on Tuesday.", True),
        ("The council met", "The council voted on Tuesday.", False),
        ("The council voted.", "The council voted", False),
        ("", "The council", False),
    ],
)
def test_prefix(one: str, other: str, wanted: bool) -> None:
    assert compare.is_prefix(one, other) is wanted


@pytest.mark.parametrize(
    "line",
    [
        "Updated 5 minutes ago",
        "Last updated: 4 March 2026, 14:05",
        "12 comments",
        "1,204 shares",
        "3 min read",
        "An hour ago",
        "Zuletzt aktualisiert am 4. März um 14.05 Uhr",
        "Stand: 14:05 Uhr",
        "Il y a 3 heures",
        "Mis à jour le 4 mars à 14h05",
        "Hace 2 horas",
    ],
)
def test_lines_that_change_by_themselves_do_not_count(line: str) -> None:
    assert compare.settled(f"The council voted.\n\n{line}") == "the council voted"


@pytest.mark.parametrize(
    "line", ["Updated rules for 5 boats were read out to the council", "12 comments were made by the mayor"]
)
def test_lines_of_the_story_count(line: str) -> None:
    assert len(compare.settled(line).split()) > 5


STORY = "The yard in Velden employs 430 people, said Nadia Brook. The tide was low and the boats waited."


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        (STORY.replace("430", "340"), True),
        (STORY.replace("Nadia Brook", "Nadja Brooks"), True),
        (STORY.replace("430", "340").replace("Velden", "Norrby"), True),
        (STORY.replace("the boats waited", "the boats left"), False),
        (STORY + " It employs 12 more.", False),
        (STORY, False),
    ],
)
def test_a_correction_changes_facts_only(new: str, wanted: bool) -> None:
    assert compare.is_correction(new, STORY) is wanted


def test_a_note_announces_a_correction_once() -> None:
    noted = f"{STORY}\n\nCorrection: an earlier version gave a wrong number."
    assert compare.announces_correction(noted, STORY)
    assert not compare.announces_correction(noted, noted)
    assert not compare.announces_correction(f"{STORY}\n\nCorrectional officers were on strike.", STORY)


def test_changes_far_apart_are_a_correction_in_paragraphs_and_not_in_one_endless_line() -> None:
    middle = " ".join(f"word{number}" for number in range(3_000))
    assert compare.is_correction(f"4 boats\n{middle}\n5 crews", f"6 boats\n{middle}\n7 crews")
    assert not compare.is_correction(f"4 boats {middle} 5 crews", f"6 boats {middle} 7 crews")


def test_a_changed_fact_beside_a_new_paragraph_is_no_correction() -> None:
    assert not compare.is_correction(f"{STORY.replace('430', '340')}\n7", STORY)
