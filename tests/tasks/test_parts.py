"""Which addresses go on with an article, and what becomes of the texts of its parts."""

from typing import TypeVar

import pytest

from storage.records import Access, Block, BlockKind, Extracted, Finding
from tasks.parts import continues, cut, joined

SITE = "https://harbour.example"
T = TypeVar("T")
COUNT = "Volunteers counted eight hundred birds on the mudflats on Sunday."
BOX = "Sign up for the letter that our editors write on Fridays."


def page(*texts: str, title: str = "A record count", subtitle: str = "", access: Access | None = None) -> Extracted:
    blocks = tuple(Block(kind=BlockKind.PARAGRAPH, text=text) for text in texts)
    return Extracted(
        title=(finding(title),),
        subtitle=(finding(subtitle),) if subtitle else (),
        access=(finding(access),) if access else (),
        blocks=(Finding(value=blocks, source="dom:body", raw="", confidence=0.9),),
        next_page=f"{SITE}/birds?page=2",
    )


def finding(value: T) -> Finding[T]:
    return Finding(value=value, source="h1", raw=str(value), confidence=0.9)


def texts(extracted: Extracted) -> list[str]:
    return [block.text for block in extracted.blocks[0].value]


@pytest.mark.parametrize(
    ("first", "following"),
    [
        ("/long/birds", "/long/birds?page=2"),
        ("/long/birds?page=1", "/long/birds?page=2"),
        ("/story?id=5&lang=en", "/story?id=5&lang=en&p=2"),
        ("/long/birds?seite=1", "/long/birds?seite=3"),
        ("/long/birds", "/long/birds?2"),
        ("/long/birds", "/long/birds/2"),
        ("/long/birds/", "/long/birds/page/2/"),
        ("/long/birds.html", "/long/birds-2.html"),
        ("/long/birds.html", "/long/birds_seite-3.html"),
        ("/long/birds-p1.html", "/long/birds-p2.html"),
        ("/long/birds/page/1", "/long/birds/page/2"),
        ("/long/birds,112", "/long/birds,112,2"),
    ],
)
def test_a_page_number_makes_a_later_part(first: str, following: str) -> None:
    assert continues(SITE + first, SITE + following)


@pytest.mark.parametrize(
    ("first", "following"),
    [
        ("/long/birds", "/long/foxes"),
        ("/long/birds", "https://other.example/long/birds?page=2"),
        ("/story?id=5", "/story?id=6"),
        ("/story?id=5&page=1", "/story?id=6&page=2"),
        ("/news/story-1", "/news/story-2"),
        ("/news/story-1", "/news/story-12"),
        ("/birds", "/birds/comment-page-2"),
        ("/birds", "/birds/2026"),
        ("/birds", "/birds"),
        ("/birds", "/birds?view=all"),
        ("/", "/page/2"),
        ("/birds", "/birds-of-prey/2"),
    ],
)
def test_another_story_is_none(first: str, following: str) -> None:
    other = following if following.startswith("https:") else SITE + following
    assert not continues(SITE + first, other)


def test_the_texts_follow_one_another_and_repeats_stand_once() -> None:
    first = page("Standfirst of the story as a whole.", COUNT, BOX, "Page 1 of 3 1 2 3")
    second = page("A record count", "Standfirst of the story as a whole.", "More.", BOX, "Seite 2 von 3")
    third = page("And on the third day the fog came in.", "More.", BOX, "1 2 3")

    whole = joined(first, [second, third])

    assert texts(whole) == [
        "Standfirst of the story as a whole.",
        COUNT,
        BOX,
        "More.",
        "And on the third day the fog came in.",
        "More.",
    ]
    assert whole.blocks[0].raw == " and 2 more parts"
    assert whole.next_page is None


def test_numbers_that_are_no_page_numbers_stay() -> None:
    assert texts(joined(page(COUNT, "4 5 6"), [page("2 : 3")])) == [COUNT, "4 5 6", "2 : 3"]


def test_without_parts_nothing_changes() -> None:
    first = page(COUNT, "Page 1 of 3 1 2 3")
    assert joined(first, []) is first
    assert joined(Extracted(), [first]) == Extracted()


def test_a_missing_part_makes_it_partial_unless_it_is_worse_already() -> None:
    partial = cut(page(COUNT, access=Access.FREE), f"{SITE}/birds?page=2")
    assert partial.access[0].value is Access.PARTIAL
    assert partial.access[0].raw == f"{SITE}/birds?page=2 is missing"
    walled = page(COUNT, access=Access.PAYWALL)
    assert cut(walled, "x") is walled
