"""What a body says that the record says elsewhere."""

from collections.abc import Sequence

import pytest

from storage.records import Block, BlockKind
from tasks.repeats import told_once

LEAD = "The ferry to Tarn will run again from Monday."
TEXT = "It had stood still for a month. “We could not find a single screw that still held,” the harbour master said."
SCREW = "We could not find a single screw that still held"
NAMES = ("Ada Lindqvist", "Bruno Okafor")


def blocks(*texts: str, kind: BlockKind = BlockKind.PARAGRAPH) -> tuple[Block, ...]:
    return tuple(Block(kind=kind, text=text, level=0) for text in texts)


def texts(found: Sequence[Block]) -> list[str]:
    return [block.text for block in found]


def test_the_standfirst_of_the_record_is_not_told_again() -> None:
    assert texts(told_once(blocks(LEAD, TEXT), LEAD, ())) == [TEXT]
    assert texts(told_once(blocks(LEAD, TEXT), "Another.", ())) == [LEAD, TEXT]


def test_a_body_that_is_nothing_but_the_standfirst_stays() -> None:
    assert texts(told_once(blocks(LEAD), LEAD, ())) == [LEAD]


@pytest.mark.parametrize(
    "line", ["Ada Lindqvist", "By Ada Lindqvist and Bruno Okafor", "von Bruno Okafor", "Ada Lindqvist | Bruno Okafor"]
)
def test_a_line_of_the_writers_names_at_the_top_goes(line: str) -> None:
    assert texts(told_once(blocks(LEAD, line, TEXT), "", NAMES)) == [LEAD, TEXT]


@pytest.mark.parametrize("line", ["Ada Lindqvist saw it herself.", "***"])
def test_a_line_that_says_more_or_nothing_stays(line: str) -> None:
    assert line in texts(told_once(blocks(line, TEXT), "", NAMES))


def test_a_name_further_down_is_a_signature_or_a_list() -> None:
    assert texts(told_once(blocks(LEAD, TEXT, TEXT, NAMES[0]), "", NAMES))[-1] == NAMES[0]


def test_a_quote_set_large_is_told_once_where_a_paragraph_has_it() -> None:
    quote = blocks(f"„{SCREW}“", kind=BlockKind.QUOTE)
    assert texts(told_once((*blocks(LEAD), *quote, *blocks(TEXT)), "", ())) == [LEAD, TEXT]
    assert told_once((*blocks(LEAD), *quote), "", ())[1:] == quote


def test_a_few_words_in_quotes_may_come_again() -> None:
    quote = blocks("a single screw", kind=BlockKind.QUOTE)
    assert told_once((*quote, *blocks(TEXT)), "", ())[:1] == quote
