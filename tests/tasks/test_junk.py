"""What pages print between an article's blocks goes; what they quote is told from what they say."""

from storage.records import Block, BlockKind
from tasks.extract.classify import Judged
from tasks.extract.document import parse
from tasks.extract.junk import without_repeats
from tasks.extract.segments import segment


def test_of_a_text_that_is_printed_twice_one_copy_is_kept() -> None:
    story = [Block(kind=BlockKind.PARAGRAPH, text=f"The {n}th ferry left at dawn. " * 4) for n in range(8)]
    refrain = Block(kind=BlockKind.PARAGRAPH, text="And the ferry rolled on, and the ferry rolled on, into the night.")
    song = [part for paragraph in story[:4] for part in (paragraph, refrain)]
    assert list(without_repeats([*story, *story[2:]], [])) == story
    assert list(without_repeats(song, [])) == song


def test_a_post_quoted_from_a_network_is_an_embed() -> None:
    quotes = "<blockquote>It rained.</blockquote><blockquote class='twitter-tweet'><p>It rained!</p></blockquote>"
    page = parse(f"<body><p>So it is said:</p>{quotes}</body>", "https://a.example/1")
    kinds = [block.kind for block in segment(page).blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.EMBED]


def test_a_newsrooms_note_on_its_article_is_a_part_of_it() -> None:
    stories = "".join(
        f"<p>{f'The {n}th ferry left the harbour at dawn, as the timetable says. ' * 4}</p>" for n in range(4)
    )
    note = "Correction: An earlier version named the wrong pier."
    html = (
        f"<article><h1>Ferries</h1>{stories}<p>{note}</p></article><aside><p>{note} Elsewhere.</p><p>Menu</p></aside>"
    )
    judged = Judged(page=segment(parse(html, "https://a.example/1")), shares=[0.0, *[0.9] * 4, 0.1, 0.0, 0.1])
    assert [block.text for block in judged.chosen(0.5)][-1] == note
    assert len(judged.chosen(0.5)) == 5


def test_an_article_without_a_body_tag_before_it_stands_in_the_body() -> None:
    page = parse(
        "<!doctype html><title>Ferry</title><article><p>It left.</p></article><meta name=a>", "https://a.example/1"
    )
    assert [child.tag for child in page.tree.find("head")] == ["title", "meta"]
    assert [block.text for block in segment(page).blocks] == ["It left."]
