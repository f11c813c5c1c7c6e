"""Who wrote an article is said by its record, and not once more at the end of its text."""

import pytest

from storage.records import Block, BlockKind
from tasks.repeats import told_once

TEXT = (
    "The ferry to Tarn runs again.",
    "It had stood still for a month.",
    "The harbour master found the missing screw.",
)
NAMES = ("Ada Lindqvist", "Bruno Okafor")


def told(*lines: str, kind: BlockKind = BlockKind.PARAGRAPH, names: tuple[str, ...] = NAMES) -> list[str]:
    blocks = [Block(kind=BlockKind.PARAGRAPH, text=text) for text in TEXT]
    blocks += [Block(kind=kind, text=line) for line in lines]
    return [block.text for block in told_once(blocks, "", names)][len(TEXT) :]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Lindqvist is a senior reporter of the Courier.",
        "Bruno Okafor schreibt über Häfen. Er lebt in Tarn.",
        "Write to the author at ada.lindqvist@courier.example or call the desk.",
    ],
)
def test_what_introduces_a_writer_at_the_end_goes(line: str) -> None:
    assert told(line) == []
    assert told(line, "The Courier is printed in Tarn.") == ["The Courier is printed in Tarn."]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Lindgren is the captain of the ferry.",
        "The captain, Ada Lindqvist, is happy.",
        "Write to the harbour at office@tarn.example for tickets.",
        "Ada Lindqvist " + "was on board of the ferry when it ran ashore in the great storm of that spring. " * 10,
    ],
)
def test_what_is_about_others_or_long_stays(line: str) -> None:
    assert told(line) == [line]


def test_a_writer_further_up_may_be_part_of_the_story() -> None:
    after = ["The wind rose.", "The sea was calm.", "Nobody saw the ferry.", "It came at noon."]
    assert told("Ada Lindqvist was on board.", *after) == ["Ada Lindqvist was on board.", *after]


@pytest.mark.parametrize("line", ["—Tarn Press Agency", "(Tarn Press Agency)", "Reporting by Tarn Press Agency."])
def test_a_last_line_that_names_the_agency_goes(line: str) -> None:
    assert told(line, names=("Tarn Press Agency",)) == []
    assert told(line, "More.", names=("Tarn Press Agency",)) == [line, "More."]
