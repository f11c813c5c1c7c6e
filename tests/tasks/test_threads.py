"""Readers' comments under an article are no part of its text; a forum's page is its thread."""

from datetime import UTC, datetime

import numpy as np

from storage.records import Extracted
from tasks.extract import extract
from tasks.extract.classify import Judged
from tasks.extract.document import parse
from tasks.extract.material import Material
from tasks.extract.segments import segment
from tasks.extract.threads import comments

_SAID = "I took that ferry as a child, and my mother always told us that the captain knew each of the boys by name."
_THREAD = "<ol class='commentlist'>" + f"<li class='comment'><article><p>{_SAID}</p></article></li>" * 3 + "</ol>"
_STORY = "".join(
    f"<p>The {day} ferry left the harbour at dawn, and the keeper wrote down who was on board, though nobody had told "
    "her to do it.</p>"
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday")
)


def _taken(body: str) -> list[str]:
    """The blocks that are taken if the classifier is sure of each."""
    page = segment(parse(f"<body>{body}</body>", "https://a.example/1"))
    return [block.text for block in Judged(page=page, shares=np.full(len(page.blocks), 0.99)).chosen(0.5)]


def test_comments_are_told_by_the_names_around_them() -> None:
    page = segment(parse(f"<body class='has-comments'>{_STORY}{_THREAD}</body>", "https://a.example/1"))
    assert list(comments(page)) == [False] * 4 + [True] * 3


def test_an_article_is_taken_without_its_comments_however_sure_the_classifier_is_of_them() -> None:
    assert _taken(_STORY + _THREAD) == _taken(_STORY)


def test_a_thread_is_taken_where_there_is_no_article_beside_it() -> None:
    assert any(_SAID in text for text in _taken(f"<p>Who remembers the old ferry?</p>{_THREAD}"))


def test_the_text_of_a_page_ends_before_its_comments() -> None:
    page = f"<html><head><title>Ferries</title></head><body><h1>Ferries</h1>{_STORY}{_THREAD}</body></html>"
    html = (("Content-Type", "text/html; charset=utf-8"),)
    at = datetime(2026, 1, 2, tzinfo=UTC)
    found = extract(
        Material(url="https://a.example/2026/ferries", status=200, headers=html, body=page.encode(), fetched_at=at)
    )
    assert isinstance(found, Extracted)
    assert _SAID not in "\n".join(block.text for block in found.blocks[0].value)
