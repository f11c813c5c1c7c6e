from datetime import UTC, datetime

import pytest

from storage.records import Access, Block, BlockKind, Extracted, Finding
from tasks.clean import clean, tidy
from tasks.phrases import patterns, phrases

HEAD = "Ferry line to reopen in May"


def said(value: str) -> Finding[str]:
    return Finding(value=value, source="json-ld:headline", raw=value, confidence=0.9)


def paragraphs(*texts: str) -> tuple[Block, ...]:
    return tuple(Block(kind=BlockKind.PARAGRAPH, text=text) for text in texts)


def body(*blocks: Block) -> tuple[Finding[tuple[Block, ...]], ...]:
    return (Finding(value=blocks, source="trafilatura", raw="", confidence=0.8),)


def texts(blocks: tuple[Block, ...]) -> list[str]:
    return [block.text for block in blocks]


def test_every_string_of_every_finding_is_cleaned() -> None:
    dirty = "A\x00l\u00adice &amp;amp; \ud83dBob"
    people: Finding[tuple[str, ...]] = Finding(
        value=(dirty, "\u200b"), source="meta\x00", raw="raw\x00\ud83d \u00ad", confidence=1.0
    )
    result = clean(
        Extracted(
            title=(said(dirty), said("\u200b ")),
            description=(said(dirty),),
            authors=(people,),
            keywords=(people,),
            canonical_url=(said(" https://a.example/?x=1&amp;y=2 "),),
            access=(Finding(value=Access.PAYWALL, source="json-ld", raw="False", confidence=1.0),),
            published_at=(Finding(value=datetime(2026, 3, 4, tzinfo=UTC), source="meta", raw="", confidence=1.0),),
            blocks=body(*paragraphs(f"{dirty}: a talk")),
            next_page=" /two?a&amp;b",
        )
    )
    assert [finding.value for finding in result.title] == ["Alice & Bob"]
    assert result.description[0].value == "Alice & Bob"
    assert result.authors[0].value == result.keywords[0].value == ("Alice & Bob",)
    assert (result.authors[0].raw, result.authors[0].source) == ("raw\ufffd \u00ad", "meta")
    assert result.canonical_url[0].value == "https://a.example/?x=1&y=2"
    assert result.access[0].value is Access.PAYWALL
    assert result.published_at[0].value == datetime(2026, 3, 4, tzinfo=UTC)
    assert texts(result.blocks[0].value) == ["Alice & Bob: a talk"]
    assert result.next_page == "/two?a&b"


def test_structure_stays_in_lists_and_goes_in_paragraphs() -> None:
    blocks = (Block(kind=BlockKind.PARAGRAPH, text="one\ntwo"), Block(kind=BlockKind.LIST, text="- a\n- b "))
    assert texts(clean(Extracted(blocks=body(*blocks))).blocks[0].value) == ["one two", "- a\n- b"]


def test_empty_blocks_and_bodies_go() -> None:
    assert texts(clean(Extracted(blocks=body(*paragraphs("\u200b", "text", " ")))).blocks[0].value) == ["text"]
    assert clean(Extracted(blocks=body(*paragraphs("\u200b")))).blocks == ()


def test_the_headline_on_top_goes_however_often_it_stands() -> None:
    heading = Block(kind=BlockKind.HEADING, text="FERRY LINE to reopen in May.", level=2)
    found = Extracted(title=(said(HEAD),), blocks=body(heading, *paragraphs(HEAD, "The council voted.", HEAD, "End.")))
    # Further down it may be quoted, so that only the top is looked at.
    assert texts(clean(found).blocks[0].value) == ["The council voted.", HEAD, "End."]


def test_repeats_of_a_neighbour_go_and_distant_ones_stay() -> None:
    assert texts(tidy(paragraphs("a b", "A b.", "c", "a b", "***", "***", "* *"), ())) == [
        "a b",
        "c",
        "a b",
        "***",
        "* *",
    ]


@pytest.mark.parametrize(
    "tail",
    [
        "Read more",
        "READ MORE »",
        "Read more: Boats are back in the bay",
        "Weiterlesen …",
        "Lire la suite",
        "続きを読む",
        "Lesen Sie auch: Fähre",
    ],
)
def test_a_dangling_end_goes(tail: str) -> None:
    assert texts(tidy(paragraphs("The council voted.", tail, tail), ())) == ["The council voted."]


def test_a_last_heading_announces_nothing() -> None:
    heading = Block(kind=BlockKind.HEADING, text="More from the coast", level=3)
    assert texts(tidy((*paragraphs("The council voted."), heading), ())) == ["The council voted."]


@pytest.mark.parametrize(
    "last",
    [
        "Read more books, she said.",
        "Reporting by Ann Lee",
        "Comments: " + "the mayor said so and " * 12,
        "Related parties agreed.",
    ],
)
def test_a_real_last_paragraph_stays(last: str) -> None:
    assert len(tidy(paragraphs("The council voted.", last), ())) == 2


def test_cleaning_twice_changes_nothing() -> None:
    found = Extracted(
        title=(said(HEAD),), blocks=body(*paragraphs(HEAD, HEAD, "a&amp;b", "a&b", "Read more", "Read more"))
    )
    once = clean(found)
    assert texts(once.blocks[0].value) == ["a&b"]
    assert clean(once) == once


def test_the_lists_hold_no_empty_entry() -> None:
    for name in ("tails", "corrections"):
        assert all(phrases(name)), name
    assert not patterns("volatile").fullmatch("")
